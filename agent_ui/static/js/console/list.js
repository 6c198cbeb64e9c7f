/** The conversation list: tabs, search, and rows of a fixed height of which only the visible ones exist. */
import { computed, effect, html, signal, untracked, useEffect, useLayoutEffect, useRef, useState } from "./vendor.js";
import { CommandError, command } from "./connection.js";
import { agents, conversations, counts, currentId, link, loadError, me, putFound, ready, resolved, resolvedToday, revision } from "./store.js";
import { loadDesk, loadResolved } from "./sync.js";
import { now } from "./clock.js";
import { arrange, hold, isOpen } from "./waits.js";
import { age, customerName, moment, t, textLanguage, tn } from "./words.js";
import { route } from "./route.js";
import { Avatar, Empty, Icon, Wait, Segment } from "./ui.js";
import { PresenceMenu } from "./presence.js";
import { SlowNotice } from "./notice.js";
import { errorText } from "./toasts.js";
import { focusComposer } from "./composer.js";

/**
 * @typedef {import("./types.js").Summary} Summary
 * @typedef {import("./waits.js").Group} Group
 * @typedef {import("./waits.js").Tab} Tab
 */

const HOLD_MS = 2000;
const HEAD = 36;
const phone = matchMedia("(max-width: 760px)");
const rowHeight = () => (phone.matches ? 92 : 84);

/** @type {Tab[]} */
const TABS = ["mine", "queue", "open", "resolved"];
export const tab = signal(/** @type {Tab} */ ("mine"));
/** The row that the keyboard stands on. */
export const cursor = signal(/** @type {string | null} */ (null));
export const search = signal({ query: "", ids: /** @type {string[]} */ ([]), state: /** @type {"idle"|"loading"|"ready"|"failed"} */ ("idle"), error: "" });

/** @type {{ value: Group[], peek(): Group[] }} */
const groups = signal(/** @type {Group[]} */ ([]));
const rows = computed(() => groups.value.flatMap((group) => group.ids));
let held_until = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let release;
let shownTab = "";

/** A hand is on the list: its order stays for a moment. */
function holdOrder() {
  held_until = Date.now() + HOLD_MS;
  clearTimeout(release);
  release = setTimeout(rearrange, HOLD_MS + 50);
}

function letGo() {
  held_until = 0;
  clearTimeout(release);
  rearrange();
}

function rearrange() {
  const { query, ids } = search.value;
  const fresh = query ? (ids.length ? [{ key: "found", ids }] : []) : arrange(tab.value, conversations.values(), me.value.id, resolved.value.ids);
  const kind = query ? "found" : tab.value;
  const same = kind === shownTab && Date.now() < held_until;
  shownTab = kind;
  const next = same ? hold(fresh, groups.peek()) : fresh;
  if (JSON.stringify(next) !== JSON.stringify(groups.peek())) groups.value = next;
}

effect(() => {
  revision.value;
  rearrange();
});
effect(() => {
  if (tab.value === "resolved" && resolved.value.state === "idle" && ready.value) loadResolved(false);
});

effect(() => {
  // What could not be looked for while the connection was down.
  if (link.value === "online") untracked(() => search.value.state === "failed" && lookFor(search.value.query));
});

let begun = false;
effect(() => {
  if (!ready.value || begun) return;
  begun = true;
  if (me.peek().role === "agent") return;
  // Who leads and answers nothing just now begins where people wait.
  const desk = [...conversations.values()];
  if (desk.some((s) => s.assignee_id === me.peek().id)) return;
  if (desk.some((s) => s.queued_at_ms !== null)) tab.value = "queue";
  else if (desk.length) tab.value = "open";
});

/** @param {Tab} to */
export function showTab(to) {
  begun = true; // whoever has chosen stays there
  clearSearch();
  tab.value = to;
}

/** @param {number} step @param {string | null} from @returns {string | null} */
function neighbour(step, from) {
  const ids = rows.value;
  if (!ids.length) return null;
  const at = from === null ? -1 : ids.indexOf(from);
  if (at < 0) return step > 0 ? ids[0] : ids[ids.length - 1];
  return ids[Math.max(0, Math.min(ids.length - 1, at + step))];
}

/** Set by the list while it is on the page: brings a row into view, and focus to it. */
let reveal = (/** @type {string} */ _id, /** @type {boolean} */ _focus) => {};

/** Moves the keyboard to another row. @param {number} step */
export function moveCursor(step) {
  const id = neighbour(step, cursor.value ?? currentId.value);
  if (!id) return;
  holdOrder();
  cursor.value = id;
  reveal(id, true);
}

