/** Canned replies on a slash at the start of a line: a short list, chosen with arrows and Enter. */
import { html, signal, useLayoutEffect, useRef } from "./vendor.js";
import { CommandError, command } from "./connection.js";
import { write, writingOf } from "./composer.js";
import { holesIn, select } from "./holes.js";
import { plain } from "./plain.js";
import { t, textLanguage } from "./words.js";

const ASK_AFTER_MS = 120;
// What the key gives while Chinese is typed counts as well.
const SLASH = /^[/／、]([^\n]{0,40})$/;

/** @typedef {{ article_id: string, shortcut: string | null, title: string, body: string, locale: string }} Reply */
/** @typedef {{ id: string, from: number, to: number, items: Reply[], at: number }} Shown where the slash stands, and where what is sought ends */
const shown = signal(/** @type {Shown | null} */ (null));
let latest = 0;
/** Where a list was closed by hand: it stays so until that line is left. */
let closed = -1;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** The list of a conversation while what asked for it still stands in the reply. @param {string} id */
function listFor(id) {
  const list = shown.value;
  const { body, visibility } = writingOf(id);
  return list?.id === id && visibility === "public" && SLASH.test(body.slice(list.from, list.to)) ? list : null;
}

/** Closes the list; answers that are still on their way are ignored. */
export function closeReplies() {
  clearTimeout(timer);
  latest += 1;
  shown.value = null;
}

/** Looks whether the line being written asks for a reply. @param {string} id @param {HTMLTextAreaElement} field @returns {boolean} whether it does */
export function sought(id, field) {
  const to = field.selectionStart;
  const from = field.value.lastIndexOf("\n", to - 1) + 1;
  const found = SLASH.exec(field.value.slice(from, to));
  if (!found || closed === from) {
    if (!found) closed = -1;
    closeReplies();
    return Boolean(found);
  }
  clearTimeout(timer);
  latest += 1;
  const mine = latest;
  // What is listed may be chosen before the next answer is there: all that was sought then goes, the newest letters too.
  if (shown.value?.id === id && shown.value.from === from) shown.value = { ...shown.value, to };
  timer = setTimeout(async () => {
    try {
      const { items } = await command("reply.find", { conversation_id: id, text: found[1] });
      if (mine === latest) shown.value = items.length ? { id, from, to, items, at: 0 } : null;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error; // the next key asks again
      if (mine === latest) shown.value = null;
    }
  }, shown.value || found[1] ? ASK_AFTER_MS : 0);
  return true;
}

/** Puts a reply in place of what was sought. @param {Shown} list @param {Reply} item */
function choose(list, item) {
  const { body } = writingOf(list.id);
  const text = plain(item.body) || item.title;
  closeReplies();
  write(list.id, { body: body.slice(0, list.from) + text + body.slice(list.to), state: "changed", origin: "macro" });
  const end = list.from + text.length;
  const [hole] = holesIn(text);
  const [a, b] = hole ? [list.from + hole.from, list.from + hole.to] : [end, end];
  requestAnimationFrame(() => select({ from: a, to: b }));
}

/** The keys of the list. @param {KeyboardEvent} e @param {string} id @returns {boolean} whether this was one */
export function replyKeys(e, id) {
  const list = listFor(id);
  if (!list || e.altKey || e.ctrlKey || e.metaKey || e.shiftKey) return false;
  const many = list.items.length;
  if (e.key === "ArrowDown") shown.value = { ...list, at: (list.at + 1) % many };
  else if (e.key === "ArrowUp") shown.value = { ...list, at: (list.at + many - 1) % many };
  else if (e.key === "Enter" || e.key === "Tab") choose(list, list.items[list.at]);
  else if (e.key === "Escape") {
    closed = list.from;
    closeReplies();
  } else return false;
  e.preventDefault();
  return true;
}

/** What the field says of the list while there is one. @param {string} id */
export function listOf(id) {
  const list = listFor(id);
  return { "aria-autocomplete": "list", ...(list && { "aria-controls": "replies", "aria-activedescendant": `reply-${list.at}` }) };
}

/** @param {{ id: string }} props */
export function Replies({ id }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const list = listFor(id);
  useLayoutEffect(() => {
    box.current?.children[list?.at ?? 0]?.scrollIntoView({ block: "nearest" });
  }, [list?.at]);
  if (!list) return null;
  return html`<div class="replies"><p aria-hidden="true">${t("reply.title")}<span><kbd>↑</kbd> <kbd>↓</kbd> <kbd>↵</kbd></span></p><div role="listbox" id="replies" aria-label=${t("reply.title")} ref=${box}>
    ${list.items.map((item, i) => html`<div key=${item.article_id} id=${`reply-${i}`} role="option" aria-selected=${i === list.at} lang=${textLanguage(item.title + item.body)} onPointerDown=${(/** @type {Event} */ e) => e.preventDefault()} onClick=${() => choose(list, item)} onPointerMove=${() => { if (list.at !== i) shown.value = { ...list, at: i }; }}>
      <b>${item.title}</b>${item.shortcut ? html`<code>/${item.shortcut}</code>` : null}<span>${preview(item.body)}</span></div>`)}</div></div>`;
}

/** One line of a reply, what is open in it marked. @param {string} body */
function preview(body) {
  const text = plain(body).replace(/\s+/g, " ");
  let end = 0;
  const pieces = holesIn(text).map((hole) => {
    const piece = [text.slice(end, hole.from), html`<mark>${text.slice(hole.from, hole.to)}</mark>`];
    end = hole.to;
    return piece;
  });
  return [pieces, text.slice(end)];
}
