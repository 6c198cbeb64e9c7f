import { drawing, element } from "./element.js";
import { BOX, picture, price } from "./goods.js";
import { anchor, safeUrl } from "./links.js";

const MOST = 10;
const LINK = "M15 3h6v6M10 14 21 3M18 13v6a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V8a2 2 0 0 1 2-2h6";

/** @type {Record<string, (block: Block, say: Say, locale: Locale) => HTMLElement | null>} */
const KINDS = {
  product(block, say, locale) {
    const image = safeUrl(block.image_url);
    const words = element(
      "span",
      {},
      element("b", {}, block.title || block.sku || ""),
      element("small", {}, block.sku || ""),
      block.sku && price(block, locale) ? " · " : "",
      element("span", { class: "price" }, price(block, locale)),
    );
    return card(block, say, image ? picture(image, "") : drawing(BOX, "box"), words);
  },
  link: (block, say) =>
    safeUrl(block.url)
      ? card(block, say, drawing(LINK, "link"), element("span", {}, element("b", {}, block.title || ""), element("small", {}, new URL(String(block.url)).host)))
      : null,
  image(block, say) {
    const src = safeUrl(block.url);
    return src ? anchor(src, { class: "image", "aria-label": `${block.alt || say("image")} (${say("opensTab")})` }, picture(src, block.alt || say("image"))) : null;
  },
};

/** @param {Block} block @param {Say} say @param {Node} sign @param {HTMLElement} words */
function card(block, say, sign, words) {
  const box = element("span", { class: "thumb" }, sign);
  const href = safeUrl(block.url);
  if (!href) return element("span", { class: "card" }, box, words);
  words.append(element("span", { class: "unseen" }, ` (${say("opensTab")})`));
  return anchor(href, { class: "card" }, box, words);
}

/**
 * The cards below a message. Kinds that this version does not know are left out; the message's text says enough.
 * @param {Block[] | null | undefined} blocks @param {Say} say @param {Locale} locale
 * @param {(block: Block) => HTMLElement} file
 * @returns {HTMLElement[]}
 */
export function cards(blocks, say, locale, file) {
  return (Array.isArray(blocks) ? blocks : [])
    .slice(0, MOST)
    .map((block) => (block?.type === "file" ? file(block) : block && Object.hasOwn(KINDS, block.type || "") ? KINDS[block.type || ""](block, say, locale) : null))
    .filter((made) => made !== null);
}

/**
 * A product as the shop's page describes it, as the block that is sent; null when it has no title.
 * @param {any} given
 * @returns {Block | null}
 */
export function productBlock(given) {
  const { title, sku, price: amount, price_minor, currency, url, image_url } = given || {};
  if (typeof title !== "string" || !title.trim()) return null;
  const block = {
    type: "product",
    title: title.trim().slice(0, 200),
    sku: sku === undefined ? undefined : String(sku).slice(0, 64),
    price: amount === undefined ? undefined : String(amount),
    price_minor: Number.isSafeInteger(price_minor) ? price_minor : undefined,
    currency: typeof currency === "string" ? currency : undefined,
    url: safeUrl(url),
    image_url: safeUrl(image_url),
  };
  return JSON.parse(JSON.stringify(block)); // without what is not there
}
