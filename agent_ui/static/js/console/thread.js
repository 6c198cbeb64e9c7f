/**
 * The conversation itself: messages, notes, quiet lines of what happened, and what is still on its way.
 * @typedef {import("./types.js").Message} Message
 * @typedef {import("./types.js").Envelope} Envelope
 * @typedef {import("./types.js").OutboxEntry} OutboxEntry
 * @typedef {import("./types.js").Turn} Turn
 */
import { computed, html, useEffect, useLayoutEffect, useRef, useState } from "./vendor.js";
import { current, currentId, link, me, outbox, thread, typing } from "./store.js";
import { loadEarlier, retryThread } from "./sync.js";
import { discard, retry } from "./outbox.js";
import { now } from "./clock.js";
import { clockTime, customerName, dayName, daysBetween, fullTime, linkify, money, safeLink, stopwatch, t, textLanguage, tn, together } from "./words.js";
import { Avatar, Empty, Icon } from "./ui.js";
import { errorText } from "./toasts.js";
import { Header } from "./header.js";
import { Composer, aid, takeBack } from "./composer.js";
import { pointed, route } from "./route.js";

const TOGETHER_MS = 5 * 60_000;
const NEAR_END_PX = 90;

/**
 * @typedef {{ kind: "day", key: string, at_ms: number }
 *   | { kind: "line", key: string, event: Envelope }
 *   | { kind: "message", key: string, message: Message, seq: number, last: boolean, entry: OutboxEntry | null, turn: Turn | undefined }} Item
 */

/** The open thread as a list of things to draw. */
const items = computed(() => {
  const open = thread.value;
  if (!open) return [];
  const turns = new Map(open.turns.map((turn) => [turn.reply_message_id, turn]));
  /** @type {Item[]} */
  const list = [];
  /** @param {number} at_ms */
  const place = (at_ms) => {
    const before = list[list.length - 1];
    const last = before && (before.kind === "line" ? before.event.at_ms : before.kind === "message" ? before.message.at_ms : before.at_ms);
    if (last === undefined || daysBetween(last, at_ms) !== 0) list.push({ kind: "day", key: `day-${new Date(at_ms).toDateString()}-${list.length}`, at_ms });
  };
  /** @param {Message} message @param {number} seq @param {OutboxEntry | null} entry */
  const addMessage = (message, seq, entry) => {
    place(message.at_ms);
    const before = list[list.length - 1];
    if (before?.kind === "message" && before.message.author.id === message.author.id && before.message.visibility === message.visibility
      && message.at_ms - before.message.at_ms < TOGETHER_MS && !before.turn && !before.entry === !entry) before.last = false;
    list.push({ kind: "message", key: `${message.author.id} ${message.client_id || message.id}`, message, seq, last: true, entry, turn: turns.get(message.id) });
  };
  const help = aid.value;
  for (const event of help?.withTried(open.events) ?? open.events) {
    if (event.kind === "message.posted") {
      addMessage(event.data.message, event.conversation_seq, null);
    } else if (help?.lineOf(event)) {
      const before = list[list.length - 1];
      // Someone who comes and goes is one line: the latest.
      if (/^customer\.(left|returned)$/.test(event.kind) && before?.kind === "line" && /^customer\./.test(before.event.kind)) list.pop();
      place(event.at_ms);
      list.push({ kind: "line", key: `e${event.conversation_seq}`, event });
    }
  }
  for (const entry of outbox.value) {
    if (entry.conversation_id !== open.id) continue;
    const author = { kind: /** @type {const} */ ("agent"), id: me.value.id, name: me.value.name };
    addMessage({ id: entry.client_id, client_id: entry.client_id, body: entry.body, blocks: entry.blocks ?? null, visibility: entry.visibility, origin: "typed", author, at_ms: entry.at_ms }, Infinity, entry);
  }
  return list;
});

/** Up to which event the customer has read. */
const readUpTo = computed(() => {
  const open = thread.value;
  const marks = new Set(open?.read_marks.filter((mark) => mark.reader.kind === "customer").map((mark) => mark.message_id));
  return open?.events.reduce((seq, event) => (event.kind === "message.posted" && marks.has(event.data.message.id) ? event.conversation_seq : seq), 0) ?? 0;
});

