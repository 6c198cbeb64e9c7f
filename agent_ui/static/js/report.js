/** Comfort for the report pages; each of them works without it. */

// Only a script can open the print dialog, so the button is there only with one.
for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("button[data-print]"))) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// What was opened closes again with a click beside it or the Escape key.
const menus = /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("details.pop"));
document.addEventListener("click", (event) => {
  for (const one of menus) if (!one.contains(/** @type {Node} */ (event.target))) one.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const one of menus) {
    if (one.open) one.querySelector("summary")?.focus();
    one.open = false;
  }
});
