// Shows an error: what happened, what to do, the code for whoever is asked about it, and a way to retry.

const template = document.getElementById("problem-template");

/** Fills `place` with `error`. Without `retry` there is no button. */
export function showProblem(place, error, retry) {
  const view = template.content.cloneNode(true);
  view.querySelector(".problem-message").textContent = sentence(error.message);
  view.querySelector(".problem-hint").textContent = sentence(error.hint ?? "Reload the page.");
  view.querySelector(".problem-code").textContent = error.code ?? error.name;
  const button = view.querySelector(".retry");
  if (retry) {
    button.addEventListener("click", retry);
  } else {
    button.remove();
  }
  place.replaceChildren(view);
  place.hidden = false;
}

// Errors of the server are in lower case and end without a period, as Rust's do.
function sentence(text) {
  const trimmed = text.trim();
  const ended = /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
  return ended.charAt(0).toUpperCase() + ended.slice(1);
}