/** @param {{ text: string }} props */
const Text = ({ text }) => html`<p lang=${textLanguage(text)} dir="auto">${linkify(text).map((piece) =>
  piece.href ? html`<a href=${piece.href} target="_blank" rel="noopener noreferrer nofollow">${piece.text}</a>` : piece.text)}</p>`;

/** @param {{ block: import("./types.js").Block }} props */
function Block({ block }) {
  if (block.type === "file" || block.type === "mail") return aid.value && html`<${aid.value.Came} block=${block} />`;
  const url = safeLink(block.url ?? block.image_url);
  const title = block.title ?? block.alt ?? block.url ?? "";
  const icon = { product: "package", image: "image", link: "link" }[block.type];
  if (!icon || !title) return null;
  const price = block.price ?? (block.price_minor !== undefined && block.currency
    ? money(block.price_minor, block.currency) : "");
  return html`<div class="pcard"><span class="ph"><${Icon} name=${icon} /></span><span>
    <b>${url ? html`<a href=${url} target="_blank" rel="noopener noreferrer nofollow">${title}</a>` : title}</b>
    ${block.sku ? html`<small>${block.sku}</small>` : null}${price ? html`<span class="pr">${price}</span>` : null}</span></div>`;
}

/** @param {{ item: Extract<Item, { kind: "message" }>, read: boolean }} props */
function Meta({ item, read }) {
  const { message, entry, turn } = item;
  const out = message.author.kind !== "customer";
  const words = [html`<time datetime=${new Date(message.at_ms).toISOString()} title=${fullTime(message.at_ms)}>${clockTime(message.at_ms)}</time>`];
  if (out && message.author.id !== me.value.id && message.author.name) words.push(html`<span>${message.author.name}</span>`);
  if (turn?.elapsed_ms != null) words.push(html`<span>${t(turn.is_first_in_session ? "meta.first_reply" : "meta.reply", { time: stopwatch(turn.elapsed_ms) })}</span>`);
  if (out && message.visibility === "public") {
    const state = entry ? entry.state : read ? "read" : "sent";
    const icon = { sending: "clock", waiting: "clock", failed: "circle-x", sent: "check", read: "check-check" }[state];
    words.push(html`<span class="state">${t(state === "waiting" && link.value === "online" ? "meta.again" : `meta.${state}`)} <${Icon} name=${icon} /></span>`);
  }
  return html`<div class=${`meta ${out ? "r" : ""}`}>${words.map((word, i) => (i ? [" · ", word] : word))}</div>`;
}

/** @param {{ entry: OutboxEntry }} props */
const Failed = ({ entry }) => html`<div class="failed" role="group" aria-label=${t("meta.failed")}><${Icon} name="triangle-alert" /><span>${t("meta.failed")} ${errorText(entry.error ?? "internal")}</span>
  <button type="button" class="btn" onClick=${() => retry(entry)}><${Icon} name="refresh-cw" />${t("retry")}</button>
  <button type="button" class="btn" onClick=${() => { discard(entry); takeBack(entry); }}><${Icon} name="pencil" />${t("edit")}</button>
  <button type="button" class="btn" onClick=${() => discard(entry)}>${t("discard")}</button></div>`;

