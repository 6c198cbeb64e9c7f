import { en } from "./locales/en.js";
import { zh } from "./locales/zh.js";

/**
 * A function that says a key in the language. `{name}` is replaced by a value; a key with `.one` beside it is
 * the plural, chosen by the value `n`.
 * @param {Locale} locale
 * @returns {Say}
 */
export function speaker(locale) {
  /** @type {Words} */
  const words = locale === "zh" ? zh : en;
  return (key, values = {}) => {
    const text = (values.n === 1 && words[key + ".one"]) || words[key];
    return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  };
}

/** @param {Locale} locale */
const tag = (locale) => (locale === "zh" ? "zh-CN" : "en-GB");

/** Hour and minute. @param {number} ms @param {Locale} locale */
export const clock = (ms, locale) =>
  new Intl.DateTimeFormat(tag(locale), { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(ms);

/** The day as people say it: today, yesterday, or the date. @param {number} ms @param {Locale} locale */
export function day(ms, locale) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const ago = Math.round((midnight - new Date(ms).setHours(0, 0, 0, 0)) / 86_400_000);
  if (ago < 2) {
    const said = new Intl.RelativeTimeFormat(tag(locale), { numeric: "auto" }).format(-ago, "day");
    return said[0].toUpperCase() + said.slice(1);
  }
  const year = new Date(ms).getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return new Intl.DateTimeFormat(tag(locale), { day: "numeric", month: "long", year }).format(ms);
}

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
