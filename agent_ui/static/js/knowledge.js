/** The editor of articles: the preview follows the text. Saving needs no script. */

const csrf = /** @type {HTMLInputElement | null} */ (document.querySelector("input[name=csrf]"))?.value ?? "";

/** @param {HTMLTextAreaElement} area @param {HTMLElement} place */
async function show(area, place) {
  const text = area.value;
  const answer = await fetch("/knowledge/preview", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify({ text }),
  });
  if (!answer.ok) return;
  const { html } = await answer.json();
  // What was written since then has its own preview, on its way or here.
  if (area.value !== text) return;
  // The server has cleaned it; a document of its own never runs anything even so.
  const parsed = new DOMParser().parseFromString(html, "text/html");
  place.replaceChildren(...parsed.body.childNodes);
}

for (const details of /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("details[data-shows]"))) {
  const area = /** @type {HTMLTextAreaElement | null} */ (document.getElementById(details.dataset.shows ?? ""));
  const place = details.querySelector("div");
  if (!area || !place) continue;
  let timer = 0;
  const soon = () => {
    clearTimeout(timer);
    if (details.open) timer = setTimeout(() => show(area, place), 300);
  };
  area.addEventListener("input", soon);
  details.addEventListener("toggle", soon);
}

// What was written is not lost by a slip of the mouse.
const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form.kb-edit"));
let changed = false;
form?.addEventListener("input", () => { changed = true; });
form?.addEventListener("submit", () => { changed = false; });
addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
export {};
