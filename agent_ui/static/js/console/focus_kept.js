/** Focus that is not lost: when what had it goes from the page, the next key goes to what stands near, not to nothing. */
import { currentId } from "./store.js";

/** What had focus last by the keyboard, and in which form and part of the console it was. @type {{ element: Element, form: Element | null, part: string } | null} */
let held = null;

const PARTS = [".dock, .thead", ".list", "#side"];

/** Where focus goes: into a dialog that is open, else back to where it was. @param {NonNullable<typeof held>} lost @returns {HTMLElement | null} */
function near({ form, part }) {
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement | null} */ (document.querySelector(selector));
  const dialog = find("dialog[open]");
  if (dialog) return dialog.querySelector("[autofocus]") ?? dialog.querySelector("button");
  if (form?.isConnected) return form.querySelector("input, textarea");
  if (part === "#side" && find("#side")) return find("#side");
  if (!currentId.peek() || part === ".list") return find('#list [tabindex="0"]') ?? find("#list");
  return part === PARTS[0] ? find("#composer, .donebar") : find("#log"); // null while it is fetched: the next change asks again
}

/** @param {Element} element */
function hold(element) {
  // Whoever uses a pointer needs no focus, and on a phone it would bring up the keyboard.
  held = element.matches(":focus-visible") ? { element, form: element.closest("form"), part: PARTS.find((part) => element.closest(part)) ?? "" } : null;
}

if (document.activeElement) hold(document.activeElement);
addEventListener("focusin", (e) => hold(/** @type {Element} */ (e.target)));
addEventListener("pointerdown", () => { held = null; }, true);
new MutationObserver(() => {
  if (!held || held.element.isConnected || document.activeElement !== document.body) return;
  near(held)?.focus({ preventScroll: true });
}).observe(document.body, { childList: true, subtree: true });
