/**
 * Writing: reply or internal note, a draft that the server keeps, sending with Enter unless a word is being composed.
 * @typedef {import("./types.js").Summary} Summary
 * @typedef {import("./types.js").Visibility} Visibility
 * @typedef {import("./types.js").Block} Block
 */
import { html, signal, useEffect, useLayoutEffect, useRef } from "./vendor.js";
import { CommandError, command, tell } from "./connection.js";
import { currentId, link, me, putDraft, thread } from "./store.js";
import { AGAIN, post } from "./outbox.js";
import { claim, reopen } from "./actions.js";
import { isOpen } from "./waits.js";
import { preference } from "./preferences.js";
import { customerName, t, textLanguage, tn } from "./words.js";
import { Icon } from "./ui.js";
import { focusList } from "./list.js";

const LIMIT = 8000;
const SAVE_AFTER_MS = 800;
const SAVE_AGAIN_S = 5;
const TYPING_EVERY_MS = 3000;
const TYPING_ENDS_MS = 5000;
const apple = /Mac|iPhone|iPad/.test(navigator.platform);

/** What helps with writing, once it is there. @type {{ value: typeof import("./aid.js") | null }} */
export const aid = signal(/** @type {any} filled by later.js */ (null));

/** @typedef {{ body: string, visibility: Visibility, blocks?: Block[], origin?: string, early?: boolean, state: "same"|"changed"|"saving"|"saved"|"unsaved" }} Writing early: begun before the draft that may be kept had come */
/** What is being written, by conversation. @type {{ value: Map<string, Writing>, peek(): Map<string, Writing> }} */
const writings = signal(/** @type {Map<string, Writing>} */ (new Map()));
/** @type {Map<string, ReturnType<typeof setTimeout>>} */
const savers = new Map();

/** @param {string} id @returns {Writing} */
export function writingOf(id) {
  const draft = thread.value?.id === id ? thread.value.draft : null;
  return writings.value.get(id) ?? { body: draft?.body ?? "", visibility: draft?.visibility ?? "public", state: draft?.body ? "saved" : "same" };
}

/** @param {string} id @param {Partial<Writing>} change */
export function write(id, change) {
  const begun = writings.value.get(id) ?? { ...writingOf(id), early: !(thread.value?.id === id && thread.value.state === "ready") };
  writings.value = new Map(writings.value).set(id, { ...begun, ...change });
  if (change.state !== "changed") return;
  clearTimeout(savers.get(id));
  savers.set(id, setTimeout(() => save(id), SAVE_AFTER_MS));
}

/** Joins what was written with the draft that came after the first letters. @param {string} id @param {import("./types.js").Draft | null} draft */
function join(id, draft) {
  const { early, body, visibility } = writingOf(id);
  if (!early) return;
  const kept = draft?.body && draft.body !== body ? draft : null;
  if (kept) write(id, { early: false, body: body ? `${kept.body}\n${body}` : kept.body, visibility: kept.visibility === "private" ? "private" : visibility, state: body ? "changed" : "saved" });
  else write(id, { early: false });
  if (writingOf(id).state === "changed") save(id);
}

/** @param {string} id */
async function save(id) {
  clearTimeout(savers.get(id));
  const { body, visibility, early } = writingOf(id);
  if (early) return; // it would take the place of the draft that is to come
  write(id, { state: "saving" });
  try {
    await command("draft.set", { conversation_id: id, body: body.slice(0, LIMIT), visibility });
    if (isBeingSaved(id, body)) write(id, { state: body ? "saved" : "same" });
    putDraft(id, body ? { body, visibility } : null);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (!isBeingSaved(id, body)) return; // what was written since is on its way
    write(id, { state: "unsaved" });
    if (error.code !== "offline" && AGAIN.has(error.code)) savers.set(id, setTimeout(() => save(id), 1000 * (error.details.retry_after_s ?? SAVE_AGAIN_S)));
  }
}

/** Whether this is what is being saved, and nothing newer. @param {string} id @param {string} body */
const isBeingSaved = (id, body) => writingOf(id).state === "saving" && writingOf(id).body === body;

/** Saves what is not saved: before the page goes, and after a reconnect. @param {Writing["state"][]} states */
export function saveDrafts(states = ["changed", "unsaved"]) {
  for (const [id, writing] of writings.value) if (states.includes(writing.state)) save(id);
}

