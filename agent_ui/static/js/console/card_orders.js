/**
 * What a customer buys: the page they are on, their cart, their orders, prices they ask for, what goes with it.
 * @typedef {import("./types.js").Card} Card
 * @typedef {import("./types.js").ShopOrder} ShopOrder
 * @typedef {import("./types.js").Offered} Offered
 * @typedef {import("./types.js").Summary} Summary
 */
import { html } from "./vendor.js";
import { current, thread } from "./store.js";
import { now } from "./clock.js";
import { attach, insertText } from "./reply.js";
import { toastError } from "./toasts.js";
import { Mini, copy } from "./card_who.js";
import { inWords } from "./card_worth.js";
import { orderFacts } from "./order_words.js";
import { sideOpen } from "./later.js";
import { isOpen } from "./waits.js";
import { ago, money, safeLink, shortDate, t, textLanguage, tn } from "./words.js";
import { Icon } from "./late_icon.js";

const LINES_SHOWN = 2;
const STATE_LOOKS = {
  placed: ["", "hourglass"], paid: ["info", "package"], shipped: ["info", "truck"], delivered: ["ok", "check"],
  cancelled: ["", "ban"], refunded: ["warn", "rotate-ccw"],
};

/** The page they look at just now, if they agreed to that. @param {{ card: Card }} props */
function Live({ card }) {
  const seen = card.now;
  const here = Boolean(current.value?.customer_present);
  if (!seen) return null;
  const url = safeLink(seen.url);
  const title = seen.product?.title ?? seen.title ?? seen.url;
  if (seen.term) return html`<p class="live"><b>${t("now.search", { term: seen.term })}</b></p>`;
  return title ? html`<p class=${here ? "live" : "live gone"}><span>${t(here ? "now" : "now.before")}</span>${url ? html`<a href=${url} target="_blank" rel="noopener noreferrer">${title}</a>` : html`<b>${title}</b>`}</p>` : null;
}

/** @param {{ card: Card }} props */
function CartNow({ card }) {
  const cart = card.cart;
  if (!cart || !cart.lines.length) return null;
  const [first] = cart.lines;
  const at = ago(now.value - cart.updated_at_ms);
  const url = safeLink(cart.checkout_url);
  return html`<h3>${t(cart.abandoned ? "cart.abandoned" : "cart.now")}${url ? html`<button type="button" onClick=${() => copy(url, t("cart.now"))}>${t("cart.open")}</button>` : null}</h3>
    <div class=${`cart ${cart.abandoned ? "left" : ""}`}><span class="ph"><${Icon} name="shopping-cart" /></span>
      <div><b>${first.title ?? ""}${first.quantity ? ` × ${first.quantity}` : ""}</b><small>${cart.lines.length > 1 ? `${tn("cart.more", cart.lines.length - 1)} · ` : ""}${t(cart.abandoned ? "cart.left" : "cart.changed", { age: at })}</small></div>
      <span class="am">${money(cart.total_minor, cart.currency)}</span></div>`;
}

/** The language the shopper writes, which need not be their browser's. @param {Summary} s */
function spokenIn(s) {
  const said = thread.value?.events.filter((event) => event.kind === "message.posted" && event.data.message.author.kind === "customer") ?? [];
  return said.slice(-3).some((event) => textLanguage(event.data.message.body)) ? "zh" : s.locale ?? s.customer.locale;
}

/** @param {Summary} s @param {ShopOrder} order */
async function insertFacts(s, order) {
  try {
    const text = await orderFacts(order, spokenIn(s));
    sideOpen.value = false; // on a narrow screen the panel covers the reply
    insertText(s.id, text);
  } catch {
    toastError("offline");
  }
}

/** @param {{ order: ShopOrder }} props */
function State({ order }) {
  if (order.late) return html`<span class="st danger"><${Icon} name="triangle-alert" />${t("order.late")}</span>`;
  const [tone, icon] = STATE_LOOKS[order.state];
  return html`<span class=${`st ${tone}`}><${Icon} name=${icon} />${t(`order.${order.state}`)}</span>`;
}

