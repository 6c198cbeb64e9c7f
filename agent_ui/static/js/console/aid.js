/** What helps with writing a reply and comes with the first conversation: answers, canned replies, open places. */
import { html } from "./vendor.js";
import { currentId } from "./store.js";
import { asking } from "./later.js";
import { write, writingOf } from "./composer.js";
import { Answers, insert, typed as lookFor, untyped } from "./suggest.js";
import { Replies, closeReplies, listOf, replyKeys, sought } from "./slash.js";
import { Holes, Marks } from "./holes.js";
import { t } from "./words.js";

export { holds } from "./holes.js";
export { Marks, listOf as field };
export const keys = replyKeys;

/** @param {{ id: string }} props above the composer */
export const Above = ({ id }) => html`<div class="aid"><${Replies} id=${id} /><${Answers} id=${id} /><${Holes} id=${id} /></div>`;

/** Says that there are replies on a slash. @param {string} id */
export const hint = (id) => (writingOf(id).visibility === "public" ? html` <kbd>/</kbd> ${t("reply.hint")}` : null);

/** Something was typed. @param {string} id @param {HTMLTextAreaElement} field */
export function typed(id, field) {
  if (!field.value) write(id, { origin: undefined });
  if (writingOf(id).visibility !== "public") {
    closeReplies();
    untyped();
  } else if (sought(id, field)) untyped();
  else lookFor(id, field);
}

addEventListener("keydown", (e) => {
  const digit = /^Digit([1-3])$/.exec(e.code);
  if (!digit || !e.altKey || e.ctrlKey || e.metaKey || e.shiftKey || e.defaultPrevented || e.isComposing) return;
  if (asking() || document.querySelector("dialog[open]") || e.getModifierState("AltGraph") || !currentId.value) return;
  if (insert(currentId.value, Number(digit[1]) - 1)) e.preventDefault();
});
