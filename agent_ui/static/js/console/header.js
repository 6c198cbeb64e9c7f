/**
 * Above the thread: who it is, how long they wait, and what can be done.
 * @typedef {import("./types.js").Summary} Summary
 */
import { html, signal } from "./vendor.js";
import { agents, me, shop } from "./store.js";
import { now } from "./clock.js";
import { claim, dismissWait, reopen, resolve, snooze, snoozeChoices } from "./actions.js";
import { isOpen, mayClaim, waitLevel } from "./waits.js";
import { customerName, moment, safeLink, stopwatch, t } from "./words.js";
import { Avatar, Icon, IconButton, Menu, MenuItem, Ring, Segment } from "./ui.js";
import { ask, sideOpen, toggleSide } from "./later.js";
import { leave } from "./route.js";

const narrow = matchMedia("(max-width: 1100px)"); // as in console.css: where the panel has no column

/** Set to the name of a menu to open it from the keyboard. */
export const openMenu = signal("");

/** @param {{ since: number }} props */
function Target({ since }) {
  const { targets } = shop.value;
  const wait = now.value - since;
  const level = waitLevel(wait, targets);
  return html`<div class=${`sla w${level}`} role="timer" aria-label=${t("sla.label", { goal: stopwatch(targets.limit_ms) })}>
    ${level === 2 ? html`<${Icon} name="triangle-alert" />` : html`<${Ring} share=${wait / targets.limit_ms} radius=${14} width=${4.5} />`}
    <div><b>${stopwatch(wait)}</b><span>${t("sla.goal", { goal: stopwatch(targets.limit_ms) })}</span></div></div>`;
}

/** @param {{ s: Summary }} props */
function Where({ s }) {
  const page = safeLink(s.entry_page?.url);
  const title = s.entry_page?.title || s.entry_page?.url;
  const agent = s.assignee_id && s.assignee_id !== me.value.id ? agents.value.get(s.assignee_id)?.name : null;
  return html`<div class="sub"><${Icon} name=${s.channel === "email" ? "mail" : "globe"} /> <span class="ch">${t(`channel.${s.channel === "email" ? "email" : "web"}`)}</span>${" "}
    ${title ? html`<span class="opt">· ${t("on_page")} ${page ? html`<a href=${page} target="_blank" rel="noopener noreferrer">${title}</a>` : title}</span> ` : null}
    ${agent ? html`<span>· ${t("with", { name: agent })}</span> ` : null}
    ${!s.customer_present && isOpen(s) ? html`<span>· ${t("not_here")}</span>` : null}</div>`;
}

/** @param {{ s: Summary, close: () => void }} props */
const SnoozeItems = ({ s, close }) => html`${snoozeChoices().map((choice) => html`<${MenuItem} icon="alarm-clock" text=${t(choice.key)} right=${moment(choice.at_ms, now.peek())} onClick=${() => { close(); snooze(s.id, choice.at_ms); }} />`)}
  <${MenuItem} icon="calendar" text=${t("snooze.pick")} onClick=${() => { close(); ask({ kind: "snooze", id: s.id }); }} />`;

/** @param {{ s: Summary }} props */
export function Header({ s }) {
  const open = isOpen(s);
  return html`<div class="thead">
    <${IconButton} icon="arrow-left" name=${t("back")} cls="back" onClick=${leave} />
    <${Avatar} id=${s.customer.id} name=${s.customer.name} here=${s.customer_present && "online"} />
    <div class="title"><h2><span>${customerName(s.customer)}</span><${Segment} of=${s.customer} />
      ${s.customer.verified ? html`<span class="st ok"><${Icon} name="shield-check" /><span>${t("identity.verified")}</span></span>` : null}
      ${open ? null : html`<span class="st">${t(`status.${s.status}`)}</span>`}
      ${s.status === "snoozed" && s.snoozed_until_ms ? html`<span class="st info"><${Icon} name="alarm-clock" /><span>${moment(s.snoozed_until_ms, now.peek())}</span></span>` : null}</h2>
      <${Where} s=${s} /></div>
    ${s.status === "open" && s.waiting_since_ms !== null ? html`<${Target} since=${s.waiting_since_ms} />` : null}
    ${mayClaim(s, me.value) ? html`<button type="button" class=${`btn ${s.assignee_id ? "opt" : "primary"}`} aria-keyshortcuts="c" title=${t("claim_hint")} onClick=${() => claim(s.id)}><${Icon} name="hand" /><span>${t(s.assignee_id ? "take_over" : "claim")}</span></button>` : null}
    ${open ? html`<${IconButton} icon="user-round-plus" name=${t("transfer")} keys="t" cls="opt" onClick=${() => ask({ kind: "transfer", id: s.id })} />
      <${Menu} cls="btn icon opt" name=${t("snooze")} keys="z" openBy=${openMenu} as="snooze" label=${html`<${Icon} name="alarm-clock" />`} items=${(/** @type {() => void} */ close) => html`<${SnoozeItems} s=${s} close=${close} />`} />` : null}
    <${Menu} cls="btn icon" name=${t("more")} label=${html`<${Icon} name="ellipsis" />`} items=${(/** @type {() => void} */ close) => {
      const item = (/** @type {string} */ icon, /** @type {string} */ key, /** @type {() => void} */ run, /** @type {string} */ keys = "") => html`<${MenuItem} icon=${icon} text=${t(key)} keys=${keys} onClick=${() => { close(); run(); }} />`;
      return [
        open && item("user-round-plus", "transfer", () => ask({ kind: "transfer", id: s.id }), "T"),
        open && item("alarm-clock", "snooze", () => ask({ kind: "snooze", id: s.id }), "Z"),
        mayClaim(s, me.value) && item("hand", s.assignee_id ? "take_over" : "claim", () => claim(s.id), "C"),
        open && s.waiting_since_ms !== null && item("thumbs-up", "dismiss", () => dismissWait(s.id)),
        item("tag", "edit_tags", () => ask({ kind: "tags", id: s.id })),
        narrow.matches && item("panel-right", "details", toggleSide),
        !open && item("rotate-ccw", "reopen", () => reopen(s.id)),
        open && html`<hr />`,
        open && item("ban", "spam", () => ask({ kind: "spam", id: s.id })),
      ];
    }} />
    <button type="button" class="btn icon sidebtn" aria-label=${t("details")} title=${t("details")} aria-expanded=${sideOpen.value} onClick=${toggleSide}><${Icon} name="panel-right" /></button>
    ${open ? html`<button type="button" class="btn resolve" aria-keyshortcuts="e" onClick=${() => resolve(s.id)}><${Icon} name="check" /><span>${t("resolve")}</span> <kbd aria-hidden="true">E</kbd></button>`
    : html`<button type="button" class="btn resolve" onClick=${() => reopen(s.id)}><${Icon} name="rotate-ccw" /><span>${t("reopen")}</span></button>`}
  </div>`;
}
