/**
 * The shop's own consent tool: one line at the foot of each page. It hands what it was told to the chat widget, and
 * follows what the shopper says there.
 */

import { desk } from "./desk.js";

const KEY = "mori-oak.consent";
const TEXT_VERSION = "mori-oak-1";
const box = /** @type {HTMLElement} */ (document.querySelector("[data-consent]"));
const said = /** @type {HTMLElement} */ (box.querySelector("p"));
const [yes, no] = /** @type {HTMLButtonElement[]} */ ([...box.querySelectorAll("button")]);

/** @returns {boolean | undefined} */
function kept() {
  try {
    const word = localStorage.getItem(KEY);
    return word === null ? undefined : word === "yes";
  } catch {
    return undefined; // storage is forbidden: nobody agreed
  }
}

/** @param {boolean | undefined} agreed */
function keep(agreed) {
  try {
    if (agreed !== undefined) localStorage.setItem(KEY, agreed ? "yes" : "no");
  } catch {
    // it holds for this page only
  }
}

function show() {
  const { unsaid, agreed: yesText, refused, signal } = box.dataset;
  const signalled = /** @type {any} */ (navigator).globalPrivacyControl === true;
  const agreed = kept();
  said.textContent = (signalled ? signal : agreed === undefined ? unsaid : agreed ? yesText : refused) ?? "";
  yes.hidden = signalled || agreed === true;
  no.hidden = signalled || agreed === false;
  no.textContent = (agreed ? no.dataset.stop : no.dataset.no) ?? "";
}

/** @param {boolean} agreed */
function choose(agreed) {
  keep(agreed);
  desk("consent", { analytics: agreed }, { version: TEXT_VERSION });
  show();
  (agreed ? no : yes).focus();
}

yes.addEventListener("click", () => choose(true));
no.addEventListener("click", () => choose(false));
desk("on", "consent", (/** @type {{analytics?: boolean}} */ { analytics }) => {
  keep(analytics);
  show();
});
show();
const before = kept();
if (before !== undefined) desk("consent", { analytics: before }, { version: TEXT_VERSION });
