import { drawing, element } from "./element.js";
import { day } from "./i18n.js";
import { isOver, lastAt } from "./store.js";

/**
 * Earlier conversations, each a way into its thread.
 * @param {{conversations: Conversation[], say: Say, locale: Locale, onChat: (id: string) => void}} parts
 */
export function pastCard({ conversations, say, locale, onChat }) {
  /** @param {Conversation} it */
  const row = (it) => {
    const last = it.lines.findLast((line) => line.type === "message");
    const at = lastAt(it);
    const words = last?.type === "message" ? last.message.body : "";
    const state = it.unread ? say("newCount", { n: it.unread }) : say(isOver(it) ? "ended" : "open");
    return element(
      "li",
      {},
      element(
        "button",
        { type: "button", class: "entry", on: { click: () => onChat(it.id) } },
        element(
          "span",
          { class: "words" },
          element("b", { dir: "auto" }, words.slice(0, 80) || say("chat")),
          element("small", {}, [at ? day(at, locale) : "", state].filter(Boolean).join(" · ")),
        ),
        drawing("m9 18 6-6-6-6", "next"),
      ),
    );
  };
  return element("div", { class: "box" }, element("h3", {}, say("past")), element("ul", { class: "past" }, ...conversations.map(row)));
}