/** @param {{ s: Summary, order: ShopOrder, first: boolean }} props */
function Order({ s, order, first }) {
  const day = (/** @type {number} */ at_ms) => shortDate(at_ms, now.peek());
  const { number, lines } = order;
  const full = first || order.state === "paid" || order.state === "shipped"; // of the others the facts alone are asked for
  const facts = [day(order.created_at_ms)];
  const due = order.promised_at_ms;
  if (due && (order.late || order.state === "paid" || order.state === "shipped")) facts.push(t(order.late ? "order.late_since" : "order.due", { date: day(due) }));
  else if (order.state === "delivered" && order.delivered_at_ms) facts.push(t("order.came", { date: day(order.delivered_at_ms) }));
  if (order.refunded_minor && order.state !== "refunded") facts.push(t("order.part_refunded", { amount: money(order.refunded_minor, order.currency) }));
  if (order.guest) facts.push(t("order.guest"));
  const url = safeLink(order.tracking_url);
  const tracking = order.tracking_number;
  return html`<li class=${order.late ? "is-late" : ""}>
    <div class="ord"><b>${number}${!full && isOpen(s) ? html` <${Mini} icon="corner-down-left" name=${`${t("order.insert")}: ${t("order.insert_hint", { number })}`} onClick=${() => insertFacts(s, order)} />` : null}</b><span class="am">${money(order.total_minor, order.currency)}</span>
      <small title=${facts.join(" · ")}>${facts.join(" · ")}</small><${State} order=${order} /></div>
    ${lines.length ? html`<ul class="what" aria-label=${t("order.lines")}>${lines.slice(0, LINES_SHOWN).map((line, i) => html`<li key=${i}><span title=${line.title}>${line.title}${line.quantity > 1 ? ` × ${line.quantity}` : ""}</span></li>`)}
      ${lines.length > LINES_SHOWN ? html`<li>${tn("order.more", lines.length - LINES_SHOWN)}</li>` : null}</ul>` : null}
    ${full ? html`<div class="oact">
      ${isOpen(s) ? html`<button type="button" class="btn" aria-label=${`${t("order.insert")}: ${t("order.insert_hint", { number })}`} title=${t("order.insert_hint", { number })} onClick=${() => insertFacts(s, order)}><${Icon} name="corner-down-left" />${t("order.insert")}</button>` : null}
      ${url ? html`<a class="btn" href=${url} target="_blank" rel="noopener noreferrer" aria-label=${`${t("order.track")}: ${t("order.track_hint", { number })}`} title=${t("order.track_hint", { number })}><${Icon} name="truck" />${t("order.track")}</a>` : null}
      ${tracking ? html`<button type="button" class="btn" aria-label=${`${t("order.copy")}: ${t("order.copy_hint", { number })}`} title=${`${order.carrier ?? ""} ${tracking}`.trim()} onClick=${() => copy(tracking, t("order.copy"))}><${Icon} name="copy" />${t("order.copy")}</button>` : null}
    </div>` : null}</li>`;
}

/** @param {Summary} s @param {Offered} item */
function sendCard(s, { sku, title, price_minor, currency, url, image_url }) {
  sideOpen.value = false;
  attach(s.id, {
    type: "product", sku, title,
    ...(price_minor !== null && currency ? { price_minor, currency } : {}),
    ...(safeLink(url) ? { url: url ?? "" } : {}), ...(safeLink(image_url) ? { image_url: image_url ?? "" } : {}),
  });
}

/** @param {{ s: Summary, item: Offered, more: string }} props */
const Goods = ({ s, item, more }) => html`<li><b>${item.title}</b>
  ${isOpen(s) ? html`<button type="button" class="btn" aria-label=${`${t("offer.insert")}: ${t("offer.insert_hint", { title: item.title })}`} title=${t("offer.insert_hint", { title: item.title })} onClick=${() => sendCard(s, item)}><${Icon} name="package" />${t("offer.insert")}</button>` : null}
  <small>${item.price_minor !== null && item.currency ? html`<span class="am">${money(item.price_minor, item.currency)}</span> · ` : null}${more}</small></li>`;

/** @param {{ s: Summary, card: Card }} props */
function Price({ s, card }) {
  const asked = card.price_question;
  if (!asked || asked.answered) return null;
  return html`<div class="sec"><h3>${t(asked.kind === "price" ? "price.asked" : `price.${asked.kind}`)}${asked.quantity ? html` <span>· ${t("price.quantity", { n: asked.quantity })}</span>` : null}</h3>
    ${asked.items.length ? html`<ul class="goods">${asked.items.map((item) => html`<${Goods} key=${item.sku} s=${s} item=${item}
      more=${[item.stock === null ? null : item.stock > 0 ? t("price.stock", { n: item.stock }) : t("price.no_stock"), t("price.as_of", { date: shortDate(item.as_of_ms, now.peek()) })].filter(Boolean).join(" · ")} />`)}</ul>` : html`<p class="none">${t("price.none")}</p>`}</div>`;
}

/** @param {{ s: Summary, card: Card }} props */
export function Purchases({ s, card }) {
  const { items, count } = card.orders;
  return html`<${Price} s=${s} card=${card} />
    ${card.now || card.cart?.lines.length ? html`<div class="sec"><${Live} card=${card} /><${CartNow} card=${card} /></div>` : null}
    <div class="sec"><h3>${t("orders")}${count ? html` <span class="n">· ${count}</span>` : null}${count > items.length ? html`<a href=${`/customers/${encodeURIComponent(card.person_id)}?kind=order`}>${t("orders.all")}</a>` : null}</h3>
      ${items.length ? html`<ul class="ords">${items.map((order, i) => html`<${Order} key=${order.id} s=${s} order=${order} first=${i === 0} />`)}</ul>` : html`<p class="none">${t("orders.none")}</p>`}</div>
    ${card.hints.length ? html`<div class="sec"><h3>${t("hints")}</h3><ul class="goods">${card.hints.map((item) => html`<${Goods} key=${item.sku} s=${s} item=${item} more=${inWords(item.why)} />`)}</ul></div>` : null}`;
}