/** Puts focus into the composer. @param {Visibility} [visibility] */
export function focusComposer(visibility) {
  const id = currentId.value;
  if (id && visibility) write(id, { visibility });
  const focus = () => document.getElementById("composer")?.focus();
  focus(); // at once, so that the next key is already typed into it
  requestAnimationFrame(focus); // and where the field is only now put on the page
}

/** Puts a message that failed back where it can be changed. @param {{ conversation_id: string, body: string, visibility: Visibility, blocks?: Block[], origin?: string }} entry */
export function takeBack({ conversation_id, body, visibility, blocks, origin }) {
  const before = writingOf(conversation_id).body;
  write(conversation_id, { body: before ? `${body}\n${before}` : body, visibility, blocks, origin, state: "changed" });
  focusComposer();
}

let typing_told_ms = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let typing_end;
/** @param {string} id @param {boolean} on */
function tellTyping(id, on) {
  clearTimeout(typing_end);
  if (on) typing_end = setTimeout(() => tellTyping(id, false), TYPING_ENDS_MS);
  if (on ? Date.now() - typing_told_ms < TYPING_EVERY_MS : typing_told_ms === 0) return;
  typing_told_ms = on ? Date.now() : 0;
  tell("typing.set", { conversation_id: id, typing: on });
}

/** @param {string} id */
function send(id) {
  const { body, visibility, blocks = [], origin } = writingOf(id);
  const text = body.trim();
  if ((!text && !blocks.length) || [...text].length > LIMIT || aid.value?.holds(id)) return;
  tellTyping(id, false);
  post({ conversation_id: id, body: text, visibility, blocks, origin });
  clearTimeout(savers.get(id));
  write(id, { body: "", blocks: [], origin: undefined, state: "same", visibility: "public" });
  save(id);
}

