import { element } from "./element.js";
import { tag } from "./i18n.js";

export const BOX = "M11 21.7a2 2 0 0 0 2 0l7-4a2 2 0 0 0 1-1.7V8a2 2 0 0 0-1-1.7l-7-4a2 2 0 0 0-2 0l-7 4A2 2 0 0 0 3 8v8a2 2 0 0 0 1 1.7zM12 22V12M3.3 7 12 12l8.7-5M7.5 4.3l9 5.1";

/** The price of a product card as its currency is written; as it came when that cannot be told.
 * @param {Block} block @param {Locale} locale */
export function price({ price_minor, price: given, currency }, locale) {
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

/** A picture that the shop names. @param {string} src @param {string} alt */
export const picture = (src, alt) =>
  element("img", {
    src, alt, loading: "lazy", decoding: "async", referrerpolicy: "no-referrer",
    on: {
      // A picture that the page's policy forbids, or that is gone, leaves its words.
      error: (/** @type {Event} */ event) => /** @type {HTMLElement} */ (event.target).remove(),
    },
  });
