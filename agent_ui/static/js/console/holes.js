/** What a canned reply leaves open, {order.tracking}: marked where it stands, named above the field, and not sent. */
import { html, signal, useEffect, useLayoutEffect, useRef } from "./vendor.js";
import { write, writingOf } from "./composer.js";
import { t } from "./words.js";
import { Icon } from "./ui.js";

// The same rule as server/domain/variables.py.
const HOLE = /\{ *((?:customer|order|agent|shop)\.[a-z_]+) *\}/g;
const NAMES = new Set(["customer.name", "order.number", "order.date", "order.items", "order.total", "order.carrier", "order.tracking", "order.tracking_url", "order.refund", "order.refund_date", "agent.name", "shop.name"]);
/** The conversation of which a reply was held back. */
const held = signal(/** @type {string | null} */ (null));

/** @param {string} text @returns {{ name: string, from: number, to: number }[]} */
export const holesIn = (text) => [...text.matchAll(HOLE)].map((found) => ({ name: found[1], from: found.index, to: found.index + found[0].length }));

/** @param {string} name what people call a variable */
const called = (name) => (NAMES.has(name) ? t(`var.${name}`) : name);

const field = () => /** @type {HTMLTextAreaElement | null} */ (document.getElementById("composer"));

/** Marks a stretch of the reply, so that the next key takes its place. @param {{ from: number, to: number }} hole */
export function select(hole) {
  const area = field();
  area?.focus();
  area?.setSelectionRange(hole.from, hole.to);
}

/** The open places of the reply being written; notes may say anything. @param {string} id */
function openOf(id) {
  const { body, visibility } = writingOf(id);
  return visibility === "public" ? holesIn(body) : [];
}

/** Whether the reply may not go out yet; leads to the first open place. @param {string} id */
export function holds(id) {
  const [first] = openOf(id);
  if (!first) return false;
  held.value = id;
  select(first);
  return true;
}

/** What is still open, each a button that leads there, with another that takes it out. @param {{ id: string }} props */
export function Holes({ id }) {
  const open = openOf(id);
  const any = open.length > 0;
  useEffect(() => {
    if (!any && held.value === id) held.value = null;
  }, [any, id]);
  const remove = (/** @type {{ name: string }} */ { name }) => {
    const { body } = writingOf(id);
    const again = holesIn(body).reverse().filter((hole) => hole.name === name);
    write(id, { body: again.reduce((text, hole) => text.slice(0, hole.from).replace(/ $/, "") + text.slice(hole.to), body), state: "changed" });
    field()?.focus();
  };
  const once = open.filter((hole, i) => open.findIndex((other) => other.name === hole.name) === i);
  return html`<div class="holes" role="status">${any ? html`<div class="holebox"><${Icon} name="triangle-alert" /><span>${t(held.value === id ? "hole.held" : "hole.open")}</span>
    <ul>${once.map((hole) => html`<li key=${hole.name}><button type="button" class="hole" title=${`{${hole.name}}`} aria-label=${t("hole.fill", { name: called(hole.name) })} onClick=${() => select(hole)}>${called(hole.name)}</button>
      <button type="button" class="out" aria-label=${t("hole.remove", { name: called(hole.name) })} title=${t("hole.remove", { name: called(hole.name) })} onClick=${() => remove(hole)}><${Icon} name="x" /></button></li>`)}</ul></div>` : null}</div>`;
}

/** Red marks behind the words of the field, which shows through. @param {{ id: string }} props */
export function Marks({ id }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const { body } = writingOf(id);
  const open = openOf(id);
  const any = open.length > 0;
  useLayoutEffect(() => {
    const area = field();
    const marks = box.current;
    if (!area || !marks) return;
    const follow = () => {
      marks.style.width = `${area.clientWidth}px`;
      marks.style.height = `${area.clientHeight}px`;
      marks.scrollTop = area.scrollTop;
    };
    follow();
    const watcher = new ResizeObserver(follow);
    watcher.observe(area);
    area.addEventListener("scroll", follow);
    return () => {
      watcher.disconnect();
      area.removeEventListener("scroll", follow);
    };
  }, [any, body]);
  if (!any) return null;
  let end = 0;
  const pieces = open.map((hole) => {
    const piece = [body.slice(end, hole.from), html`<mark>${body.slice(hole.from, hole.to)}</mark>`];
    end = hole.to;
    return piece;
  });
  return html`<div class="marks" aria-hidden="true" dir="auto" ref=${box}>${pieces}${body.slice(end)}${"\n"}</div>`;
}
