// The chat page. `api.js` talks to the server, `turn.js` is one question with its answer, `reader.js` shows a
// passage in its document, `sources.js` where the documents come from and how each stands, `problem.js` an error;
// this file puts them together.
//
// What comes from people, documents and the server is put in as text. The only HTML is what the server has rendered
// and sanitised itself: finished answers, and documents in the reader.

import { getJson, token } from "./api.js";
import { openDocuments } from "./sources.js";
import { showProblem } from "./problem.js";
import { Turn, embeddedText } from "./turn.js";

const byId = (id) => document.getElementById(id);
const picker = byId("knowledge-base");
const box = byId("question");
const form = byId("ask");
const send = byId("send");
const stop = byId("stop");
const conversation = byId("conversation");
const trouble = byId("trouble");
const tokenForm = byId("token-form");

const HANDBOOK_QUESTIONS = [
  "How many days of paid leave does a full-time employee have?",
  "How often is the status page updated during a SEV1 incident?",
  "How long does a guest code for the Wi-Fi last?",
  "How long is the warranty on a gateway?",
];

let running = null;

const announce = (text) => {
  byId("status").textContent = text;
};

async function start() {
  trouble.hidden = true;
  byId("forget-token").hidden = !token.get();
  try {
    const { knowledge_bases: bases } = await getJson("knowledge-bases");
    showBases(bases);
    box.focus();
  } catch (error) {
    if (error.status === 401) {
      askForToken();
    } else {
      showProblem(trouble, error, start);
    }
  }
}

function showBases(bases) {
  const wanted = new URLSearchParams(location.search).get("kb");
  picker.replaceChildren(...bases.map((base) => new Option(base.name, base.name, false, base.name === wanted)));
  picker.disabled = bases.length === 0;
  form.hidden = bases.length === 0;
  byId("open-documents").hidden = bases.length === 0;
  picker.bases = new Map(bases.map((base) => [base.name, base]));
  if (bases.length === 0) {
    picker.replaceChildren(new Option("none yet"));
    showEmpty();
  } else {
    baseChosen();
  }
}

function showEmpty() {
  byId("welcome-title").textContent = "No knowledge base yet";
  const command = document.createElement("code");
  command.textContent = "lectern ingest --kb NAME FOLDER";
  byId("welcome-text").replaceChildren("Make one from a folder of documents: ", command, ". Then load this page again.");
}

function baseChosen() {
  const base = picker.bases.get(picker.value);
  const address = new URL(location.href);
  address.searchParams.set("kb", base.name);
  history.replaceState(null, "", address);
  byId("welcome-text").textContent = welcome(base);
  showExamples(base);
}

function welcome(base) {
  if (base.document_count === 0) {
    return `Nothing can be found in “${base.name}” yet. Fill it with: lectern ingest --kb ${base.name} FOLDER`;
  }
  const documents = base.document_count === 1 ? "One document" : `${base.document_count.toLocaleString("en")} documents`;
  const text = `${documents} in “${base.name}”. Every answer shows the passages that it rests on, and each question is answered on its own.`;
  return [text, embeddedText(base.embedded)].filter(Boolean).join(" ");
}

async function showExamples(base) {
  const examples = base.name === "handbook" ? HANDBOOK_QUESTIONS : await questionsAbout(base);
  if (picker.value !== base.name) {
    return;
  }
  byId("examples").replaceChildren(...examples.map(exampleItem));
}

// A page can't know what is worth asking of documents that it has never seen, but it can name some of them.
async function questionsAbout(base) {
  try {
    const path = `knowledge-bases/${encodeURIComponent(base.name)}/documents?status=indexed&limit=4`;
    const { documents } = await getJson(path);
    return documents.map((document) => `What does “${document.title}” say?`);
  } catch {
    return [];
  }
}

function exampleItem(question) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = question;
  button.addEventListener("click", () => ask(question));
  const item = document.createElement("li");
  item.append(button);
  return item;
}

function ask(question) {
  const text = question.trim();
  if (running || text === "") {
    box.focus();
    return;
  }
  byId("welcome").hidden = true;
  box.value = "";
  fitBox();
  const turn = new Turn(conversation, picker.value, text, announce);
  turn.onRetry = () => run(turn);
  run(turn);
}

async function run(turn) {
  if (running) {
    return;
  }
  running = new AbortController();
  setAsking(true);
  turn.root.scrollIntoView({ block: "start", behavior: gentle() });
  try {
    await turn.run(running.signal);
  } catch (error) {
    if (error.status !== 401) {
      throw error;
    }
    box.value = turn.question;
    askForToken();
  } finally {
    running = null;
    setAsking(false);
  }
}

function setAsking(asking) {
  // A button that is hidden would lose the focus to nowhere.
  const focusIsLost = document.activeElement === (asking ? send : stop);
  send.hidden = asking;
  stop.hidden = !asking;
  picker.disabled = asking;
  if (focusIsLost) {
    (asking ? stop : box).focus({ preventScroll: true });
  }
}

function gentle() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
}

function askForToken() {
  byId("token-problem").textContent = token.get() ? "The server doesn't know this token." : "";
  token.forget();
  tokenForm.hidden = false;
  form.hidden = true;
  byId("welcome").hidden = true;
  byId("forget-token").hidden = true;
  byId("token").focus();
}

// Grows with the question where the browser doesn't do it by itself (`field-sizing`).
function fitBox() {
  if (!CSS.supports("field-sizing", "content")) {
    box.rows = Math.min(8, Math.max(1, box.value.split("\n").length));
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(box.value);
});

box.addEventListener("input", fitBox);
box.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    ask(box.value);
  }
});

stop.addEventListener("click", () => running?.abort());
picker.addEventListener("change", baseChosen);
byId("open-documents").addEventListener("click", () => openDocuments(picker.value));

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, dialog");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    box.focus();
  }
});

tokenForm.addEventListener("submit", (event) => {
  event.preventDefault();
  token.set(byId("token").value.trim());
  byId("token").value = "";
  tokenForm.hidden = true;
  form.hidden = false;
  byId("welcome").hidden = conversation.childElementCount > 0;
  start();
});

byId("forget-token").addEventListener("click", () => {
  token.forget();
  location.reload();
});

start();