/** Opens the conversation after or before the open one. @param {number} step */
export function openNeighbour(step) {
  const id = neighbour(step, currentId.value ?? cursor.value);
  if (!id || id === currentId.value) return;
  cursor.value = id;
  reveal(id, false);
  route(id);
}

/** Puts focus on the list's current row. */
export function focusList() {
  const id = cursor.value ?? currentId.value ?? rows.value[0];
  if (id) reveal(id, true);
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let typed;
/** @param {string} query */
export function lookFor(query) {
  clearTimeout(typed);
  search.value = { ...search.value, query: query.trimStart(), state: query.trim() ? "loading" : "idle", ids: query.trim() ? search.value.ids : [] };
  rearrange();
  if (query.trim()) typed = setTimeout(() => find(query.trim()), 250);
}

/** @param {string} query */
async function find(query) {
  const current = () => search.value.query.trim() === query;
  try {
    const reply = await command("conversation.list", { view: "all", query, limit: 50 });
    if (!current()) return;
    putFound(reply.conversations);
    search.value = { query: search.value.query, state: "ready", error: "", ids: reply.conversations.map((/** @type {Summary} */ s) => s.id) };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (current()) search.value = { ...search.value, state: "failed", error: error.code, ids: [] };
  }
  rearrange();
}

function clearSearch() {
  lookFor("");
}

const SearchBox = () => html`<label class="searchbox">
  <${Icon} name="search" /><span class="sr">${t("search.label")}</span>
  <input id="search" type="search" autocomplete="off" spellcheck=${false} placeholder=${t("search.placeholder")} value=${search.value.query} aria-keyshortcuts="/"
    onInput=${(/** @type {any} an input's event */ e) => lookFor(e.target.value)}
    onKeyDown=${(/** @type {KeyboardEvent} */ e) => {
      if (e.isComposing) return;
      if (e.key === "Escape") {
        clearSearch();
        focusList();
      } else if (e.key === "ArrowDown" || e.key === "Enter") {
        cursor.value = rows.value[0] ?? null;
        focusList();
      } else return;
      e.preventDefault();
    }} />
  <kbd aria-hidden="true">/</kbd>
</label>`;

function Tabs() {
  const number = { mine: counts.value.mine, queue: counts.value.queue, open: counts.value.open, resolved: resolvedToday.value };
  const walk = (/** @type {KeyboardEvent} */ e) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    e.preventDefault();
    e.stopPropagation();
    const next = TABS[(TABS.indexOf(tab.value) + step + TABS.length) % TABS.length];
    showTab(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${t("tabs")} onKeyDown=${walk}>
    ${TABS.map((key) => {
      const on = tab.value === key && !search.value.query;
      return html`<button type="button" role="tab" id=${`tab-${key}`} key=${key} aria-selected=${on} aria-controls="list" tabindex=${tab.value === key ? 0 : -1}
        onClick=${() => showTab(key)}>${t(`tab.${key}`)}${number[key] ? html` <b class=${key === "queue" ? "hot" : ""}>${number[key]}</b>` : null}
        ${key === "resolved" && number.resolved ? html`<span class="sr">${t("tab.resolved_today")}</span>` : null}</button>`;
    })}
  </div>`;
}

/** @param {{ at: number }} props */
const Age = ({ at }) => html`<span class="wait">${age(now.value - at)}</span>`;

/** @param {{ s: Summary }} props */
function Third({ s }) {
  const chips = s.customer.segment ? [html`<${Segment} of=${s.customer} />`] : [];
  if (s.status === "snoozed" && s.snoozed_until_ms) {
    chips.push(html`<span class="st info"><${Icon} name="alarm-clock" />${moment(s.snoozed_until_ms, now.peek())}</span>`);
  }
  if (s.rating) chips.push(html`<span class=${`st ${s.rating > 3 ? "ok" : s.rating < 3 ? "danger" : ""}`}><${Icon} name="star" /><span class="sr">${t("rating")} </span>${s.rating}</span>`);
  if (s.reopened && isOpen(s)) chips.push(html`<span class="st warn"><${Icon} name="rotate-ccw" />${t("reopened")}</span>`);
  if (s.assignee_id !== me.value.id && (tab.value !== "queue" || search.value.query)) {
    const name = s.assignee_id ? agents.value.get(s.assignee_id)?.name : isOpen(s) ? t("nobody") : null;
    if (name) chips.push(html`<span class="tag by"><${Icon} name="headset" />${name}</span>`);
  }
  for (const tag of s.tags.slice(0, 2)) chips.push(html`<span class="tag">${tag}</span>`);
  if (s.tags.length > 2) chips.push(html`<span class="tag">+${s.tags.length - 2}</span>`);
  if (chips.length < 2 && s.entry_page?.title) chips.push(html`<span class="from"><${Icon} name="store" />${s.entry_page.title}</span>`);
  return chips.length ? html`<span class="l3">${chips}</span>` : null;
}

/** @param {{ s: Summary, y: number, position: number, size: number, focusable: boolean }} props */
function Row({ s, y, position, size, focusable }) {
  const name = customerName(s.customer);
  const last = s.last_message;
  const waits = s.status === "open" && s.waiting_since_ms !== null;
  const open = (/** @type {MouseEvent} */ e) => {
    if (e.metaKey || e.ctrlKey || e.shiftKey || e.button) return; // a new tab: leave it to the browser
    e.preventDefault();
    cursor.value = s.id;
    route(s.id);
    if (!phone.matches) focusComposer();
  };
  return html`<li class="row" aria-setsize=${size} aria-posinset=${position} style=${{ transform: `translateY(${y}px)` }}>
    <a class=${`conv ${s.unanswered ? "unread" : ""}`} href=${`#c-${encodeURIComponent(s.id)}`} data-id=${s.id} tabindex=${focusable ? 0 : -1}
      aria-current=${s.id === currentId.value ? "true" : undefined} onClick=${open} onFocus=${() => { cursor.value = s.id; }} draggable=${false}>
      <${Avatar} id=${s.customer.id} name=${s.customer.name} badge=${s.channel === "email" ? "mail" : "globe"} />
      <span class="mid">
        <span class="l1"><span class="nm">${name}</span>
          ${s.customer.verified ? html`<span class="sure" title=${t("identity.verified")}><${Icon} name="shield-check" /><span class="sr">${t("identity.verified")}</span></span>` : null}
          ${waits ? html`<${Wait} since=${s.waiting_since_ms} />` : html`<${Age} at=${s.last_activity_at_ms} />`}</span>
        <span class="l2"><span class="tx" lang=${last ? textLanguage(last.preview) : undefined}>
          ${last && last.author_kind !== "customer" ? html`<${Icon} name=${last.visibility === "private" ? "lock" : "corner-down-left"} />${" "}` : null}${last?.preview ?? t("no_message")}</span>
          ${s.unanswered ? html`<span class="badge-n">${s.unanswered > 99 ? "99+" : s.unanswered}<span class="sr"> ${t("unanswered")}</span></span>` : null}</span>
        <${Third} s=${s} />
      </span>
    </a>
  </li>`;
}

function Skeleton() {
  return html`<div class="skeletons" aria-hidden="true">${[1, 2, 3, 4, 5, 6].map((i) => html`<div class="skeleton" key=${i}><i></i><b></b><b></b></div>`)}</div>`;
}

/** What stands in place of rows. */
function Nothing() {
  const { query, state, error } = search.value;
  if (loadError.value) return html`<${Empty} icon="triangle-alert" title=${t("list.failed")} text=${errorText(loadError.value)}><button type="button" class="btn" onClick=${loadDesk}><${Icon} name="refresh-cw" />${t("retry")}</button><//>`;
  if (!ready.value || state === "loading" || (tab.value === "resolved" && resolved.value.state === "loading")) return html`<${Skeleton} />`;
  if (query && state === "failed") return html`<${Empty} icon="triangle-alert" title=${t("search.failed")} text=${errorText(error)} />`;
  if (query) return html`<${Empty} icon="search" title=${t("search.none")} text=${t("search.none_hint")} />`;
  if (tab.value === "resolved" && resolved.value.state === "failed") {
    return html`<${Empty} icon="triangle-alert" title=${t("list.failed")}><button type="button" class="btn" onClick=${() => loadResolved(false)}><${Icon} name="refresh-cw" />${t("retry")}</button><//>`;
  }
  const away = tab.value === "mine" && me.value.status !== "online";
  return html`<${Empty} icon=${tab.value === "resolved" ? "circle-check" : "inbox"} title=${t(`empty.${tab.value}`)} text=${t(away ? "empty.away_hint" : `empty.${tab.value}_hint`)} />`;
}

function Rows() {
  const scroller = useRef(/** @type {HTMLElement | null} */ (null));
  const [view, setView] = useState({ top: 0, height: 900 });
  const held = useRef({ id: "", y: 0 });
  revision.value; // the rows below read the map itself
  const height = rowHeight();
  /** @type {{ key: string, y: number, head?: string, count?: number, id?: string, position?: number }[]} */
  const items = [];
  let y = 0, position = 0;
  for (const group of groups.value) {
    const partly = group.key === "resolved" && resolved.value.next_before_ms !== null;
    items.push({ key: `head-${group.key}`, y, head: group.key, count: partly ? undefined : group.ids.length });
    y += HEAD;
    for (const id of group.ids) {
      items.push({ key: id, y, id, position: (position += 1) });
      y += height;
    }
  }
  const focusable = cursor.value && rows.value.includes(cursor.value) ? cursor.value : currentId.value && rows.value.includes(currentId.value) ? currentId.value : rows.value[0];
  const from = view.top - 3 * height, to = view.top + view.height + 3 * height;
  const shown = items.filter((item) => (item.y + height > from && item.y < to) || item.id === focusable);
  const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.id;

  reveal = (id, focus) => {
    const box = scroller.current;
    const item = items.find((other) => other.id === id);
    if (!box || !item) return;
    const top = items[items.indexOf(item) - 1]?.head ? item.y - HEAD : item.y;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (item.y + height > box.scrollTop + box.clientHeight) box.scrollTop = item.y + height - box.clientHeight;
    setView({ top: box.scrollTop, height: box.clientHeight });
    if (!focus) return;
    const there = rowElement(id);
    // At once where the row exists, so that a quick Enter opens this one; else when it has been drawn.
    if (there) there.focus({ preventScroll: true });
    else requestAnimationFrame(() => rowElement(id)?.focus({ preventScroll: true }));
  };
  const rowElement = (/** @type {string} */ id) => /** @type {HTMLElement | null | undefined} */ (scroller.current?.querySelector(`[data-id="${CSS.escape(id)}"]`));

  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const measure = () => setView((last) => (last.top === box.scrollTop && last.height === box.clientHeight ? last : { top: box.scrollTop, height: box.clientHeight }));
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(box);
    return () => watcher.disconnect();
  }, []);
  useLayoutEffect(() => {
    const box = scroller.current;
    // Moving a row in the document takes its focus away, and re-sorting moves it on the screen: both are put right here.
    if (focused && document.activeElement === document.body) rowElement(focused)?.focus({ preventScroll: true });
    const item = focused ? items.find((other) => other.id === focused) : undefined;
    if (box && item && held.current.id === item.id && held.current.y !== item.y) box.scrollTop += item.y - held.current.y;
    held.current = { id: item?.id ?? "", y: item?.y ?? 0 };
    if (tab.value === "resolved" && !search.value.query && resolved.value.state === "ready" && resolved.value.next_before_ms !== null && view.top + view.height > y - 600) loadResolved(true);
  });
  const scrolled = () => {
    const box = scroller.current;
    if (box) setView({ top: box.scrollTop, height: box.clientHeight });
  };
  const keys = (/** @type {KeyboardEvent} */ e) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -1e9, End: 1e9 }[e.key];
    if (!step || e.altKey || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    moveCursor(step);
  };
  return html`<div class="scroll" id="list" role="tabpanel" tabindex="-1" aria-label=${search.value.query ? t("search.results") : t(`tab.${tab.value}`)} aria-busy=${!ready.value}
    ref=${scroller} onScroll=${scrolled} onKeyDown=${keys} onPointerMove=${holdOrder} onPointerLeave=${letGo}>
    ${items.length ? html`<ul class="rows" role="list" style=${{ height: `${y}px` }}>
      ${shown.map((item) => {
        if (item.head) return html`<li class="row head" key=${item.key} style=${{ transform: `translateY(${item.y}px)` }}><h3 class="group">${t(`group.${item.head}`)} <span>${item.count}</span></h3></li>`;
        const s = conversations.get(item.id ?? "");
        return s ? html`<${Row} key=${item.key} s=${s} y=${item.y} position=${item.position} size=${rows.value.length} focusable=${item.id === focusable} />` : null;
      })}
    </ul>` : html`<${Nothing} />`}
  </div>`;
}

export function List() {
  useEffect(() => {
    const n = counts.value.waiting;
    document.title = `${n ? `(${n}) ` : ""}${t("title")}`;
  }, [counts.value.waiting]);
  return html`<section class="list" aria-label=${t("list")}>
    <header>
      <div class="lh"><h2>${t("inbox")}</h2><${PresenceMenu} /></div>
      <${SearchBox} />
      <${Tabs} />
    </header>
    <${Rows} />
    <div class="sr" role="status">${search.value.query && search.value.state === "ready" ? tn("search.found", search.value.ids.length) : ""}</div>
    <${SlowNotice} />
  </section>`;
}
