/** What helps with writing a reply and comes with the first conversation: answers, canned replies, open places. */
import { html } from "./vendor.js";
import { currentId } from "./store.js";
import { attach, Clip, FileCard, filesHold, takesFiles, Tray } from "./attach.js";
import { MailCard } from "./mail_card.js";
import { ask, asking } from "./later.js";
import { write, writingOf } from "./composer.js";
import { Answers, insert, isAsked, typed as lookFor, untyped } from "./suggest.js";
import { Replies, closeReplies, listOf, replyKeys, sought } from "./slash.js";
import { Holes, Marks, holds as holesHold } from "./holes.js";
import { PastTalks, pastIsOpen, togglePast } from "./past.js";
import { Icon } from "./late_icon.js";
import "./focus_kept.js";
import { t } from "./words.js";

export { lineOf } from "./events.js";
export { withTried } from "./tried.js";
export { attach, Marks };

/** What came with a message and is not in it. @param {{ block: import("./types.js").Block }} props */
export const Came = ({ block }) => html`<${block.type === "mail" ? MailCard : FileCard} block=${block} />`;
export const keys = replyKeys;

const alt = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌥" : "Alt";

/** Whether the message may not go out yet. @param {string} id */
export const holds = (id) => holesHold(id) || filesHold(id);

/** What the field of the message has besides. @param {string} id */
export const field = (id) => ({ ...listOf(id), ...takesFiles(id) });

/** @param {{ id: string }} props above the composer */
export const Above = ({ id }) => html`<div class="aid"><${Replies} id=${id} /><${Answers} id=${id} /><${PastTalks} id=${id} /><${Holes} id=${id} /><${Tray} id=${id} /></div>`;

/** Says that there are replies on a slash, and where else an answer may be found. @param {string} id */
export const hint = (id) => (writingOf(id).visibility === "public" ? html` <span class="slashed"><kbd>/</kbd> ${t("reply.hint")}</span>` : null);

/** Where else an answer may be found. @param {{ id: string }} props */
export const Finders = ({ id }) => (writingOf(id).visibility === "public" ? html`<span class="finders">
  <${Clip} id=${id} />
  <button type="button" class="btn quiet" title=${t("ticket.make")} onClick=${() => ask({ kind: "ticket", id })}><${Icon} name="ticket" /><span>${t("ticket.make")}</span></button>
  <button type="button" class="btn quiet" aria-keyshortcuts="Alt+A" title=${`${t("find.articles")} (${alt} A)`} onClick=${() => ask({ kind: "articles" })}><${Icon} name="layers" /><span>${t("find.articles")}</span></button>
  ${isAsked() ? html`<button type="button" class="btn quiet" aria-expanded=${pastIsOpen(id)} title=${t("solved")} onClick=${() => togglePast(id)}><${Icon} name="history" /><span>${t("solved")}</span></button>` : null}</span>` : html`<span class="finders"><${Clip} id=${id} /></span>`);

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
  if (e.code === "KeyA" && e.altKey && !e.ctrlKey && !e.metaKey && !e.shiftKey && !e.isComposing && !asking() && !document.querySelector("dialog[open]") && !e.getModifierState("AltGraph")) {
    e.preventDefault();
    ask({ kind: "articles" });
    return;
  }
  const digit = /^Digit([1-3])$/.exec(e.code);
  if (!digit || !e.altKey || e.ctrlKey || e.metaKey || e.shiftKey || e.defaultPrevented || e.isComposing) return;
  if (asking() || document.querySelector("dialog[open]") || e.getModifierState("AltGraph") || !currentId.value) return;
  if (insert(currentId.value, Number(digit[1]) - 1)) e.preventDefault();
});
