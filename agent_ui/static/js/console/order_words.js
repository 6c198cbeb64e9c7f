/**
 * What an order's facts say in a reply, in the language of the conversation, whatever language the console has.
 * @typedef {import("./types.js").ShopOrder} ShopOrder
 */
import { fill, money } from "./words.js";

/** @type {Map<string, Promise<Record<string, string>>>} */
const sentences = new Map();

/** The sentences of the card in a language. @param {"en"|"zh"} locale */
function sentencesIn(locale) {
  const known = sentences.get(locale);
  if (known) return known;
  const found = fetch(new URL(`../../words/card.${locale}.json`, import.meta.url)).then((reply) => {
    if (!reply.ok) throw new Error("no words");
    return reply.json();
  });
  sentences.set(locale, found);
  found.catch(() => sentences.delete(locale));
  return found;
}

/**
 * The facts of an order as one would write them to its buyer.
 * @param {ShopOrder} order
 * @param {string | null} language of the conversation
 * @returns {Promise<string>}
 */
export async function orderFacts(order, language) {
  const locale = language?.toLowerCase().startsWith("zh") ? "zh" : "en";
  const words = await sentencesIn(locale);
  const tag = locale === "zh" ? "zh-CN" : "en-GB";
  const say = (/** @type {string} */ key, /** @type {Record<string, string | number | null>} */ values) =>
    fill(words[`say.${key}`], values);
  const day = (/** @type {number | null} */ at_ms) => at_ms === null ? "" : new Intl.DateTimeFormat(tag, { day: "numeric", month: locale === "zh" ? "long" : "short" }).format(at_ms);
  const amount = (/** @type {number} */ minor) => money(minor, order.currency, tag);
  const lines = order.lines.slice(0, 3).map((line) => say("line", { title: line.title, n: line.quantity })).join(words["say.and"]);
  const whole = say("order", { number: order.number, date: day(order.created_at_ms), lines, total: amount(order.total_minor) })
    .replace(/\(; /, "(").replace("（，", "（"); // an order of which no lines are known
  const values = {
    order: whole, shipped: day(order.shipped_at_ms), delivered: day(order.delivered_at_ms), due: day(order.promised_at_ms),
    tracking: order.tracking_number, carrier: order.carrier, url: order.tracking_url, refunded: amount(order.refunded_minor),
  };
  const parts = [say(order.state === "shipped" && order.shipped_at_ms ? "shipped_on" : order.state, values)];
  const underway = order.state === "paid" || order.state === "shipped";
  if (underway && order.promised_at_ms) parts.push(say(order.late ? "late" : "due", values));
  if (order.state === "shipped" && order.tracking_number) parts.push(say(order.carrier ? "carrier" : "tracking", values));
  if (order.state === "shipped" && order.tracking_url) parts.push(say("link", values));
  if (order.refunded_minor > 0 && order.state !== "refunded") parts.push(say("part_refunded", values));
  return parts.join("");
}
