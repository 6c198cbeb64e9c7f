import { drawing, element } from "./element.js";
import { day } from "./i18n.js";
import { isOver, lastAt } from "./store.js";

/**
 * Earlier conversations, each a way into its thread. What is there already stays: a press that has begun would be lost
 * with it.
 * @param {{
 *   conversations: Conversation[], say: Say, locale: Locale, onChat: (id: string) => void, box?: HTMLElement | void,
 * }} parts box: what this has made before
 */
export function pastCard({ conversations, say, locale, onChat, box }) {
  const list = box?.querySelector("ul") || element("ul", { class: "past" });
  const rows = new Map(/** @type {HTMLElement[]} */ ([...list.children]).map((row) => [row.dataset.id, row]));

  /** @param {string} id */
  const make = (id) =>
    element(
      "li",
      { "data-id": id },
      element(
        "button",
        { type: "button", class: "entry", on: { click: () => onChat(id) } },
        element("span", { class: "words" }, element("b", { dir: "auto" }), element("small")),
        drawing("m9 18 6-6-6-6", "next"),
      ),
    );

  let place = list.firstElementChild;
  for (const it of conversations) {
    const last = it.lines.findLast((line) => line.type === "message");
    const at = lastAt(it);
    const words = last?.type === "message" ? last.message.body : "";
    const state = it.unread ? say("newCount", { n: it.unread }) : say(isOver(it) ? "ended" : "open");
    const row = rows.get(it.id) || make(it.id);
    rows.delete(it.id);
    const texts = [words.slice(0, 80) || say("chat"), [at ? day(at, locale) : "", state].filter(Boolean).join(" · ")];
    row.querySelectorAll("b, small").forEach((part, n) => part.textContent === texts[n] || (part.textContent = texts[n]));
    if (row === place) place = row.nextElementSibling;
    else list.insertBefore(row, place);
  }
  for (const gone of rows.values()) gone.remove();
  return box || element("div", { class: "box" }, element("h3", {}, say("past")), list);
}
