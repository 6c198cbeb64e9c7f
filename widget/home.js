import { action, avatar, element, icon } from "./element.js";
import { day } from "./i18n.js";
import { isOver, lastAt } from "./store.js";

const PAST_MOST = 5;

/** @param {number | null | undefined} ms @param {Say} say */
function wait(ms, say) {
  if (!ms) return "";
  const minutes = Math.round(ms / 60_000);
  if (minutes <= 1) return say("replySoon");
  return minutes < 60 ? say("reply", { n: minutes }) : say("replyHours", { n: Math.round(minutes / 60) });
}

/**
 * The first page: who is there, how long it takes, and the way into a conversation.
 * @param {{
 *   chat: ReturnType<typeof import("./chat.js").createChat>,
 *   say: Say,
 *   locale: Locale,
 *   onChat: (id: string | null) => void,
 *   onClose: () => void,
 * }} parts
 */
export function createHome({ chat, say, locale, onChat, onClose }) {
  const faces = element("div", { class: "faces", "aria-hidden": "true" });
  const heading = element("h2", { tabindex: -1 });
  const pace = element("p");
  const presence = element("p");
  const start = action("", () => onChat(chat.ongoing()?.id || null), { class: "primary" });
  const past = element("ul", { class: "past" });
  const pastCard = element("div", { class: "box", hidden: true }, element("h3", {}, say("past")), past);
  const cards = element(
    "div",
    { class: "cards" },
    element("div", { class: "box" }, element("h3", {}, say("talk")), presence, start),
    pastCard,
  );
  const node = element(
    "div",
    { class: "home" },
    element("header", { class: "hero" }, element("div", { class: "row" }, faces, action(say("close"), onClose, { icon: "close", class: "tool" })), heading, pace),
    cards,
  );
  const asked = new Set();
  let shownPast = "";
  let shownFaces = "";

  /** @param {Conversation} it */
  const pastRow = (it) => {
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
        element("span", { class: "words" }, element("b", { dir: "auto" }, words.slice(0, 80) || say("chat")), element("small", {}, [at ? day(at, locale) : "", state].filter(Boolean).join(" · "))),
        icon("next"),
      ),
    );
  };

  function render() {
    const { welcome } = chat;
    const shop = welcome?.shop;
    const name = welcome?.customer?.name;
    heading.textContent = name ? say("greetingName", { name }) : say("greeting");
    pace.textContent = wait(shop?.typical_first_response_ms, say);
    pace.hidden = !pace.textContent;
    if (!shop) presence.textContent = chat.state.name === "refused" ? "" : say("connectFirst");
    else if (!shop.agents_online) presence.textContent = say("nobody");
    else presence.textContent = `${say("online", { n: shop.agents_online })} · ${shop.queue_length ? say("queue", { n: shop.queue_length }) : say("noQueue")}`;
    const ongoing = chat.ongoing();
    start.replaceChildren(icon("send"), say(ongoing ? "go" : "start"));
    start.disabled = chat.state.name === "refused";
    const agents = [...new Set(chat.store.all().map((it) => it.agent?.name).filter(Boolean))].slice(0, 3);
    const shownNames = agents.length ? agents : [shop?.name].filter(Boolean);
    if (shownFaces !== (shownFaces = shownNames.join())) faces.replaceChildren(...shownNames.map((who) => avatar(String(who))));
    const old = chat.store.all().filter((it) => it !== ongoing && it.head).slice(0, PAST_MOST);
    for (const it of old) {
      if (it.wanted || asked.has(it.id) || chat.state.name !== "online") continue;
      asked.add(it.id);
      chat.load(it.id);
    }
    pastCard.hidden = !old.length;
    const mark = JSON.stringify(old.map((it) => [it.id, it.seq, it.status, it.unread]));
    if (mark !== shownPast) past.replaceChildren(...old.map(pastRow));
    shownPast = mark;
  }

  return { node, heading, start, render };
}
