/** What a rule would meet, said anew while it is being written; without this a button says it. */

const form = /** @type {HTMLFormElement} */ (document.getElementById("rule"));
const place = /** @type {HTMLElement} */ (document.getElementById("trial"));
const QUIET_MS = 600;
/** @type {AbortController | undefined} */
let asking;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let waiting;

/** Asks what the form as it stands would meet, and shows it; what is not complete yet is passed over. */
async function look() {
  asking?.abort();
  asking = new AbortController();
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") body.append(name, value);
  body.set("do", "look");
  try {
    const answer = await fetch(form.action, { method: "POST", body, signal: asking.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const seen = page.getElementById("trial");
    if (seen) place.replaceChildren(...[...seen.childNodes].map((node) => document.importNode(node, true)));
    place.hidden = !answer.ok || !seen?.childElementCount;
  } catch {
    // another look is under way, or the server is away: the button still answers
  }
}

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(look, QUIET_MS);
});
if (place.hidden) look();

export {};
