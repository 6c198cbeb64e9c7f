import { element } from "./element.js";

// An address ends where Chinese text begins, and controls that turn the direction of text cannot be part of it.
const ADDRESS = /(?:https?:\/\/|mailto:|tel:\+?[\d(])[^\s<>"'`\u200e\u200f\u202a-\u202e\u2066-\u2069\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+/gi;
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * The address when it is one that a link may have; undefined for everything else, javascript: above all.
 * @param {unknown} text @param {RegExp} [schemes]
 */
export function safeUrl(text, schemes = /^https?:$/) {
  try {
    const url = new URL(String(text));
    return schemes.test(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} href @param {Record<string, any>} props @param {...(Node | string)} children */
export const anchor = (href, props, ...children) =>
  element("a", { href, target: "_blank", rel: "noopener noreferrer nofollow", ...props }, ...children);

/**
 * The text as nodes: plain text, and anchors whose words are their address.
 * @param {string} text
 * @returns {(string | HTMLElement)[]}
 */
export function linked(text) {
  const clean = text.replace(TURNS, "");
  /** @type {(string | HTMLElement)[]} */
  const nodes = [];
  let from = 0;
  for (const found of clean.matchAll(ADDRESS)) {
    let address = found[0].replace(/[.,;:!?*_]+$/, "");
    if (address.endsWith(")") && !address.includes("(")) address = address.slice(0, -1).replace(/[.,;:!?]+$/, "");
    const href = safeUrl(address, /^(https?|mailto|tel):$/);
    if (!href) continue;
    nodes.push(clean.slice(from, found.index), anchor(href, {}, address));
    from = found.index + address.length;
  }
  nodes.push(clean.slice(from));
  return nodes;
}
