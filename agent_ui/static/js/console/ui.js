/** The smallest parts: icon, avatar, wait, menu, dialog. */
import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor.js";
import { now } from "./clock.js";
import { shop } from "./store.js";
import { waitLevel } from "./waits.js";
import { hue, initials, stopwatch, t } from "./words.js";

/** @typedef {import("./vendor.js").Child} Child */

const SPRITE = new URL("../../icons", import.meta.url).pathname;

/** @param {{ name: string, late?: boolean }} props late: from the icons that the list does without */
export const Icon = ({ name, late }) => html`<svg class="ic" aria-hidden="true"><use href=${`${SPRITE}${late ? "_more" : ""}.svg#i-${name}`} /></svg>`;

/**
 * Stands beside a name, so it says nothing itself. Without a name it shows a figure.
 * @param {{ id: string, name: string | null, size?: string, here?: string | false, badge?: string }} props
 */
export const Avatar = ({ id, name, size = "", here = false, badge = "" }) => html`<span class=${`av ${size} h${hue(id)}`} aria-hidden="true">
  ${name ? initials(name) : html`<${Icon} name="user-round" />`}
  ${here ? html`<span class=${`presence ${here}`}></span>` : null}
  ${badge ? html`<i><${Icon} name=${badge} /></i>` : null}
</span>`;

/** The sign and colour of a segment; the word is always beside them. @type {Record<string, [string, string]>} */
const SEGMENTS = {
  champions: ["gold", "crown"], loyal: ["blue", "gem"], potential_loyalist: ["violet", "trending-up"], new: ["teal", "sprout"],
  promising: ["teal", "sprout"], need_attention: ["red", "eye"], about_to_sleep: ["grey", "hourglass"], cant_lose: ["red", "life-buoy"],
  at_risk: ["red", "life-buoy"], hibernating: ["grey", "moon"],
};

/** What somebody is worth to the shop; who has not bought yet has no chip. @param {{ of: { segment?: string | null, top20?: boolean }, title?: string }} props */
export function Segment({ of, title }) {
  const look = SEGMENTS[of.segment ?? ""];
  return look ? html`<span class=${`seg ${look[0]}`} title=${title}><${Icon} name=${look[1]} /><span>${t(`seg.${of.segment}`)}</span>${of.top20 ? html`<${Icon} name="star" /><span class="sr">${t("seg.top20")}</span>` : null}</span>` : null;
}

/** A button that shows only an icon; its name is read and shown on hover. @param {{ icon: string, name: string, onClick: (e: Event) => void, cls?: string, keys?: string }} props */
export const IconButton = ({ icon, name, onClick, cls = "", keys }) => html`<button
  type="button" class=${`btn icon ${cls}`} aria-label=${name} aria-keyshortcuts=${keys} title=${keys ? `${name} (${keys})` : name} onClick=${onClick}
><${Icon} name=${icon} /></button>`;

/** @param {{ share: number, radius: number, width: number }} props share 0..1 of the way to the limit */
export function Ring({ share, radius, width }) {
  const size = 2 * (radius + width);
  const round = 2 * Math.PI * radius;
  const circle = (/** @type {object} */ extra) => html`<circle cx=${size / 2} cy=${size / 2} r=${radius} fill="none" stroke="currentColor" stroke-width=${width} ...${extra} />`;
  return html`<svg class="ring" viewBox=${`0 0 ${size} ${size}`} aria-hidden="true">
    ${circle({ "stroke-opacity": ".22" })}
    ${circle({ "stroke-dasharray": `${Math.min(1, share) * round} ${round}`, transform: `rotate(-90 ${size / 2} ${size / 2})` })}
  </svg>`;
}

/** How long someone waits, in three shapes: ring, tinted pill, solid pill with a triangle. @param {{ since: number }} props */
export function Wait({ since }) {
  const { targets } = shop.value;
  const wait = now.value - since;
  const level = waitLevel(wait, targets);
  return html`<span class=${`wait w${level}`}>
    ${level === 2 ? html`<${Icon} name="triangle-alert" />` : html`<${Ring} share=${wait / targets.limit_ms} radius=${5} width=${2.6} />`}
    <span class="sr">${t(`wait.level${level}`)} </span>${stopwatch(wait)}
  </span>`;
}

/**
 * A button and the menu it opens. Arrow keys walk, Escape and a click elsewhere close, focus returns to the button.
 * @param {{ label: Child, name?: string, cls?: string, at?: string, popup?: string, named?: boolean, keys?: string, openBy?: { value: string }, as?: string, items: (close: () => void) => Child }} props
 */
