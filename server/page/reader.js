// The side panel that shows a passage in its document.

import { getJson } from "./api.js";
import { showProblem } from "./problem.js";

const dialog = document.getElementById("passage");
const title = document.getElementById("reader-title");
const place = document.getElementById("reader-place");
const body = document.getElementById("reader-body");
const origin = document.getElementById("reader-origin");

let opening = null;

/** Where a passage stands, for people: its headings, then its page. */
export function placeOf(source) {
  const headings = source.heading_path.filter((heading) => heading !== source.title);
  const parts = headings.length > 0 ? [headings.join(" › ")] : [];
  if (source.page) {
    parts.push(`page ${source.page}`);
  }
  return parts.join(", ");
}

/** Opens the document of `source` with its passage marked. Focus goes back when it is closed. */
export async function openPassage(knowledgeBase, source) {
  opening?.abort();
  opening = new AbortController();
  const { signal } = opening;
  title.textContent = source.title;
  place.textContent = placeOf(source);
  showOrigin(source.uri);
  body.replaceChildren();
  body.setAttribute("aria-busy", "true");
  if (!dialog.open) {
    dialog.showModal();
  }
  try {
    const path = `knowledge-bases/${encodeURIComponent(knowledgeBase)}/documents/${encodeURIComponent(source.document)}/passage`;
    const { document, html, is_excerpt: isExcerpt } = await getJson(`${path}?start=${source.span.start}&end=${source.span.end}`, signal);
    // The server made and cleaned this HTML; nothing else on this page is ever put in as HTML but answers.
    body.innerHTML = html;
    if (isExcerpt) {
      place.textContent = [placeOf(source), "a part of a long document"].filter(Boolean).join(", ");
    }
    showState(document);
    showMark();
  } catch (error) {
    if (error.name !== "AbortError") {
      showProblem(body, error, () => openPassage(knowledgeBase, source));
    }
  } finally {
    if (!signal.aborted) {
      body.removeAttribute("aria-busy");
    }
  }
}

function showMark() {
  const mark = body.querySelector("#passage, mark");
  if (!mark) {
    body.scrollTop = 0;
    body.focus();
    return;
  }
  mark.tabIndex = -1;
  mark.focus({ preventScroll: true });
  const tall = mark.getBoundingClientRect().height > body.clientHeight * 0.7;
  mark.scrollIntoView({ block: tall ? "start" : "center" });
}

function showOrigin(uri) {
  origin.replaceChildren();
  if (/^https?:/i.test(uri)) {
    const link = document.createElement("a");
    link.href = uri;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    link.textContent = uri;
    origin.append("Original: ", link);
  } else {
    origin.textContent = uri;
  }
}

// When this version was read, and whether its vectors are there yet.
function showState(document) {
  const parts = [];
  if (document.indexed_at) {
    parts.push(`read ${new Date(document.indexed_at).toLocaleString()}`);
  }
  if (document.searchable === "words") {
    parts.push("searchable by its words; by its meaning soon");
  }
  if (parts.length > 0) {
    origin.append(` (${parts.join("; ")})`);
  }
}

// A document's own links would lead out of the page that is open.
body.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link) {
    return;
  }
  event.preventDefault();
  if (/^https?:/i.test(link.getAttribute("href") ?? "")) {
    window.open(link.href, "_blank", "noopener,noreferrer");
  }
});

dialog.addEventListener("close", () => {
  opening?.abort();
  body.replaceChildren();
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) {
    dialog.close();
  }
});
document.getElementById("reader-close").addEventListener("click", () => dialog.close());
