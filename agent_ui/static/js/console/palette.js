/** One box for everything: type a name to jump to a conversation, or a word to do something. */
import { html, useRef, useState } from "./vendor.js";
import { conversations, current, me } from "./store.js";
import { claim, nextWaiting, reopen, resolve, setPresence } from "./actions.js";
import { isOpen, mayClaim } from "./waits.js";
import { prefer, preference } from "./preferences.js";
import { customerName, t } from "./words.js";
import { Avatar, Dialog } from "./ui.js";
import { Icon } from "./late_icon.js";
import { ask } from "./later.js";
import { focusComposer } from "./composer.js";
import { openMenu } from "./header.js";
import { lookFor, showTab } from "./list.js";
import { otherLanguage, signOut } from "./presence.js";
import { route } from "./route.js";

/** @typedef {{ id: string, text: string, icon?: string, face?: import("./vendor.js").Child, more?: string, keys?: string, run: () => void }} Entry */

const alt = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌥ A" : "Alt A";

/** What can be done now. @returns {Entry[]} */
function deeds() {
  const s = current.value;
  const id = s?.id ?? "";
  const open = s && isOpen(s);
  /** @type {(Entry | false | null | undefined)[]} */
  const list = [
    open && { id: "resolve", icon: "check", text: t("resolve"), keys: "E", run: () => resolve(id) },
    open && { id: "resolve_next", icon: "check-check", text: t("key.resolve_next"), run: () => resolve(id, { next: true }) },
    s && !open && { id: "reopen", icon: "rotate-ccw", text: t("reopen"), run: () => reopen(id) },
    s && mayClaim(s, me.value) && { id: "claim", icon: "hand", text: t(s.assignee_id ? "take_over" : "claim"), keys: "C", run: () => claim(id) },
    open && { id: "reply", icon: "message-circle", text: t("key.reply"), keys: "R", run: () => focusComposer("public") },
    s && { id: "note", icon: "lock", text: t("key.note"), keys: "N", run: () => focusComposer("private") },
    open && { id: "transfer", icon: "user-round-plus", text: t("transfer"), keys: "T", run: () => ask({ kind: "transfer", id }) },
    open && { id: "snooze", icon: "alarm-clock", text: t("snooze"), keys: "Z", run: () => { openMenu.value = "snooze"; } },
    s && { id: "ticket", icon: "ticket", text: t("ticket.make"), run: () => ask({ kind: "ticket", id }) },
    s && { id: "tags", icon: "tag", text: t("edit_tags"), run: () => ask({ kind: "tags", id }) },
    nextWaiting(id) !== null && { id: "next", icon: "timer", text: t("palette.next"), run: () => route(nextWaiting(id)) },
    { id: "articles", icon: "layers", text: t("find"), keys: alt, run: () => ask({ kind: "articles" }) },
    { id: "mine", icon: "inbox", text: t("palette.tab", { tab: t("tab.mine") }), run: () => showTab("mine") },
    { id: "queue", icon: "hourglass", text: t("palette.tab", { tab: t("tab.queue") }), run: () => showTab("queue") },
    ...(/** @type {const} */ (["online", "busy", "away", "offline"])).map((state) => me.value.status !== state && { id: state, icon: "circle-dot", text: t("palette.be", { state: t(`presence.${state}`) }), run: () => setPresence({ status: state }) }),
    { id: "knowledge", icon: "layers", text: t("knowledge"), run: () => location.assign("/knowledge") },
    { id: "tickets", icon: "ticket", text: t("ticket.all"), run: () => location.assign("/tickets") },
    { id: "reports", icon: "chart-column", text: t("reports"), run: () => location.assign("/reports") },
    me.value.role === "admin" && { id: "settings", icon: "settings", text: t("settings"), run: () => location.assign("/settings") },
    { id: "theme", icon: "sun-moon", text: t("palette.theme"), run: () => prefer("theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark") },
    { id: "language", icon: "languages", text: t("other_language"), run: otherLanguage },
    { id: "help", icon: "keyboard", text: t("help"), keys: "?", run: () => ask({ kind: "help" }) },
    { id: "sign_out", icon: "log-out", text: t("sign_out"), run: signOut },
  ];
  return list.filter((entry) => Boolean(entry)).map((entry) => /** @type {Entry} */ (entry));
}

/** @param {string} query @returns {Entry[]} */
function entries(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const match = (/** @type {string} */ text) => words.every((word) => text.toLowerCase().includes(word));
  const found = [];
  for (const s of conversations.values()) {
    if (!isOpen(s) && !words.length) continue;
    const name = customerName(s.customer);
    if (!match(`${name} ${s.last_message?.preview ?? ""} ${s.tags.join(" ")} ${s.id}`)) continue;
    found.push({ s, name });
  }
  found.sort((a, b) => Number(isOpen(b.s)) - Number(isOpen(a.s)) || b.s.last_activity_at_ms - a.s.last_activity_at_ms);
  /** @type {Entry[]} */
  const jumps = found.slice(0, words.length ? 8 : 5).map(({ s, name }) => ({
    id: `c-${s.id}`, text: name, more: s.last_message?.preview ?? "", face: html`<${Avatar} id=${s.customer.id} name=${s.customer.name} size="sm" />`, run: () => route(s.id),
  }));
  const acts = deeds().filter((entry) => match(entry.text));
  if (!words.length) return [...acts.slice(0, 9), ...jumps];
  return [...jumps, ...acts, { id: "search", icon: "search", text: t("palette.search", { query }), run: () => { lookFor(query); document.getElementById("search")?.focus(); } }];
}

/** @param {{ close: () => void }} props */
export function Palette({ close }) {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const all = entries(query.trim());
  const here = Math.min(at, all.length - 1);
  const run = (/** @type {Entry} */ entry) => {
    close();
    setTimeout(entry.run); // after the dialog has given the focus back
  };
  const move = (/** @type {number} */ to) => {
    const next = (to + all.length) % all.length;
    setAt(next);
    list.current?.children[next]?.scrollIntoView({ block: "nearest" });
  };
  const keys = (/** @type {KeyboardEvent} */ e) => {
    if (e.isComposing) return;
    if (e.key === "ArrowDown") move(here + 1);
    else if (e.key === "ArrowUp") move(here - 1);
    else if (e.key === "Enter") run(all[here]);
    else return;
    e.preventDefault();
  };
  return html`<${Dialog} title=${t("palette")} cls="palette" bare onClose=${close}>
    <div class="pbox"><${Icon} name="search" /><input autofocus type="text" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-activedescendant=${`p-${here}`} aria-autocomplete="list" autocomplete="off" spellcheck=${false}
      aria-label=${t("palette")} placeholder=${t("palette.hint")} value=${query} onInput=${(/** @type {any} an input's event */ e) => { setQuery(e.target.value); setAt(0); }} onKeyDown=${keys} /><kbd aria-hidden="true">Esc</kbd></div>
    <div class="menu still" role="listbox" id="palette-list" aria-label=${t("palette.results")} ref=${list}>
      ${all.map((entry, i) => html`<div key=${entry.id} class="option" id=${`p-${i}`} role="option" aria-selected=${i === here} onClick=${() => run(entry)} onPointerMove=${() => setAt(i)}>
        ${entry.face ?? html`<${Icon} name=${entry.icon} />`}<span class="nm">${entry.text}</span>${entry.more ? html`<span class="more">${entry.more}</span>` : null}${entry.keys ? html`<kbd>${entry.keys}</kbd>` : null}</div>`)}
    </div><//>`;
}
