import { action, drawing, element, reconcile } from "./element.js";
import { day } from "./i18n.js";
import { refused } from "./request_parts.js";
import { standing } from "./request_words.js";

/**
 * The shopper's own requests, the newest first; above them what is still to be sent.
 * @param {RequestTools} tools
 * @returns {RequestPage}
 */
export function requestList({ say, locale, chat, outbox, open, compose, orders }) {
  const rows = element("ul", { class: "past" });
  const note = element("p", { class: "note", role: "status" }, say("loading"));
  const more = action(say("older"), () => load(true), { class: "secondary", hidden: true });
  const add = action(say("leave"), () => compose({}), { class: "primary" });
  const back = action(say("askBack"), () => orders(), { class: "secondary", hidden: !chat.welcome?.customer?.verified });
  const node = element("div", {}, note, rows, element("div", { class: "row" }, more, add, back));
  /** @type {RequestShown[]} */
  let items = [];
  /** @type {string | null} */
  let before = null;
  let round = 0;

  /** Rows that are there, by number. A row stays when it has news: a press that has begun would be lost with it.
   * @type {Map<string, {node: HTMLElement, tell: (it: RequestShown) => void}>} */
  const made = new Map();

  /** @param {string} number */
  const make = (number) => {
    const subject = element("b", { dir: "auto" });
    const state = element("small");
    const when = element("small");
    const fresh = element("span", { class: "dotnew" });
    const node = element(
      "li", {},
      element(
        "button",
        { type: "button", class: "entry", on: { click: () => open(number) } },
        element("span", { class: "words" }, subject, state, when),
        fresh,
        drawing("m9 18 6-6-6-6", "next"),
      ),
    );
    const tell = (/** @type {RequestShown} */ it) => {
      subject.textContent = it.subject || number;
      state.textContent = standing(it, say, locale);
      state.classList.toggle("late", it.late);
      when.textContent = `${number} · ${day(it.created_at_ms, locale)}`;
      fresh.textContent = it.unread > 0 ? say("newAnswers", { n: it.unread }) : "";
      fresh.hidden = !fresh.textContent;
    };
    return { node, tell };
  };

  /** @param {RequestShown} it */
  const row = (it) => {
    const found = made.get(it.number) || make(it.number);
    made.set(it.number, found);
    found.tell(it);
    return found.node;
  };

  /** What could not be sent yet, or was refused. @param {Ask} ask */
  const unsent = (ask) => {
    const drop = () => {
      outbox.drop(ask.client_id);
      draw();
    };
    const { body, number } = /** @type {{body?: string, number?: string}} */ (ask.payload);
    const words = body || say("orderNumber", { number: number || "" });
    const edit = () => (ask.name === "request.ask_back" ? orders({ ask }) : compose({ ask }));
    const state = ask.error ? refused(ask.error, say) : say(chat.state.name === "online" ? "sending" : "kept");
    return element(
      "li", { class: "unsent" },
      element("span", { class: "words" }, element("b", { dir: "auto" }, words.slice(0, 80)), element("small", { class: ask.error ? "late" : null }, state)),
      ask.error && action(say("edit"), edit, { class: "quiet" }),
      ask.error && action(say("remove"), drop, { class: "quiet" }),
    );
  };

  function draw() {
    const held = /** @type {ShadowRoot} */ (node.getRootNode()).activeElement;
    const at = held ? [...rows.querySelectorAll("button")].indexOf(/** @type {any} */ (held)) : -1;
    const waiting = outbox.waiting().filter((ask) => /submit|ask_back/.test(ask.name));
    items.forEach(row);
    reconcile(rows, [
      ...waiting.map((ask) => ({ key: ask.client_id, mark: JSON.stringify([ask.error, chat.state.name === "online"]), make: () => unsent(ask) })),
      ...items.map((it) => ({ key: it.number, mark: "", make: () => made.get(it.number)?.node || row(it) })),
    ]);
    more.hidden = !before;
    if (held && !held.isConnected) rows.querySelectorAll("button")[at]?.focus();
  }

  /** @param {boolean} [further] */
  async function load(further = false) {
    const mine = ++round;
    const answer = await chat.call("request.list", { locale, before: further && before ? before : undefined });
    if (mine !== round) return;
    if (answer.ok) {
      items = further ? [...items, ...answer.items] : answer.items;
      before = answer.next_before;
    }
    note.textContent = answer.ok ? (items.length || rows.children.length ? "" : say("none")) : say("notNow");
    draw();
  }

  let known = !back.hidden;
  /** Who is not signed in may have shown that an address is theirs. */
  async function learn() {
    if (known) return;
    const answer = await chat.call("request.orders", {});
    known ||= answer.ok;
    if (answer.ok) back.hidden = !answer.orders.length;
  }

  draw();
  load();
  learn();
  return {
    node,
    settled: () => load(),
    refresh() {
      load();
      learn();
    },
  };
}
