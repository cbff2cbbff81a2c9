// One question and its answer: sources first, then the words as they come, then the finished text.

import { ApiError, answerEvents, noteClick } from "./api.js";
import { openPassage, placeOf } from "./reader.js";
import { showProblem } from "./problem.js";

const turnTemplate = document.getElementById("turn-template");
const sourceTemplate = document.getElementById("source-template");

// Sources beyond these stay folded until they are cited or asked for.
const SHOWN_SOURCES = 3;

const MATCH = { VERY_HIGH: "very close match", HIGH: "close match", MEDIUM: "possible match", LOW: "weak match" };

/** Adds a question to `conversation`. `announce` speaks to screen readers. */
export class Turn {
  constructor(conversation, knowledgeBase, question, announce) {
    this.knowledgeBase = knowledgeBase;
    this.question = question;
    this.announce = announce;
    this.root = turnTemplate.content.firstElementChild.cloneNode(true);
    this.find(".asked").textContent = question;
    this.root.addEventListener("click", (event) => this.followCitation(event));
    this.find(".more").addEventListener("click", () => this.unfold());
    conversation.append(this.root);
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  /** Asks, and shows what comes. Ends when the answer has ended, in whatever way; throws only for status 401. */
  async run(signal) {
    this.clear();
    try {
      for await (const { event, data } of answerEvents(this.knowledgeBase, this.question, signal)) {
        this.take(event, data);
        if (this.ended) {
          return;
        }
      }
      throw new ApiError("answer_cut_off", "The answer ended before it was complete.");
    } catch (error) {
      if (error.name === "AbortError") {
        this.stopped();
        return;
      }
      if (error.status === 401) {
        this.root.remove();
        throw error;
      }
      this.failed(error);
    } finally {
      this.find(".waiting").hidden = true;
      this.find(".answer").setAttribute("aria-busy", "false");
    }
  }

  /** What `run` is given to be run once more. Set by the owner of the conversation. */
  onRetry() {}

  clear() {
    this.queryId = null;
    this.sources = new Map();
    this.text = "";
    this.ended = false;
    this.streaming = null;
    this.find(".sources").hidden = true;
    this.find(".sources").classList.add("folded");
    this.find(".sources ol").replaceChildren();
    this.find(".answer").replaceChildren();
    this.find(".answer").setAttribute("aria-busy", "true");
    this.find(".outcome").textContent = "";
    this.find(".embedded").textContent = "";
    this.find(".problem").hidden = true;
    this.find(".waiting").textContent = "Searching";
    this.find(".waiting").hidden = false;
  }

  take(event, data) {
    switch (event) {
      case "sources":
        this.queryId = data.query_id;
        return this.showSources(data.sources, data.embedded);
      case "token":
        return this.append(data.text);
      case "done":
        return this.finish(data);
      case "error":
        throw new ApiError(data.code, data.message, data.hint);
      default:
        return undefined;
    }
  }

  showSources(sources, embedded) {
    const list = this.find(".sources ol");
    this.find(".embedded").textContent = embeddedText(embedded);
    for (const source of sources) {
      this.sources.set(source.number, source);
      list.append(this.sourceCard(source));
    }
    this.find(".sources").hidden = sources.length === 0;
    this.nameFolded();
    this.find(".waiting").textContent = sources.length === 0 ? "Thinking" : "Reading the sources";
    this.announce(sources.length === 1 ? "One source found." : `${sources.length} sources found.`);
  }

  sourceCard(source) {
    const item = sourceTemplate.content.firstElementChild.cloneNode(true);
    const foot = [source.page ? `page ${source.page}` : "", MATCH[source.confidence] ?? ""].filter(Boolean);
    item.dataset.number = source.number;
    item.querySelector(".source-number").textContent = source.number;
    item.querySelector(".source-title").textContent = source.title;
    item.querySelector(".source-path").textContent = placeOf({ ...source, page: null });
    item.querySelector(".source-text").textContent = excerpt(source, this.question);
    item.querySelector(".source-foot").textContent = foot.join(", ");
    item.querySelector(".source").addEventListener("click", () => this.open(source));
    return item;
  }

  // What is opened tells which sources are of use.
  open(source) {
    noteClick(this.knowledgeBase, this.queryId, source.chunk);
    openPassage(this.knowledgeBase, source);
  }

  nameFolded() {
    const folded = this.root.querySelectorAll(`.sources li:nth-child(n + ${SHOWN_SOURCES + 1}):not(.cited)`).length;
    this.find(".more").hidden = folded === 0 || !this.find(".sources").classList.contains("folded");
    this.find(".more").textContent = folded === 1 ? "One more source" : `${folded} more sources`;
  }

  unfold() {
    const next = this.find(`.sources li:nth-child(n + ${SHOWN_SOURCES + 1}):not(.cited) button`);
    this.find(".sources").classList.remove("folded");
    this.nameFolded();
    next.focus();
  }

  append(text) {
    this.text += text;
    if (!this.streaming) {
      this.find(".waiting").hidden = true;
      this.streaming = document.createTextNode("");
      const paragraph = document.createElement("p");
      paragraph.className = "streaming";
      paragraph.append(this.streaming);
      this.find(".answer").replaceChildren(paragraph);
    }
    this.streaming.appendData(text);
  }

  finish(done) {
    this.ended = true;
    // The server's own rendering of the answer, sanitised there.
    this.find(".answer").innerHTML = done.html;
    const cited = new Set(done.citations.map((citation) => citation.number));
    for (const item of this.root.querySelectorAll(".sources li")) {
      item.classList.toggle("cited", cited.has(Number(item.dataset.number)));
    }
    this.nameFolded();
    for (const link of this.root.querySelectorAll("a.citation")) {
      const source = this.sources.get(Number(link.dataset.source));
      link.setAttribute("aria-label", `Source ${link.dataset.source}${source ? `: ${source.title}` : ""}`);
    }
    this.find(".outcome").textContent = outcomeText(done);
    this.announce("The answer is complete.");
  }

  stopped() {
    this.showPlainText();
    this.find(".outcome").textContent = "Stopped. ";
    const again = document.createElement("button");
    again.type = "button";
    again.className = "quiet";
    again.textContent = "Ask again";
    again.addEventListener("click", () => this.onRetry());
    this.find(".outcome").append(again);
    this.announce("Stopped.");
  }

  failed(error) {
    this.showPlainText();
    showProblem(this.find(".problem"), error, () => this.onRetry());
  }

  // What came so far, with its numbers as links. The server renders only what is complete.
  showPlainText() {
    if (!this.streaming) {
      return;
    }
    const paragraph = document.createElement("p");
    paragraph.className = "unfinished";
    for (const piece of this.text.split(/(\[\d+\])/)) {
      const number = Number(/^\[(\d+)\]$/.exec(piece)?.[1]);
      paragraph.append(this.sources.has(number) ? citationLink(number) : piece);
    }
    this.find(".answer").replaceChildren(paragraph);
  }

  followCitation(event) {
    const link = event.target.closest("a.citation");
    if (!link) {
      return;
    }
    event.preventDefault();
    const source = this.sources.get(Number(link.dataset.source));
    if (source) {
      this.open(source);
    }
  }
}

function citationLink(number) {
  const link = document.createElement("a");
  link.className = "citation";
  link.href = `#source-${number}`;
  link.dataset.source = number;
  link.textContent = `[${number}]`;
  return link;
}

// What a passage says about the question: from the sentence that shares most words with it, without Markdown's marks.
function excerpt(source, question) {
  const header = source.table_header ? `${source.table_header.text}\n` : "";
  const text = (header + source.text)
    .replace(/^\s*(#{1,6} .*|[|:\- ]+)$/gm, "")
    .replace(/^\s*[*+-] /gm, "")
    .replace(/\*\*|`/g, "")
    .replace(/\|/g, " ")
    .replace(/[ \t]+/g, " ");
  const wanted = new Set(wordsOf(question));
  let best = { at: 0, shared: 0 };
  for (const sentence of text.matchAll(/\S(?:(?!\n\s*\n)[^.!?])*/g)) {
    const shared = new Set(wordsOf(sentence[0]).filter((word) => wanted.has(word))).size;
    if (shared > best.shared) {
      best = { at: sentence.index, shared };
    }
  }
  const start = text.slice(best.at).replace(/\s+/g, " ").trim().slice(0, 280);
  return best.at > text.search(/\S/) ? `… ${start}` : start;
}

function wordsOf(text) {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => word.length > 3 || /\d/.test(word));
}

/** How much can be found by meaning yet; nothing where all of it can. */
export function embeddedText(embedded) {
  if (!embedded || embedded.documents >= embedded.of) {
    return "";
  }
  const [documents, of] = [embedded.documents, embedded.of].map((count) => count.toLocaleString("en"));
  return `${documents} of ${of} documents are searchable by meaning yet; the others are found by their words.`;
}

function outcomeText({ outcome, usage }) {
  if (outcome === "nothing_found") {
    return "No model was asked, because no passage fits the question.";
  }
  if (outcome === "truncated") {
    return "The answer reached its limit of length.";
  }
  const seconds = (usage.first_token_ms + usage.output_ms) / 1000;
  return usage.output_tokens > 0 ? `${usage.output_tokens} tokens in ${seconds.toFixed(1)} s` : "";
}
