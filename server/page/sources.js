// The side panel that shows where the documents of a knowledge base come from, and how each of them stands.
//
// A job that waits or runs is followed until it has ended, so what is shown is what is so. All of it is put in as text.

import { getJson, jobEvents, sendJson } from "./api.js";
import { showProblem } from "./problem.js";
import { embeddedText } from "./turn.js";

const byId = (id) => document.getElementById(id);
const dialog = byId("documents");
const list = byId("source-list");
const rows = byId("document-rows");
const status = byId("document-status");
const more = byId("documents-more");
const trouble = byId("documents-trouble");
const template = byId("source-row-template");

const PAGE = 50;
const SEARCHABLE = { nothing: "nothing", words: "words", words_and_meaning: "words and meaning" };

let base = null;
let cursor = null;
let watching = null;

/** Opens the panel for a knowledge base. */
export function openDocuments(knowledgeBase) {
  base = `knowledge-bases/${encodeURIComponent(knowledgeBase)}`;
  byId("documents-title").textContent = knowledgeBase;
  status.value = "";
  dialog.dataset.base = knowledgeBase;
  dialog.showModal();
  refresh();
}

async function refresh() {
  watching?.abort();
  watching = new AbortController();
  const { signal } = watching;
  await tried(async () => {
    const [{ sources }, { embedded }] = await Promise.all([getJson(`${base}/sources`, signal), getJson(base, signal)]);
    byId("documents-share").textContent = embeddedText(embedded);
    list.replaceChildren(...sources.map(sourceRow));
    sources.forEach((source, index) => follow(source, list.children[index], signal));
    await showDocuments(false, signal);
  });
}

function sourceRow(source) {
  const row = template.content.firstElementChild.cloneNode(true);
  const find = (selector) => row.querySelector(selector);
  const job = source.last_job;
  const goesOn = job !== null && job.ended_at === null;
  const asks = job?.reason?.startsWith("too_many_deletes:") ?? false;
  find(".source-name").textContent = source.kind === "push" ? "pushed over the API" : source.name;
  find(".source-state").textContent = [totalsText(source.documents), jobText(job), nextText(source)].filter(Boolean).join(" ");
  find(".source-reason").textContent = goesOn ? "" : (job?.reason ?? "");
  find(".source-tools").hidden = source.kind === "push";
  find(".sync").hidden = goesOn;
  find(".allow").hidden = goesOn || !asks;
  find(".end").hidden = !goesOn;
  const sync = (body) => act("POST", `${base}/sources/${source.id}/sync`, body);
  find(".sync").addEventListener("click", () => sync({}));
  find(".allow").addEventListener("click", () => sync({ allow_deletes: true }));
  find(".end").addEventListener("click", () => act("DELETE", `${base}/ingestions/${job.id}`));
  return row;
}

function totalsText(totals) {
  const documents = totals.documents === 1 ? "1 document" : `${totals.documents.toLocaleString("en")} documents`;
  const parts = [documents];
  if (totals.searchable_by_meaning < totals.searchable_by_words) {
    parts.push(`${totals.searchable_by_meaning.toLocaleString("en")} searchable by meaning yet`);
  }
  if (totals.failed > 0) {
    parts.push(`${totals.failed.toLocaleString("en")} failed`);
  }
  return `${parts.join(", ")}.`;
}

function jobText(job) {
  if (job === null) {
    return "";
  }
  const at = new Date(job.ended_at ?? job.started_at ?? job.requested_at).toLocaleString();
  return `Last sync: ${job.state}, ${at}.`;
}

function nextText({ next_run: next }) {
  if (next === null) {
    return "";
  }
  const at = new Date(next);
  return at <= new Date() ? "Next sync: due." : `Next sync: ${at.toLocaleString()}.`;
}

function progressText(progress) {
  if (progress.state === "queued") {
    return "Waiting for its turn.";
  }
  const of = progress.listing_complete ? progress.listed : `${progress.listed}…`;
  return `Syncing: ${progress.counts.scanned} of ${of} documents read, ${progress.chunks_published} of ${progress.chunks_cut} chunks searchable by words, ${progress.chunks_embedded + progress.chunks_reused} by meaning.`;
}

// Shows how far a job is until it has ended, then how things stand.
async function follow(source, row, signal) {
  if (!source.last_job || source.last_job.ended_at !== null) {
    return;
  }
  try {
    for await (const { event, data } of jobEvents(dialog.dataset.base, source.last_job.id, signal)) {
      if (event === "progress") {
        row.querySelector(".source-state").textContent = progressText(data);
      } else if (event === "done") {
        refresh();
        return;
      }
    }
  } catch (error) {
    if (error.name !== "AbortError") {
      showProblem(trouble, error, refresh);
    }
  }
}

async function act(method, path, body) {
  await tried(async () => {
    await sendJson(method, path, body);
    await refresh();
  });
}

async function showDocuments(onward, signal) {
  const query = new URLSearchParams({ limit: PAGE });
  if (status.value) {
    query.set("status", status.value);
  }
  if (onward) {
    query.set("cursor", cursor);
  }
  const page = await getJson(`${base}/documents?${query}`, signal);
  cursor = page.next_cursor;
  const shown = page.documents.flatMap(documentRows);
  if (onward) {
    rows.append(...shown);
  } else {
    rows.replaceChildren(...shown);
  }
  more.hidden = cursor === null;
  byId("documents-none").hidden = rows.childElementCount > 0;
}

function documentRows(found) {
  const row = document.createElement("tr");
  const cells = [
    found.title || found.key,
    found.status,
    SEARCHABLE[found.searchable] ?? found.searchable,
    found.current_version ?? "",
    found.chunk_count,
    found.attempts,
    found.attempted_at ? new Date(found.attempted_at).toLocaleString() : "",
  ];
  for (const text of cells) {
    row.insertCell().textContent = text;
  }
  row.cells[0].title = found.uri;
  if (!found.reason) {
    return [row];
  }
  const why = document.createElement("tr");
  why.className = "why";
  const cell = why.insertCell();
  cell.colSpan = cells.length;
  cell.textContent = found.reason;
  return [row, why];
}

async function tried(work) {
  trouble.hidden = true;
  try {
    await work();
  } catch (error) {
    if (error.name !== "AbortError") {
      showProblem(trouble, error, refresh);
    }
  }
}

status.addEventListener("change", () => tried(() => showDocuments(false, watching?.signal)));
more.addEventListener("click", () => tried(() => showDocuments(true, watching?.signal)));
dialog.addEventListener("close", () => {
  watching?.abort();
  list.replaceChildren();
  rows.replaceChildren();
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) {
    dialog.close();
  }
});
byId("documents-close").addEventListener("click", () => dialog.close());
