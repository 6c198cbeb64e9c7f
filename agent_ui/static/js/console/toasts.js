/** Short messages in the corner: what was done, with an undo where there is one, and what to do about an error. */
import { html, signal } from "./vendor.js";
import { Icon } from "./ui.js";
import { t } from "./words.js";

/** @typedef {{ id: number, text: string, icon: string, action?: { text: string, run: () => void } }} Toast */

const toasts = signal(/** @type {Toast[]} */ ([]));
let count = 0;

/** @param {number} id */
const drop = (id) => {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
};

/** @param {string} text @param {{ icon?: string, action?: Toast["action"] }} [more] */
export function toast(text, { icon = "circle-check", action } = {}) {
  const id = (count += 1);
  // An undo is offered for the latest deed only: undoing an earlier one now would undo something else.
  toasts.value = [...toasts.value.filter((toast) => !toast.action).slice(-1), { id, text, icon, action }];
  setTimeout(() => drop(id), action || icon !== "circle-check" ? 9000 : 5000);
}

/** Says what went wrong and what to do. @param {string} code one of the server's codes, "timeout" or "offline" */
export const toastError = (code) => toast(errorText(code), { icon: "triangle-alert" });

/** @param {string} code */
export function errorText(code) {
  const text = t(`err.${code}`);
  return text === `err.${code}` ? t("err.internal") : text;
}

export const Toasts = () => html`<div class="toasts" role="status">
  ${toasts.value.map((item) => html`<div class="toast" key=${item.id}>
    <${Icon} name=${item.icon} /><p>${item.text}</p>
    ${item.action ? html`<button type="button" onClick=${() => { drop(item.id); item.action?.run(); }}>${item.action.text}</button>` : null}
    <button type="button" aria-label=${t("close")} onClick=${() => drop(item.id)}><${Icon} name="x" /></button>
  </div>`)}
</div>`;