export function Menu({ label, name, cls = "btn", at = "right", popup, named = true, keys, openBy, as = "", items }) {
  const [open, setOpen] = useState(false);
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const entries = () => /** @type {HTMLElement[]} */ ([...(root.current?.querySelectorAll('[role^="menuitem"]') ?? [])]);
  const close = (refocus = true) => {
    setOpen(false);
    if (refocus) root.current?.querySelector("button")?.focus();
  };
  const asked = openBy?.value === as && as !== "";
  useEffect(() => {
    if (!asked || !openBy) return;
    openBy.value = "";
    setOpen(true);
  }, [asked]);
  useEffect(() => {
    if (!open) return;
    (entries().find((entry) => entry.getAttribute("aria-checked") === "true") ?? entries()[0])?.focus();
    const outside = (/** @type {Event} */ e) => {
      if (!root.current?.contains(/** @type {Node} */ (e.target))) close(false);
    };
    addEventListener("pointerdown", outside);
    addEventListener("focusin", outside);
    return () => {
      removeEventListener("pointerdown", outside);
      removeEventListener("focusin", outside);
    };
  }, [open]);
  const walk = (/** @type {KeyboardEvent} */ e) => {
    if (!open) return;
    const list = entries();
    const at = list.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowDown: (at + 1) % list.length, ArrowUp: (at - 1 + list.length) % list.length, Home: 0, End: list.length - 1 }[e.key];
    if (e.key === "Escape") close();
    else if (to !== undefined) list[to]?.focus();
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return html`<span class="pop" ref=${root} onKeyDown=${walk}>
    <button type="button" class=${cls} aria-haspopup="menu" aria-expanded=${open} aria-label=${named ? name : undefined} title=${name} aria-keyshortcuts=${keys} onClick=${() => setOpen(!open)}>${label}${named ? null : html`<span class="sr">${name}</span>`}</button>
    ${open ? html`<div class=${`menu ${at}`} role="menu" aria-label=${popup ?? name}>${items(() => close())}</div>` : null}
  </span>`;
}

/** @param {{ icon?: string, text: string, right?: string, keys?: string, checked?: boolean, kind?: "radio"|"checkbox", onClick: () => void }} props */
export const MenuItem = ({ icon, text, right, keys, checked, kind, onClick }) => html`<button
  type="button" role=${kind ? `menuitem${kind}` : "menuitem"} aria-checked=${kind ? String(Boolean(checked)) : undefined} tabindex="-1" onClick=${onClick}
>${icon ? html`<${Icon} name=${icon} />` : null}<span>${text}</span>${right ? html`<span class="right">${right}</span>` : null}
${keys ? html`<kbd>${keys}</kbd>` : null}${kind && checked ? html`<span class="right"><${Icon} name="check" /></span>` : null}</button>`;

/**
 * A modal dialog: focus goes in, stays in, and returns to where it was.
 * @param {{ title: string, onClose: () => void, cls?: string, children?: Child, footer?: Child, bare?: boolean }} props bare: without the visible heading
 */
export function Dialog({ title, onClose, cls = "", children, footer, bare = false }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useLayoutEffect(() => {
    const opener = /** @type {HTMLElement | null} */ (document.activeElement);
    box.current?.showModal();
    const element = box.current;
    return () => {
      element?.close();
      if (opener?.isConnected) opener.focus();
    };
  }, []);
  const backdrop = (/** @type {Event} */ e) => {
    if (e.target === box.current) onClose();
  };
  return html`<dialog class=${`dlg ${cls}`} ref=${box} aria-label=${title} onCancel=${(/** @type {Event} */ e) => { e.preventDefault(); onClose(); }} onMouseDown=${backdrop}>
    ${bare ? null : html`<header><h2>${title}</h2><${IconButton} icon="x" name=${t("close")} cls="quiet" onClick=${onClose} /></header>`}
    ${bare ? children : html`<div class="body">${children}</div>`}
    ${footer ? html`<footer>${footer}</footer>` : null}
  </dialog>`;
}

/** A sentence of the words file with what fills it in bold. @param {string} key @param {Record<string, Child>} words */
export function rich(key, words) {
  return t(key, Object.fromEntries(Object.keys(words).map((name) => [name, `{${name}}`])))
    .split(/\{(\w+)\}/)
    .map((piece, i) => (i % 2 ? html`<b>${words[piece]}</b>` : piece));
}

/** @param {{ icon: string, title: string, text?: string, children?: Child }} props */
export const Empty = ({ icon, title, text, children }) => html`<div class="empty"><${Icon} name=${icon} /><b>${title}</b>${text ? html`<p>${text}</p>` : null}${children}</div>`;
