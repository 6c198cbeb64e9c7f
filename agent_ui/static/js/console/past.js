/**
 * Conversations that are done and asked about the same: looked for when somebody wants to see them.
 * @typedef {{ conversation_id: string, question: string, answer: string, by: string | null, resolved_at_ms: number | null, p: number }} Talk
 */
import { html, signal } from "./vendor.js";
import { CommandError, command } from "./connection.js";
import { errorText, toastError } from "./toasts.js";
import { now } from "./clock.js";
import { route } from "./route.js";
import { Icon } from "./late_icon.js";
import { shortDate, t, textLanguage } from "./words.js";

/** The list that is open. @type {{ value: { id: string, items: Talk[] | null } | null, peek(): { id: string, items: Talk[] | null } | null }} */
const open = signal(/** @type {any} nothing yet */ (null));

/** Opens the list, or closes it. @param {string} id */
export async function togglePast(id) {
  if (open.value?.id === id) {
    open.value = null;
    return;
  }
  open.value = { id, items: null };
  try {
    const { items } = await command("conversation.similar", { conversation_id: id });
    if (open.peek()?.id === id) open.value = { id, items };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (open.peek()?.id === id) open.value = null;
    if (errorText(error.code)) toastError(error.code);
  }
}

/** @param {string} id */
export const pastIsOpen = (id) => open.value?.id === id;

/** @param {{ id: string }} props */
export function PastTalks({ id }) {
  const list = open.value;
  if (list?.id !== id) return null;
  const { items } = list;
  return html`<section class="past" id="past" aria-label=${t("solved")} aria-busy=${items === null}>
    <div class="ahead"><${Icon} name="history" /><b>${t("solved")}</b><span class="afrom">${t("solved.hint")}</span>
      <button type="button" class="btn quiet icon" aria-label=${t("close")} title=${t("close")} onClick=${() => { open.value = null; }}><${Icon} name="x" /></button></div>
    ${items === null ? html`<p class="none" role="status">${t("solved.looking")}</p>` : items.length ? html`<ul>${items.map((talk) => html`<li key=${talk.conversation_id}>
      <a href=${`#c-${talk.conversation_id}`} onClick=${(/** @type {MouseEvent} */ e) => { if (e.metaKey || e.ctrlKey) return; e.preventDefault(); open.value = null; route(talk.conversation_id); }}>
        <b lang=${textLanguage(talk.question)}>${talk.question}</b><span lang=${textLanguage(talk.answer)}>${talk.answer}</span>
        <small>${[talk.by, talk.resolved_at_ms && shortDate(talk.resolved_at_ms, now.peek()), t("solved.alike", { share: `${Math.round(talk.p * 100)}%` })].filter(Boolean).join(" · ")}</small></a></li>`)}</ul>`
    : html`<p class="none" role="status">${t("solved.none")}</p>`}
  </section>`;
}
