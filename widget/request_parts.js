import { element } from "./element.js";

let count = 0;

/** A control with its label, and a hint if there is one. @param {HTMLElement} control @param {string} label @param {string} [hint] */
export function labelled(control, label, hint) {
  const id = "ask" + count++;
  control.id = id;
  if (hint) control.setAttribute("aria-describedby", id + "h");
  return element("div", { class: "field" }, element("label", { for: id }, label), control, hint && element("small", { id: id + "h" }, hint));
}

/** By the field, or the desk's own word, why it did not take something. @type {Record<string, string>} */
const REFUSED = {
  email: "emailWrong",
  body: "messageMissing",
  blocked: "refusedBlocked",
  portal_line_taken: "refusedTaken",
  portal_many_open: "refusedMany",
  portal_not_now: "refusedNotNow",
  portal_no_line: "pickMissing",
  portal_no_reason: "reasonMissing",
  portal_quantity: "quantityWrong",
  portal_alike: "alike",
  portal_closed: "refusedClosed",
  file_missing: "refusedFile",
  file_infected: "refusedFile",
  files_many: "refusedFile",
};

/** Why the desk did not take it. @param {Failure | undefined} error @param {Say} say */
export function refused(error, say) {
  const { reason = "", field = "" } = error?.details || {};
  const key = REFUSED[reason] || REFUSED[field];
  return say(key || (error?.code === "too_large" ? "refusedLarge" : error?.code === "not_found" ? "refusedGone" : "refusedOther"));
}

/**
 * What stands where the form was, while it is on its way and once the desk has it.
 * @param {{say: Say, announce: (text: string) => void}} tools
 * @param {HTMLElement} node @param {string} heading @param {string[]} words @param {(HTMLElement | false)[]} more
 * @param {string} [number]
 */
export function showDone({ announce }, node, heading, words, more, number = "") {
  const [before, after] = number ? heading.split(number) : [heading, ""];
  const head = element("h3", { tabindex: -1 }, before, number && element("span", { class: "whole" }, number), after);
  node.replaceChildren(element("div", { class: "askdone" }, head, ...words.map((it) => element("p", {}, it)), element("div", { class: "row" }, ...more)));
  head.focus();
  announce([heading, ...words].join(" "));
}
