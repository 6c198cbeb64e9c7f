import { drawing, element } from "./element.js";
import { tag } from "./i18n.js";
import { anchor, safeUrl } from "./links.js";

const MOST = 10;
const BOX = "M11 21.7a2 2 0 0 0 2 0l7-4a2 2 0 0 0 1-1.7V8a2 2 0 0 0-1-1.7l-7-4a2 2 0 0 0-2 0l-7 4A2 2 0 0 0 3 8v8a2 2 0 0 0 1 1.7zM12 22V12M3.3 7 12 12l8.7-5M7.5 4.3l9 5.1";
const LINK = "M15 3h6v6M10 14 21 3M18 13v6a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V8a2 2 0 0 1 2-2h6";

/** The price of a product card as its currency is written; as it came when that cannot be told.
 * @param {Block} block @param {Locale} locale */
function price({ price_minor, price: given, currency }, locale) {
  if (price_minor === undefined && given === undefined) return "";
  try {
    const format = new Intl.NumberFormat(tag(locale), { style: "currency", currency, currencyDisplay: "narrowSymbol" });
    const digits = format.resolvedOptions().maximumFractionDigits || 0;
    const value = price_minor === undefined ? Number(given) : price_minor / 10 ** digits;
    if (Number.isFinite(value)) return format.format(value);
  } catch {
    // no currency, or one that nobody knows
  }
  return `${given ?? price_minor} ${currency || ""}`.trim();
}

/** @param {string} src @param {string} alt */
const picture = (src, alt) =>
  element("img", {
    src, alt, loading: "lazy", decoding: "async", referrerpolicy: "no-referrer",
    on: {
      // A picture that the page's policy forbids, or that is gone, leaves its words.
      error: (/** @type {Event} */ event) => /** @type {HTMLElement} */ (event.target).remove(),
    },
  });

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