/** @param {{ s: Summary }} props */
export function Composer({ s }) {
  const id = s.id;
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const { body, visibility, state, blocks = [] } = writingOf(id);
  const note = visibility === "private";
  const length = body.length > LIMIT - 600 ? [...body].length : body.length;
  const done = !isOpen(s);
  const shut = done && !note;
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const writes = document.activeElement !== null && [field.current, place.current].includes(/** @type {any} one of the two */ (document.activeElement));
  const enter = preference("enter_sends");
  const help = aid.value;

  useLayoutEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight + 2, Math.max(120, innerHeight * 0.34))}px`;
  }, [body, shut]);
  useLayoutEffect(() => {
    // The chat ends, or goes on, while somebody writes: the next keys are no commands, and no letters for somebody else.
    if (writes) (shut ? place : field).current?.focus();
  }, [shut]);
  const helped = useRef(help);
  useEffect(() => {
    // What was typed before the help had come is looked at now.
    if (help && !helped.current && field.current?.value && field.current === document.activeElement) help.typed(id, field.current);
    helped.current = help;
  }, [help]);
  const loaded = thread.value?.id === id && thread.value.state === "ready";
  useEffect(() => {
    if (loaded) join(id, thread.value?.draft ?? null);
  }, [loaded]);
  useEffect(() => () => {
    if (writings.peek().get(id)?.state === "changed") save(id);
    if (typing_told_ms) tellTyping(id, false);
  }, []);

  const keys = (/** @type {KeyboardEvent} */ e) => {
    if (e.isComposing || e.keyCode === 229) return; // Enter belongs to the input method while a word is composed
    if (help?.keys(e, id)) return;
    const modified = e.ctrlKey || e.metaKey;
    if (e.key === "Enter" && (modified || (enter && !e.shiftKey && !e.altKey))) {
      e.preventDefault();
      send(id);
    } else if (e.key === "Escape") {
      e.preventDefault();
      focusList();
    }
  };
  const tabs = /** @type {const} */ (["public", "private"]);
  const walk = (/** @type {KeyboardEvent} */ e) => {
    if (e.key !== "ArrowLeft" && e.key !== "ArrowRight") return;
    e.preventDefault();
    const next = note ? "public" : "private";
    write(id, { visibility: next });
    document.getElementById(`write-${next}`)?.focus();
  };
  const sendKeys = enter ? "↵" : apple ? "⌘ ↵" : "Ctrl ↵";
  const saved = !body ? "" : { same: "", changed: "", saving: "", saved: t("draft.saved"), unsaved: t("draft.unsaved") }[state];
  return html`<div class="dock">
    ${s.status === "open" && !s.assignee_id ? html`<div class="callout ask"><${Icon} name="hourglass" /><span>${t("composer.unclaimed")}</span><button type="button" class="btn" onClick=${() => claim(id)}><${Icon} name="hand" />${t("claim")}</button></div>` : null}
    ${s.status === "snoozed" ? html`<div class="callout ask"><${Icon} name="alarm-clock" /><span>${t("composer.snoozed")}</span><button type="button" class="btn" onClick=${() => reopen(id)}><${Icon} name="bell" />${t("wake")}</button></div>` : null}
    ${help && html`<${help.Above} id=${id} />`}
    <div class=${`composer ${note ? "private" : ""}`}>
      <div class="ctabs"><div role="tablist" aria-label=${t("composer.kind")} onKeyDown=${walk}>${tabs.map((kind) => html`<button type="button" role="tab" id=${`write-${kind}`} aria-selected=${visibility === kind} aria-controls="write" tabindex=${visibility === kind ? 0 : -1}
        aria-keyshortcuts=${kind === "public" ? "r" : "n"} onClick=${() => { write(id, { visibility: kind }); focusComposer(); }}>${kind === "private" ? html`<${Icon} name="lock" /> ` : null}${t(`composer.${kind}`)}</button>`)}</div>
        <span class="draft">${saved}</span></div>
      <div id="write" role="tabpanel" aria-labelledby=${`write-${visibility}`}>
      ${shut ? html`<div class="donebar" tabindex="-1" ref=${place}><${Icon} name="circle-check" /><span>${t(`composer.${s.status}`)}</span><button type="button" class="btn" onClick=${() => reopen(id)}><${Icon} name="rotate-ccw" />${t("reopen")}</button></div>` : html`${help && html`<${help.Marks} id=${id} />`}
      <textarea id="composer" ...${help?.field(id)} class="ta" ref=${field} rows="2" value=${body} lang=${textLanguage(body)} dir="auto" maxlength="20000"
        aria-label=${t(note ? "composer.note_label" : "composer.label", { name: customerName(s.customer) })} placeholder=${t(note ? "composer.note_hint" : "composer.hint")}
        aria-invalid=${length > LIMIT} aria-describedby="sendhint"
        onInput=${(/** @type {any} an input's event */ e) => {
          write(id, { body: e.target.value, state: "changed" });
          if (!note) tellTyping(id, e.target.value.length > 0);
          help?.typed(id, e.target);
        }} onKeyDown=${keys}></textarea>
      ${blocks.length ? html`<ul class="blocks">${blocks.map((block) => html`<li key=${block.sku}><${Icon} name="package" /><span>${block.title}</span><button type="button" aria-label=${t("composer.drop", { title: block.title })} onClick=${() => { write(id, { blocks: blocks.filter((other) => other !== block) }); focusComposer(); }}><${Icon} name="x" /></button></li>`)}</ul>` : null}
      <div class="cbar">
        <span class="hint" id="sendhint">${length > LIMIT - 600 ? html`<b class=${length > LIMIT ? "over" : ""}>${tn("composer.left", LIMIT - length)}</b>` : html`<span><kbd>${enter ? "Shift ↵" : "↵"}</kbd> ${t("composer.newline")}</span>${help?.hint(id)}`}</span>
        ${help ? html`<${help.Finders} id=${id} />` : null}<span class="sp"></span>
        <button type="button" class="btn primary" aria-keyshortcuts=${enter ? "Enter" : "Control+Enter"} aria-disabled=${(!body.trim() && !blocks.length) || length > LIMIT} onClick=${() => { send(id); focusComposer(); }}>
          <${Icon} name=${note ? "lock" : "send"} /><span>${t(note ? "composer.add_note" : link.value === "online" ? "send" : "send_later")}</span> <kbd aria-hidden="true">${sendKeys}</kbd></button>
      </div>`}
      </div>
    </div>
  </div>`;
}
