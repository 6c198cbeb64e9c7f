/** Comfort for the report pages; each of them works without it. */

// Only a script can open the print dialog, so the button is there only with one.
for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("button[data-print]"))) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// Tables folded away on the screen belong on the paper.
const folded = /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("details.more"));
/** @type {HTMLDetailsElement[]} */
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...folded].filter((one) => !one.open);
  for (const one of opened) one.open = true;
});
addEventListener("afterprint", () => {
  for (const one of opened) one.open = false;
  opened = [];
});

const filter = document.querySelector("details.pop");
document.addEventListener("click", (event) => {
  if (filter && !filter.contains(/** @type {Node} */ (event.target))) filter.removeAttribute("open");
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !filter?.hasAttribute("open")) return;
  filter.removeAttribute("open");
  filter.querySelector("summary")?.focus();
});