/** @param {{ item: Extract<Item, { kind: "message" }>, customer: { id: string, name: string | null } }} props */
function MessageItem({ item, customer }) {
  const { message, entry, last } = item;
  const out = message.author.kind !== "customer";
  const failed = entry?.state === "failed" ? html`<${Failed} entry=${entry} />` : null;
  if (message.visibility === "private") {
    return html`<div class=${`note ${entry ? "unsent" : ""}`} id=${`m-${message.id}`}><${Icon} name="lock" /><div>
      ${message.author.name ? html`<b>${message.author.name}</b> · ` : null}${t("note")} · <time datetime=${new Date(message.at_ms).toISOString()} title=${fullTime(message.at_ms)}>${clockTime(message.at_ms)}</time>
      ${entry && !failed ? html` · ${t(`meta.${entry.state}`)}` : null}${message.body ? html`<${Text} text=${message.body} />` : null}${(message.blocks ?? []).map((block) => html`<${Block} block=${block} />`)}</div></div>${failed}`;
  }
  const name = out ? message.author.name : customer.name;
  const id = out ? message.author.id : customer.id;
  return html`<div class=${`msg ${out ? "out" : "in"} ${entry && entry.state !== "sent" ? "unsent" : ""}`} id=${`m-${message.id}`}>
      ${last ? !id || message.author.kind === "bot" ? html`<span class="av sm" aria-hidden="true"><${Icon} name="bot" /></span>` : html`<${Avatar} id=${id} name=${name} size="sm" />` : html`<span class="gap"></span>`}
      <div class="bub"><span class="sr">${out ? message.author.name : customerName(customer)}: </span>
        ${message.body ? html`<${Text} text=${message.body} />` : null}${(message.blocks ?? []).map((block) => html`<${Block} block=${block} />`)}</div>
    </div>${failed ?? (last ? html`<${Meta} item=${item} read=${out && item.seq <= readUpTo.value} />` : null)}`;
}

/** @param {{ event: Envelope }} props */
function Line({ event }) {
  const line = aid.value?.lineOf(event);
  return line && html`<div class="ev"><${Icon} name=${line.icon} /><span>${line.text} · <time datetime=${new Date(event.at_ms).toISOString()} title=${fullTime(event.at_ms)}>${clockTime(event.at_ms)}</time></span></div>`;
}

/** @param {{ customer: { id: string, name: string | null } }} props */
function CustomerTyping({ customer }) {
  const writes = [...typing.value.values()].some((entry) => entry.conversation_id === currentId.value && entry.actor.kind === "customer");
  return writes ? html`<div class="msg in"><${Avatar} id=${customer.id} name=${customer.name} size="sm" />
    <div class="bub typing" role="img" aria-label=${t("typing", { name: customerName(customer) })}><i></i><i></i><i></i></div></div>` : null;
}

/** Colleagues who look at this conversation, or write in it. */
function Viewing() {
  const open = thread.value;
  const writers = [...typing.value.values()].filter((entry) => entry.conversation_id === currentId.value && entry.actor.kind === "agent" && entry.actor.id !== me.value.id).map((entry) => entry.actor.name ?? "");
  const viewers = (open?.viewing ?? []).filter((agent) => agent.id !== me.value.id).map((agent) => agent.name);
  if (writers.length) return html`<div class="viewing"><${Icon} name="pencil" /> ${tn("colleague_typing", writers.length, { name: together(writers) })}</div>`;
  if (viewers.length) return html`<div class="viewing"><${Icon} name="eye" /> ${tn("colleague_viewing", viewers.length, { name: together(viewers) })}</div>`;
  return null;
}

/** @param {HTMLElement} log */
const nearEnd = (log) => log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;

