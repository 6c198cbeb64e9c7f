import { action, avatar, element, icon } from "./element.js";

const PAST_MOST = 5;

/** @param {number | null | undefined} ms @param {Say} say */
function wait(ms, say) {
  if (!ms) return "";
  const minutes = Math.round(ms / 60_000);
  return minutes > 1 ? say("reply", { n: minutes }) : say("replySoon");
}

/**
 * The first page: who is there, how long it takes, and the way into a conversation.
 * @param {{
 *   chat: ReturnType<typeof import("./chat.js").createChat>,
 *   say: Say,
 *   locale: Locale,
 *   onChat: (id: string | null) => void,
 *   onClose: () => void,
 *   extras: () => Extras | null,
 * }} parts
 */
export function createHome({ chat, say, locale, onChat, onClose, extras }) {
  const faces = element("div", { class: "faces", "aria-hidden": "true" });
  const heading = element("h2", { tabindex: -1 });
  const pace = element("p");
  const presence = element("p");
  const start = action("", () => onChat(chat.ongoing()?.id || null), { class: "primary" });
  const cards = element(
    "div",
    { class: "cards" },
    element("div", { class: "box" }, element("h3", {}, say("talk")), presence, start),
  );
  const node = element(
    "div",
    { class: "home" },
    element("header", { class: "hero" }, element("div", { class: "row" }, faces, action(say("close"), onClose, { icon: "close", class: "tool" })), heading, pace),
    cards,
  );
  /** @type {HTMLElement | void} */
  let past;
  let shownPast = "";

  function render() {
    const { welcome } = chat;
    const shop = welcome?.shop;
    const name = welcome?.customer?.name;
    heading.textContent = name ? say("greetingName", { name }) : say("greeting");
    pace.textContent = wait(shop?.agents_online && shop.typical_first_response_ms, say);
    pace.hidden = !pace.textContent;
    if (!shop) presence.textContent = chat.state.name === "refused" ? "" : say("connectFirst");
    else if (!shop.agents_online) presence.textContent = say("nobody");
    else presence.textContent = `${say("online", { n: shop.agents_online })} · ${shop.queue_length ? say("queue", { n: shop.queue_length }) : say("noQueue")}`;
    const ongoing = chat.ongoing();
    const label = say(ongoing ? "go" : "start");
    // What is pressed just now must stay: the press would be lost with it.
    if (start.textContent !== label) start.replaceChildren(icon("send"), label);
    start.disabled = chat.state.name === "refused";
    if (shop && !faces.firstChild) faces.append(avatar(shop.name));
    const old = chat.store.all().filter((it) => it !== ongoing && it.head).slice(0, PAST_MOST);
    const more = old.length ? extras() : null;
    for (const it of old) if (!it.wanted && chat.state.name === "online") chat.load(it.id);
    const mark = JSON.stringify([!more, old.map((it) => [it.id, it.seq, it.status, it.unread])]);
    if (mark === shownPast) return;
    shownPast = mark;
    if (!more) past = past?.remove();
    else if (past !== (past = more.pastCard(old, onChat, past))) cards.append(past);
  }

  return { node, heading, cards, render };
}
