/**
 * Words, numbers and times for people, in the language that the page came in; and what people wrote, shown as text: links
 * are found in it, HTML never is.
 * @typedef {import("./types.js").Words} Words
 */

/** @param {string} id @returns {any} whatever the server wrote into the page */
const embedded = (id) => JSON.parse(document.getElementById(id)?.textContent || "{}");

/** @type {{ locale: "en"|"zh", csrf: string, person: { id: string, name: string, role: string } }} */
export const page = embedded("page");
/** @type {Record<string, string>} */
const messages = embedded("messages");

/** Adds sentences that came later. @param {Record<string, string>} more */
export function addWords(more) {
  Object.assign(messages, more);
}

export const language = document.documentElement.lang || "en";
/** Dates as they are written here: 12 Nov rather than Nov 12. */
const dates = language === "en" ? "en-GB" : language;
const plural = new Intl.PluralRules(language);

/**
 * The sentence of a key with its {names} filled in.
 * @param {string} key
 * @param {Words} [words]
 */
export function t(key, words = {}) {
  return fill(messages[key] ?? key, words);
}

/** @param {string} text @param {Words} words @returns {string} the text with its {names} filled in */
export const fill = (text, words) => text.replace(/\{(\w+)\}/g, (_, name) => String(words[name] ?? ""));

/** The sentence for a count: key.one or key.other, as the language wants it. @param {string} key @param {number} n @param {Words} [words] */
export const tn = (key, n, words) => t(`${key}.${plural.select(n) === "one" ? "one" : "other"}`, { n, ...words });

/** A wait as people read a stopwatch: 0:47, 12:05, 1:02:03. @param {number} ms */
export function stopwatch(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/** A rough age: now, 6m, 3h, 2d. @param {number} ms */
export function age(ms) {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return t("age.now");
  if (minutes < 60) return t("age.minutes", { n: minutes });
  if (minutes < 1440) return t("age.hours", { n: Math.floor(minutes / 60) });
  return t("age.days", { n: Math.floor(minutes / 1440) });
}

/** The same as a moment in the past: just now, 6m ago. @param {number} ms */
export function ago(ms) {
  return ms < 60_000 ? t("age.just_now") : t("card.seen_ago", { age: age(ms) });
}

const formats = {
  clock: new Intl.DateTimeFormat(dates, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  day: new Intl.DateTimeFormat(dates, { weekday: "long", day: "numeric", month: "long" }),
  date: new Intl.DateTimeFormat(dates, { day: "numeric", month: "short" }),
  year: new Intl.DateTimeFormat(dates, { day: "numeric", month: "short", year: "numeric" }),
  full: new Intl.DateTimeFormat(dates, { dateStyle: "full", timeStyle: "medium" }),
};

/** @param {number} at_ms */
export const clockTime = (at_ms) => formats.clock.format(at_ms);
/** @param {number} at_ms */
export const fullTime = (at_ms) => formats.full.format(at_ms);

/** @param {number} at_ms @param {number} now_ms */
export const shortDate = (at_ms, now_ms) =>
  (new Date(at_ms).getFullYear() === new Date(now_ms).getFullYear() ? formats.date : formats.year).format(at_ms);

/** Whole local days from one instant to the other; the same day is 0. @param {number} from_ms @param {number} to_ms */
export function daysBetween(from_ms, to_ms) {
  const midnight = (/** @type {number} */ ms) => new Date(ms).setHours(0, 0, 0, 0);
  return Math.round((midnight(to_ms) - midnight(from_ms)) / 86_400_000);
}

/** Today, yesterday, or the day by name. @param {number} at_ms @param {number} now_ms */
export function dayName(at_ms, now_ms) {
  const days = daysBetween(at_ms, now_ms);
  if (days === 0) return t("day.today");
  if (days === 1) return t("day.yesterday");
  return days > 300 ? formats.year.format(at_ms) : formats.day.format(at_ms);
}

/** The time, with the day where it is not today. @param {number} at_ms @param {number} now_ms */
export function moment(at_ms, now_ms) {
  const days = daysBetween(now_ms, at_ms);
  if (days === 0) return clockTime(at_ms);
  if (days === 1) return t("day.tomorrow_at", { time: clockTime(at_ms) });
  return `${shortDate(at_ms, now_ms)} ${clockTime(at_ms)}`;
}

/**
 * An amount as people write it: ¥428, €19.90; whole units without empty decimals.
 * @param {number} minor in the smallest unit @param {string} currency @param {string} [locale]
 */
export function money(minor, currency, locale = language) {
  try {
    const format = new Intl.NumberFormat(locale, { style: "currency", currency, currencyDisplay: "narrowSymbol", trailingZeroDisplay: "stripIfInteger" });
    return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
  } catch {
    return `${minor / 100} ${currency}`; // no such currency: still better than nothing
  }
}

/** A, B and C. @param {string[]} names */
export const together = (names) => new Intl.ListFormat(language).format(names);

/** A customer's name, or what stands for one while it is unknown. @param {{ id: string, name: string | null }} customer */
export const customerName = (customer) =>
  customer.name || t("visitor", { code: customer.id.slice(-4).toUpperCase() });

/** The name of a language in the page's language. @param {string} code */
export function languageName(code) {
  try {
    return new Intl.DisplayNames(language, { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

const ADDRESS = /https?:\/\/[^\s<>"'，。！？；：、（）《》「」【】]+/gi;

/**
 * The text in pieces, addresses marked. Closing punctuation stays outside an address, a bracket unless it was opened in it.
 * @param {string} text
 * @returns {{ text: string, href: string | null }[]}
 */
export function linkify(text) {
  const pieces = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    let address = match[0].replace(/[.,!?;:*_~]+$/, "");
    if (address.endsWith(")") && !address.includes("(")) address = address.slice(0, -1);
    if (!URL.canParse(address)) continue;
    const start = match.index;
    if (start > end) pieces.push({ text: text.slice(end, start), href: null });
    pieces.push({ text: address, href: address });
    end = start + address.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end), href: null });
  return pieces;
}

/** An address that may be put into a link, else null. @param {string | undefined | null} url */
export function safeLink(url) {
  if (!url || !URL.canParse(url)) return null;
  return /^https?:$/.test(new URL(url).protocol) ? url : null;
}

const HAN = /\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}/u;

/** One or two letters that stand for a name: LY, 林. @param {string} name */
export function initials(name) {
  const letters = [...name.trim()];
  if (HAN.test(letters[0] ?? "")) return letters[0];
  // A name given in two scripts, Chen Hao 陈皓, goes by its first.
  const words = name.trim().split(/\s+/).filter((word) => !HAN.test([...word][0]));
  const first = [...(words[0] ?? "")][0] ?? "?";
  const last = words.length > 1 ? [...words[words.length - 1]][0] : "";
  return (first + last).toUpperCase();
}

/** A steady number 0..11 for an id: which colour its avatar has. @param {string} id */
export function hue(id) {
  let sum = 0;
  for (const char of id) sum = (sum * 31 + char.charCodeAt(0)) >>> 0;
  return sum % 12;
}

/** The language to mark a text with, so that it is read and drawn rightly; undefined where Latin letters leave it open. @param {string} text */
export const textLanguage = (text) => (/\p{Script=Han}/u.test(text) ? "zh-CN" : undefined);