/** @param {{ customer: { id: string, name: string | null } }} props */
function Log({ customer }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const state = useRef({ id: "", at_end: true, top: 0, height: 0, first: "", seen: 0 });
  const [unseen, setUnseen] = useState(0);
  const open = thread.value;
  const list = items.value;
  const sought = pointed.value;
  const writes = typing.value.size;
  const messages = list.filter((item) => item.kind === "message").length;

  /** Whether the end is read. The browser tells of a scroll only with the next frame: who is above the place that was noted has left it already.
   * @param {HTMLElement} log */
  const readsEnd = (log) => nearEnd(log) || (state.current.at_end && log.scrollTop >= state.current.top);
  /** @param {HTMLElement} log @param {boolean} at_end */
  const note = (log, at_end) => Object.assign(state.current, { at_end, top: log.scrollTop });
  const toEnd = () => {
    const log = box.current;
    if (log) {
      log.scrollTop = log.scrollHeight;
      note(log, true);
    }
    setUnseen(0);
  };
  useLayoutEffect(() => {
    const log = box.current;
    if (!log || !open) return;
    const last = state.current;
    const first = list[1]?.key ?? "";
    const target = sought ? document.getElementById(`m-${sought}`) : null;
    const mineIsLast = Boolean(outbox.value.length && outbox.value[outbox.value.length - 1].conversation_id === open.id);
    if (target) {
      target.scrollIntoView({ block: "center" });
      target.classList.add("pointed");
      pointed.value = null;
      note(log, false);
    } else if (sought && open.state === "ready" && !open.complete) {
      loadEarlier();
    } else if (last.id !== open.id || (first === last.first && readsEnd(log)) || (mineIsLast && messages > last.seen)) {
      toEnd();
    } else if (first !== last.first && log.scrollHeight > last.height) {
      log.scrollTop += log.scrollHeight - last.height; // older ones came on top: what is read stays where it is
    } else if (messages > last.seen) {
      setUnseen(unseen + messages - last.seen);
    }
    Object.assign(last, { id: open.state === "loading" ? "" : open.id, height: log.scrollHeight, first, seen: messages });
    if (open.state === "ready" && !open.complete && log.scrollHeight <= log.clientHeight + 100) loadEarlier();
  }, [list, writes, sought]);
  useEffect(() => {
    const log = box.current;
    if (!log) return;
    // The composer grows and the phone's keyboard opens: whoever reads the end stays at the end.
    const watcher = new ResizeObserver(() => {
      if (readsEnd(log)) log.scrollTop = log.scrollHeight;
    });
    watcher.observe(log);
    return () => watcher.disconnect();
  }, []);
  const scrolled = () => {
    const log = box.current;
    if (!log) return;
    note(log, nearEnd(log));
    if (state.current.at_end) setUnseen(0);
    if (log.scrollTop < 240) loadEarlier();
  };
  return html`<div class="logbox">
    <div class="log" id="log" role="log" aria-live="off" aria-label=${t("log", { name: customerName(customer) })} tabindex="0" ref=${box} onScroll=${scrolled} aria-busy=${open?.state === "loading"}>
      ${open?.state === "loading" ? html`<div class="skeletons talk" aria-hidden="true"><i></i><i></i><i></i><i></i></div>` : null}
      ${open?.state === "ready" && !open.complete ? html`<button type="button" class="btn quiet earlier" onClick=${loadEarlier}><${Icon} name="arrow-up" />${t("earlier")}</button>` : null}
      ${list.map((item) => (item.kind === "day" ? html`<h3 class="day" key=${item.key}>${dayName(item.at_ms, now.peek())}</h3>`
        : item.kind === "line" ? html`<${Line} key=${item.key} event=${item.event} />`
        : html`<${MessageItem} key=${item.key} item=${item} customer=${customer} />`))}
      <${CustomerTyping} customer=${customer} />
    </div>
    ${unseen ? html`<button type="button" class="btn jump" onClick=${toEnd}><${Icon} name="arrow-down" />${tn("new_messages", unseen)}</button>` : null}
  </div>`;
}

export function Thread() {
  const id = currentId.value;
  const summary = current.value;
  const open = thread.value;
  if (!id || !open) {
    return html`<section class="thread none" aria-label=${t("conversation")}><${Empty} icon="message-circle" title=${t("pick")} text=${t("pick_hint")}>
      <p class="keys"><kbd>J</kbd> <kbd>K</kbd> ${t("pick_keys")} <kbd>?</kbd> ${t("pick_help")}</p><//></section>`;
  }
  if (open.state === "failed") {
    return html`<section class="thread none" aria-label=${t("conversation")}><${Empty} icon="triangle-alert" title=${t("thread.failed")} text=${errorText(open.error ?? "internal")}>
      <p class="keys"><button type="button" class="btn" onClick=${retryThread}><${Icon} name="refresh-cw" />${t("retry")}</button>
      <button type="button" class="btn" onClick=${() => route(null)}>${t("back")}</button></p><//></section>`;
  }
  if (!summary) return html`<section class="thread none" aria-label=${t("conversation")}><div class="skeletons talk" aria-hidden="true"><i></i><i></i><i></i><i></i></div></section>`;
  return html`<section class="thread" aria-label=${t("conversation")} key=${id}>
    <${Header} s=${summary} />
    <${Viewing} />
    <${Log} customer=${summary.customer} />
    <${Composer} s=${summary} key=${id} />
  </section>`;
}
