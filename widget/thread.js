import { action, element, icon, reconcile } from "./element.js";
import { clock, day } from "./i18n.js";
import { isOver } from "./store.js";

const NEAR_END = 60;
const GROUP_MS = 5 * 60_000;

/**
 * The messages of the shown conversation.
 * @param {{
 *   chat: ReturnType<typeof import("./chat.js").createChat>,
 *   say: Say,
 *   locale: Locale,
 *   onSeen: () => void,
 *   extras: () => Extras | null,
 * }} parts extras: null while they are loaded, after which the thread is drawn again; onSeen: the shopper looks at the end of the thread
 */
export function createThread({ chat, say, locale, onSeen, extras }) {
  const log = element("div", { class: "log", role: "log", "aria-live": "off", "aria-label": say("messages"), tabindex: 0 });
  const below = action(say("newBelow"), () => toEnd(), { class: "below", hidden: true });
  let lastKey = "";
  /** @type {string | null | undefined} */
  let lastShown;

  const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
  const toEnd = () => {
    log.scrollTop = log.scrollHeight;
    below.hidden = true;
  };
  log.addEventListener("scroll", () => {
    if (!atEnd()) return;
    below.hidden = true;
    onSeen();
  });

  /** Plain words stand at once; a link or a card needs the extras.
   * @param {string} body @param {Block[] | null | undefined} blocks @returns {[string, () => HTMLElement]} */
  const own = (body, blocks) => {
    const more = blocks?.length || /:/.test(body) ? extras()?.answers : null;
    const bubble = () => element("div", { class: "bubble", dir: "auto" }, element("span", { class: "unseen" }, say("you") + ": "), body);
    return [more ? "rich" : "", () => (more ? more.content(body, blocks, say("you")) : bubble())];
  };

  /** An own message, whether the desk has it or not.
   * @param {string} key @param {string} mark @param {string} body @param {Block[] | null | undefined} blocks */
  const ownRow = (key, mark, body, blocks) => {
    const [rich, make] = own(body, blocks);
    return { key, mark: mark + rich, make: () => element("div", { class: "message mine " + mark }, make()) };
  };

  /** Time and state below the last message of a row.
   * @param {string} key @param {string[]} words @param {boolean} mine @param {"check" | "clock" | null} sign */
  const metaRow = (key, words, mine, sign) => ({
    key: "meta" + key,
    mark: words.join() + sign,
    make: () => element("div", { class: mine ? "meta mine" : "meta" }, sign && icon(sign), words.join(" · ")),
  });

  /** @param {string} key @param {string} words @param {string} [more] */
  const lineRow = (key, words, more = "") => ({ key, mark: words, make: () => element("p", { class: "line " + more }, words) });

  function rows() {
    const it = chat.shown;
    /** @type {{key: string, mark: string, make: () => HTMLElement}[]} */
    const made = [];
    const lines = it?.lines || [];
    const shop = chat.welcome?.shop.name || say("ourShop");
    const pending = chat.pending();
    if (it ? it.wanted && !it.seq && it.head : !chat.welcome && !pending.length && chat.state.name !== "refused") made.push(lineRow("loading", say("loading")));
    else if (!lines.length && !pending.length) made.push(lineRow("hello", say("hello", { shop }), "hello"));
    const answers = it && lines.some((line) => line.type !== "message" || line.message.author.kind !== "customer") ? extras()?.answers : null;
    let today = "";
    lines.forEach((line, at) => {
      const said = day(line.at_ms, locale);
      if (said !== today) made.push(lineRow("day" + line.seq, (today = said)));
      if (line.type !== "message") {
        if (!it || !answers) return;
        const rating = line.type === "rating";
        made.push({ key: line.key, mark: `${line.seq}/${rating && it.score}`, make: () => (rating ? answers.rating(it) : answers.status(line, shop)) });
        return;
      }
      const next = lines[at + 1];
      const { author, body, blocks } = line.message;
      const mine = author.kind === "customer";
      const goesOn = next
        ? next.type === "message" && next.message.author.id === author.id && next.at_ms - line.at_ms < GROUP_MS && day(next.at_ms, locale) === said
        : mine && pending.length > 0;
      if (mine) made.push(ownRow(line.key, "", body, blocks));
      else if (answers) made.push({ key: line.key, mark: `${goesOn}`, make: () => answers.message(line, !goesOn) });
      if (goesOn) return;
      const state = mine ? say((it?.readSeq || 0) >= line.seq ? "read" : "sent") : "";
      made.push(metaRow(line.key, [mine ? "" : author.name || "", clock(line.at_ms, locale), state].filter(Boolean), mine, mine ? "check" : null));
    });
    pending.forEach((entry, at) => {
      made.push(ownRow(entry.client_id, entry.sent ? "" : "pending", entry.body, entry.blocks));
      if (entry.error) {
        const { code } = entry.error;
        const more = extras()?.answers;
        if (more) made.push({ key: "error" + entry.client_id, mark: code, make: () => more.failure(entry) });
      } else if (at === pending.length - 1) {
        const word = entry.sent ? "sent" : chat.state.name === "online" || chat.state.name === "connecting" ? "sending" : "waiting";
        made.push(metaRow(entry.client_id, [clock(entry.at_ms, locale), say(word)], true, entry.sent ? "check" : "clock"));
      }
    });
    if (it && (it.typing || it.ahead !== null || isOver(it))) {
      made.push(...(extras()?.answers.tail(it) || []));
      const left = (it.typing?.until_ms || 0) - Date.now();
      if (left > 0) setTimeout(render, left + 50);
      else it.typing = null;
    }
    return made;
  }

  function render() {
    const made = rows();
    const stay = atEnd() || lastShown !== chat.shownId;
    const key = made.findLast((row) => !/^(meta|typing|queue)/.test(row.key))?.key || "";
    const mine = chat.pending().some((entry) => entry.client_id === key);
    const isNew = key !== lastKey;
    lastKey = key;
    lastShown = chat.shownId;
    const held = /** @type {HTMLElement | null} */ (/** @type {ShadowRoot} */ (log.getRootNode()).activeElement);
    const inside = held && log.contains(held);
    reconcile(log, made);
    // A row that held the focus may be gone ("try again"); the thread keeps it.
    if (inside && !held.isConnected) log.focus();
    if (stay || mine) toEnd();
    else if (isNew) below.hidden = false;
    if (atEnd()) onSeen();
  }

  return { log, below, render, toEnd };
}
