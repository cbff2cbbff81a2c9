// Talks to the server: JSON requests, the event stream of an answer, and errors of one shape.
//
// A token, where the server asks for one, lives in sessionStorage: in this tab, until it is closed.

const TOKEN_KEY = "lectern-token";

// What to do about an error on this page. The server's own hints are for those who write programs.
const HINTS = {
  question_empty: "Write a question first.",
  question_too_long: "Shorten the question and ask again.",
  kb_not_found: "Choose another knowledge base above; this one may have been deleted.",
  document_not_found: "The document was deleted or is no longer yours to read. Ask again to get the current sources.",
  generator_busy: "Others are asking too. Wait a few seconds and try again.",
  model_missing: "Whoever runs the server has to fetch its models: “lectern models pull”, then start it again.",
};

/** An error with a stable code, a sentence, and what to do about it. */
export class ApiError extends Error {
  constructor(code, message, hint, status) {
    super(message);
    this.code = code;
    this.hint = HINTS[code] || hint || "Try again; if it stays, the server's log says more.";
    this.status = status || 0;
  }
}

export const token = {
  get: () => sessionStorage.getItem(TOKEN_KEY),
  set: (value) => sessionStorage.setItem(TOKEN_KEY, value),
  forget: () => sessionStorage.removeItem(TOKEN_KEY),
};

/** Answers with the parsed JSON of an API path, or throws an ApiError. */
export async function getJson(path, signal) {
  const response = await request(path, { signal });
  return response.json();
}

/** Sends a request with a JSON body, or none. Answers with the parsed JSON. */
export async function sendJson(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const response = await request(path, { method, headers, body: body && JSON.stringify(body) });
  return response.json();
}

/** Yields {event, data} for each event of an answer, with `data` parsed. */
export function answerEvents(knowledgeBase, question, signal) {
  return events(`knowledge-bases/${encodeURIComponent(knowledgeBase)}/answers`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify({ question, stream: true }),
    signal,
  });
}

/** Says that a passage was opened. Nobody waits for it, and nothing comes of it where it fails. */
export function noteClick(knowledgeBase, queryId, chunk) {
  request(`knowledge-bases/${encodeURIComponent(knowledgeBase)}/feedback`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query_id: queryId, items: [{ chunk, kind: "click" }] }),
    keepalive: true,
  }).catch(() => {});
}

/** Yields {event, data} for each event of a job, with `data` parsed. */
export function jobEvents(knowledgeBase, job, signal) {
  const path = `knowledge-bases/${encodeURIComponent(knowledgeBase)}/ingestions/${encodeURIComponent(job)}/events`;
  return events(path, { headers: { Accept: "text/event-stream" }, signal });
}

async function* events(path, options) {
  const response = await request(path, options);
  try {
    yield* readEvents(response.body);
  } catch (cause) {
    throw cause.name === "AbortError" ? cause : connectionLost();
  }
}

async function request(path, options) {
  const headers = { ...options.headers };
  if (token.get()) {
    headers.Authorization = `Bearer ${token.get()}`;
  }
  let response;
  try {
    response = await fetch(`/api/v1/${path}`, { ...options, headers });
  } catch (cause) {
    throw cause.name === "AbortError" ? cause : connectionLost();
  }
  if (!response.ok) {
    throw await errorOf(response);
  }
  return response;
}

async function errorOf(response) {
  let error = {};
  try {
    error = (await response.json()).error ?? {};
  } catch {
    // Not from Lectern: a proxy in front of it answered. The status says enough.
  }
  const wait = response.headers.get("Retry-After");
  const message = error.message || `The server answered with status ${response.status}.`;
  const known = new ApiError(error.code || `http_${response.status}`, message, error.hint, response.status);
  if (wait) {
    known.hint = Number(wait) === 1 ? "Wait a second and try again." : `Wait ${wait} seconds and try again.`;
  }
  return known;
}

function connectionLost() {
  return new ApiError("connection_lost", "The server can't be reached.", "Check that “lectern serve” is running, then try again.");
}

// Reads server-sent events (the HTML standard's text/event-stream) from a response body.
async function* readEvents(body) {
  let name = "message";
  let data = [];
  for await (const line of linesOf(body)) {
    if (line === "") {
      if (data.length > 0) {
        yield { event: name, data: JSON.parse(data.join("\n")) };
      }
      name = "message";
      data = [];
      continue;
    }
    const [, field, content] = /^([^:]*):? ?(.*)$/.exec(line);
    if (field === "event") {
      name = content;
    } else if (field === "data") {
      data.push(content);
    }
  }
}

// Yields the complete lines of a body. A reader that stops early closes the connection.
async function* linesOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) {
        return;
      }
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      yield* lines;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
