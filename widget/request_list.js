import { action, drawing, element } from "./element.js";
import { day } from "./i18n.js";
import { refused } from "./request_form.js";
import { standing } from "./request_words.js";

/**
 * The shopper's own requests, the newest first; above them what is still to be sent.
 * @param {RequestTools} tools
 * @returns {RequestPage}
 */
export function requestList({ say, locale, chat, outbox, open, compose }) {
  const rows = element("ul", { class: "past" });
  const note = element("p", { class: "note", role: "status" }, say("loading"));
  const more = action(say("older"), () => load(true), { class: "secondary", hidden: true });
  const add = action(say("leave"), () => compose({}), { class: "primary" });
  const node = element("div", {}, note, rows, element("div", { class: "row" }, more, add));
  /** @type {RequestShown[]} */
  let items = [];
  /** @type {string | null} */
  let before = null;
  let round = 0;

  /** @param {RequestShown} it */
  const row = (it) =>
    element(
      "li", {},
      element(
        "button",
        { type: "button", class: "entry", on: { click: () => open(it.number) } },
        element(
          "span",
          { class: "words" },
          element("b", { dir: "auto" }, it.subject || it.number),
          element("small", { class: it.late ? "late" : null }, standing(it, say, locale)),
          element("small", {}, `${it.number} · ${day(it.created_at_ms, locale)}`),
        ),
        it.unread > 0 && element("span", { class: "dotnew" }, say("newAnswers", { n: it.unread })),
        drawing("m9 18 6-6-6-6", "next"),
      ),
    );

  /** What could not be sent yet, or was refused. @param {Ask} ask */
  const unsent = (ask) => {
    const drop = () => {
      outbox.drop(ask.client_id);
      draw();
    };
    const words = String(/** @type {any} */ (ask.payload).body || "");
    const state = ask.error ? refused(ask.error, say) : say(chat.state.name === "online" ? "sending" : "kept");
    return element(
      "li", { class: "unsent" },
      element("span", { class: "words" }, element("b", { dir: "auto" }, words.slice(0, 80)), element("small", { class: ask.error ? "late" : null }, state)),
      ask.error && action(say("edit"), () => (outbox.drop(ask.client_id), compose({ text: words })), { class: "quiet" }),
      ask.error && action(say("remove"), drop, { class: "quiet" }),
    );
  };

  function draw() {
    const held = /** @type {ShadowRoot} */ (node.getRootNode()).activeElement;
    const at = held ? [...rows.querySelectorAll("button")].indexOf(/** @type {any} */ (held)) : -1;
    rows.replaceChildren(...outbox.waiting().filter((ask) => ask.name === "request.submit").map(unsent), ...items.map(row));
    more.hidden = !before;
    rows.querySelectorAll("button")[at]?.focus();
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

  draw();
  load();
  return { node, settled: () => load(), refresh: () => load() };
}
