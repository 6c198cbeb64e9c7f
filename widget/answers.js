import { action, avatar, element, icon } from "./element.js";
import { cards } from "./blocks.js";
import { clock } from "./i18n.js";
import { linked } from "./links.js";
import { ratingCard } from "./rating.js";
import { isOver } from "./store.js";

/**
 * What the thread shows of the other side: its messages, who came, how the chat stands.
 * @param {{
 *   say: Say, locale: Locale, chat: ReturnType<typeof import("./chat.js").createChat>, file: (block: Block) => HTMLElement,
 * }} parts
 */
export function createAnswers({ say, locale, chat, file }) {
  /** @param {string} words @param {string} [more] */
  const line = (words, more = "") => element("p", { class: "line " + more }, words);

  /** @param {Line & {type: "message"}} line @param {boolean} last of a row of messages by one person */
  const message = ({ message: { body, blocks, author } }, last) => {
    const name = author.name || say("someone");
    return element(
      "div",
      { class: "message" },
      last ? avatar(name, "small") : element("span", { class: "avatar small none" }),
      content(body, blocks, name),
    );
  };

  /** A message's words and cards. @param {string} body @param {Block[] | null | undefined} blocks @param {string} who */
  const content = (body, blocks, who) => {
    const made = cards(blocks, say, locale, file);
    const words = element("div", { class: "bubble", dir: "auto" }, element("span", { class: "unseen" }, who + ": "), ...linked(body));
    // A card whose title is the whole text says it already.
    return element("div", { class: "stack" }, made.length && (!body || blocks?.[0]?.title === body) ? null : words, ...made);
  };

  /** @param {Line} event @param {string} shop */
  const status = (event, shop) => {
    const { type, at_ms, status: how, name } = /** @type {Exclude<Line, {type: "message"}>} */ (event);
    const ended = name === "customer" ? say("endedByMe") : name === "agent" ? say("endedBy", { shop }) : say("endedLine");
    const words = type === "joined" ? say("joined", { name: name || say("someone") }) : how === "ended" ? ended : say("reopened");
    return line(`${words} · ${clock(at_ms, locale)}`);
  };

  /** @param {Conversation} it @returns {{key: string, mark: string, make: () => HTMLElement}[]} */
  const tail = (it) => {
    const made = [];
    if (!it.agent && it.ahead !== null && !isOver(it)) {
      const words = it.ahead ? say("ahead", { n: it.ahead }) : say("next");
      made.push({ key: "queue", mark: words, make: () => line(words, "queue") });
    }
    if (it.typing && it.typing.until_ms > Date.now()) {
      const name = it.typing.name || say("someone");
      const dots = () => element("div", { class: "bubble typing" }, element("span", { class: "unseen" }, say("typing", { name })), element("i"), element("i"), element("i"));
      made.push({ key: "typing", mark: name, make: () => element("div", { class: "message" }, avatar(name, "small"), dots()) });
    }
    if (isOver(it)) made.push({ key: "again", mark: "", make: () => action(say("newChat"), () => chat.show(null), { class: "secondary" }) });
    return made;
  };

  /** Why a message was refused, and what can be done. @param {Entry} entry */
  const failure = ({ client_id, error }) => {
    const reasons = { invalid_input: "reasonInvalid", too_large: "reasonLarge", not_found: "reasonGone", conflict: "reasonGone" };
    const blocked = error?.details?.reason === "blocked";
    const reason = say(blocked ? "reasonBlocked" : /** @type {Record<string, string>} */ (reasons)[error?.code || ""] || "reasonRefused");
    return element(
      "div",
      { class: "meta mine error" },
      icon("alert"),
      say("failed", { reason }),
      action(say("retry"), () => chat.outbox.retry(client_id), { class: "quiet" }),
      action(say("remove"), () => chat.outbox.remove(client_id), { class: "quiet" }),
    );
  };

  return {
    message, content, status, tail, failure,
    /** @param {Conversation} it */
    rating: (it) => ratingCard({ conversation: it, say, rate: (score, comment) => chat.rate(it.id, score, comment) }),
  };
}
