/** Text of people, shown as text: links are found in it, HTML never is. */

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

/** One or two letters that stand for a name: LY, 林. @param {string} name */
export function initials(name) {
  const letters = [...name.trim()];
  if (/\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}/u.test(letters[0] ?? "")) return letters[0];
  const words = name.trim().split(/\s+/);
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
