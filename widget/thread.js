import { action, avatar, element, icon, reconcile } from "./element.js";
import { clock, day } from "./i18n.js";
import { linked } from "./links.js";
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

  /** @param {string} reason */
  const reasons = (reason) =>
    say(/^(invalid_input)$/.test(reason) ? "reasonInvalid" : reason === "too_large" ? "reasonLarge" : /^(conflict|not_found)$/.test(reason) ? "reasonGone" : "reasonRefused");

  /** @param {string} body @param {Block[] | null | undefined} blocks @param {string} [who] */
  const bubble = (body, blocks, who) => {
    const made = (blocks?.length && extras()?.cards(blocks, say, locale)) || [];
    const words = element("div", { class: "bubble", dir: "auto" }, who ? element("span", { class: "unseen" }, who + ": ") : null, ...linked(body));
    // A card whose title is the whole text says it already.
    return element("div", { class: "stack" }, made.length && blocks?.[0]?.title === body ? null : words, ...made);
  };

  /** @param {Line & {type: "message"}} line @param {boolean} last of a row of messages by one person */
  const messageRow = ({ key, message }, last) => {
    const mine = message.author.kind === "customer";
    const name = message.author.name || say("someone");
    return {
      key,
      mark: `m${last}${Boolean(message.blocks?.length && extras())}`,
      make: () =>
        element(
          "div",
          { class: mine ? "message mine" : "message" },
          mine ? null : last ? avatar(name, "small") : element("span", { class: "avatar small none" }),
          bubble(message.body, message.blocks, mine ? say("you") : name),
        ),
    };
  };

  /** @param {Entry} entry */
  const entryRow = (entry) => ({
    key: entry.client_id,
    mark: entry.sent ? `mtrue${Boolean(entry.blocks?.length && extras())}` : entry.error ? "error" : "pending",
    make: () => element("div", { class: "message mine" + (entry.sent ? "" : " pending") }, bubble(entry.body, entry.blocks, say("you"))),
  });

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
    if (it?.wanted && !it.seq && it.head) made.push(lineRow("loading", say("loading")));
    else if (!lines.length && !pending.length) made.push(lineRow("hello", say("hello", { shop }), "hello"));
    let today = "";
    lines.forEach((line, at) => {
      const said = day(line.at_ms, locale);
      if (said !== today) made.push(lineRow("day" + line.seq, (today = said)));
      if (line.type === "message") {
        const next = lines[at + 1];
        const { author } = line.message;
        const mine = author.kind === "customer";
        const last = !(next?.type === "message" && next.message.author.id === author.id && next.at_ms - line.at_ms < GROUP_MS && day(next.at_ms, locale) === said);
        const first = !next && mine && pending.length > 0;
        made.push(messageRow(line, last && !first));
        if (!last || first) return;
        const read = mine && (it?.readSeq || 0) >= line.seq;
        const words = [mine ? "" : author.name || say("someone"), clock(line.at_ms, locale), mine ? say(read ? "read" : "sent") : ""];
        made.push(metaRow(line.key, words.filter(Boolean), mine, mine ? "check" : null));
      } else if (line.type === "joined") made.push(lineRow(line.key, `${say("joined", { name: line.name || say("someone") })} · ${clock(line.at_ms, locale)}`));
      else if (line.type === "status") {
        const words = line.status !== "ended" ? say("reopened") : line.name === "customer" ? say("endedByMe") : line.name === "agent" ? say("endedBy", { shop }) : say("endedLine");
        made.push(lineRow(line.key, `${words} · ${clock(line.at_ms, locale)}`));
      } else if (it && extras()) {
        made.push({
          key: line.key,
          mark: `${line.seq}/${it.score}`,
          make: () => /** @type {Extras} */ (extras()).ratingCard({ conversation: it, say, rate: (score, comment) => chat.rate(it.id, score, comment) }),
        });
      }
    });
    pending.forEach((entry, at) => {
      made.push(entryRow(entry));
      if (entry.error) {
        made.push({
          key: "error" + entry.client_id,
          mark: entry.error.code,
          make: () =>
            element(
              "div",
              { class: "meta mine error" },
              icon("alert"),
              say("failed", { reason: reasons(entry.error?.code || "") }),
              action(say("retry"), () => chat.outbox.retry(entry.client_id), { class: "quiet" }),
              action(say("remove"), () => chat.outbox.remove(entry.client_id), { class: "quiet" }),
            ),
        });
      } else if (at === pending.length - 1) {
        const word = entry.sent ? "sent" : chat.state.name === "online" || chat.state.name === "connecting" ? "sending" : "waiting";
        made.push(metaRow(entry.client_id, [clock(entry.at_ms, locale), say(word)], true, entry.sent ? "check" : "clock"));
      }
    });
    if (it && !it.agent && it.ahead !== null && !isOver(it)) {
      made.push(lineRow("queue", it.ahead ? say("ahead", { n: it.ahead }) : say("next"), "queue"));
    }
    if (it?.typing && it.typing.until_ms > Date.now()) {
      const name = it.typing.name || say("someone");
      made.push({
        key: "typing",
        mark: name,
        make: () =>
          element(
            "div",
            { class: "message" },
            avatar(name, "small"),
            element("div", { class: "bubble typing" }, element("span", { class: "unseen" }, say("typing", { name })), element("i"), element("i"), element("i")),
          ),
      });
      setTimeout(render, it.typing.until_ms - Date.now() + 50);
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
