import { action, drawing, element } from "./element.js";
import { day } from "./i18n.js";
import { BOX, picture, price } from "./goods.js";
import { safeUrl } from "./links.js";
import { filesField } from "./request_files.js";
import { labelled, refused, showDone } from "./request_parts.js";
import { moment } from "./request_words.js";

const WISH_MAX = 4000;
/** @type {Record<string, string>} */
const STATES_OF_ORDERS = { placed: "orderPlaced", paid: "orderPaid", shipped: "orderShipped", delivered: "orderDelivered", cancelled: "orderCancelled", refunded: "orderRefunded" };
/** @type {Record<string, string>} */
const WANTED = { return: "wantReturn", exchange: "wantExchange", refund: "wantRefund", cancel: "wantCancel" };
const DRAFT_BACK = "backdraft";

/** @typedef {{number?: string, wanted?: string, outcome?: string, words?: string, lines?: Record<string, {quantity: string, reason: string}>}} BackDraft */

/** @param {OwnLine} line */
const thumb = (line) => {
  const src = safeUrl(line.image_url);
  const box = element("span", { class: "thumb" }, drawing(BOX, "box"));
  if (src) box.append(picture(src, ""));
  return box;
};

/**
 * The shopper's orders, of which something can be asked back.
 * @param {RequestTools} tools @param {AskPrefill} prefill
 * @returns {RequestPage}
 */
export function orderList({ say, locale, chat, askBack, compose }, prefill) {
  const rows = element("ul", { class: "past" });
  const note = element("p", { class: "note", role: "status" }, say("loading"));
  const other = action(say("leave"), () => compose({ text: prefill.text }), { class: "secondary", hidden: true });
  const node = element("div", {}, element("p", { class: "lead" }, say("pickOrder")), note, rows, element("div", { class: "row" }, other));

  /** @type {NamedChoice[]} */
  let outcomes = [];
  /** @param {OwnOrder} it */
  const row = (it) =>
    element(
      "li", {},
      element(
        "button",
        { type: "button", class: "entry", on: { click: () => askBack(it, outcomes, prefill) } },
        it.lines[0] ? thumb(it.lines[0]) : null,
        element(
          "span", { class: "words" },
          element("b", {}, say("orderNumber", { number: it.number })),
          element("small", {}, `${say(STATES_OF_ORDERS[it.state])} · ${day(it.created_at_ms, locale)}`),
          element("small", { dir: "auto" }, it.lines.map((line) => line.title).join(" · ")),
        ),
        drawing("m9 18 6-6-6-6", "next"),
      ),
    );

  let asking = false;
  async function load() {
    if (asking || rows.children.length) return;
    asking = true;
    const answer = await chat.call("request.orders", {});
    asking = false;
    if (!node.isConnected) return; // they have gone elsewhere meanwhile
    /** @type {OwnOrder[]} */
    const found = answer.orders || [];
    outcomes = answer.outcomes || [];
    const again = /** @type {{number?: string} | undefined} */ (prefill.ask?.payload);
    const asked = again && found.find((it) => it.number === again.number);
    if (asked) return askBack(asked, outcomes, prefill);
    note.textContent = !answer.ok ? say("notNow") : found.length ? "" : say("noOrders");
    other.hidden = !answer.ok || found.length > 0;
    rows.replaceChildren(...found.map(row));
  }

  load();
  return { node, refresh: load };
}

/**
 * Lines of an order to be returned, exchanged, refunded or cancelled: how many, why, and what should come of it. A
 * person decides; no money moves by it.
 * @param {RequestTools} tools @param {OwnOrder} order @param {NamedChoice[]} outcomes @param {AskPrefill} prefill
 * @returns {RequestPage}
 */
export function askBackForm(tools, order, outcomes, { text = "", wanted = "", ask }) {
  const { say, locale, chat, vault, outbox, close, list, open, compose } = tools;
  /** @type {BackDraft} */
  let kept = {};
  try {
    kept = JSON.parse(vault.get(DRAFT_BACK) || "{}");
  } catch {
    // unreadable: as if there were none
  }
  if (kept.number !== order.number) kept = {};
  const again = /** @type {any} */ (ask?.payload);
  if (again) {
    const lines = Object.fromEntries(again.lines.map((/** @type {any} */ it) => [it.line_no, { quantity: String(it.quantity), reason: it.reason }]));
    kept = { ...again, lines };
  }
  wanted ||= kept.wanted || "";

  const money = (/** @type {OwnLine} */ line) => price({ price_minor: line.price_minor, currency: order.currency }, locale);
  /** @type {{line: OwnLine, tick: HTMLInputElement, quantity: HTMLInputElement, reason: HTMLSelectElement}[]} */
  const picks = [];

  /** @param {OwnLine} line */
  const row = (line) => {
    const words = element(
      "span", { class: "words" },
      element("b", { dir: "auto" }, line.title),
      element("small", {}, [line.sku, money(line), line.quantity > 1 ? `× ${line.quantity}` : ""].filter(Boolean).join(" · ")),
    );
    const gone = line.quantity - line.left;
    const taken = gone > 0 && element(
      "p", { class: "note" },
      say("taken", { n: gone }), " ",
      ...line.numbers.map((number) => action(number, () => open(number), { class: "quiet" })),
    );
    if (!line.left) return element("div", { class: "orderline" }, element("div", { class: "pickrow" }, thumb(line), words), taken);
    const before = kept.lines?.[line.line_no];
    const tick = element("input", { type: "checkbox", "aria-label": line.title, checked: Boolean(before) });
    const quantity = element("input", { type: "number", inputmode: "numeric", min: 1, max: line.left, value: before?.quantity || line.left });
    // Nobody says by saying nothing what is wrong with a product.
    const reason = element("select", {}, element("option", { value: "" }, say("choose")), ...order.reasons.map((it) => element("option", { value: it.id }, it.name[locale])));
    if (before?.reason) reason.value = before.reason;
    const how = element("div", { class: "how", hidden: !before }, line.left > 1 && labelled(quantity, say("howMany", { n: line.left })), labelled(reason, say("why")));
    tick.addEventListener("change", () => (how.hidden = !tick.checked));
    picks.push({ line, tick, quantity, reason });
    return element("div", { class: "orderline" }, element("label", { class: "pickrow" }, tick, thumb(line), words), how, taken);
  };

  const ways = order.wanted.map((name) => element("input", { type: "radio", name: "wanted", value: name, checked: name === wanted || order.wanted.length === 1 }));
  const outcome = element("select", {}, ...outcomes.map((it) => element("option", { value: it.id }, it.name[locale][0].toUpperCase() + it.name[locale].slice(1))));
  if (kept.outcome) outcome.value = kept.outcome;
  const outcomeField = labelled(outcome, say("outcome"));
  const words = element("textarea", { rows: 4, maxlength: WISH_MAX });
  words.value = text || kept.words || "";
  const files = filesField(tools, { keep: "backfiles", input: words });
  if (ask?.shown?.length) files.restore(ask.shown);
  const trouble = element("p", { class: "error", role: "alert", hidden: true });
  const alike = element("div", { class: "asksolved", role: "alert", hidden: true });
  const send = element("button", { type: "submit", class: "primary" }, say("askBackSend"));
  const form = element(
    "form", { class: "askform", novalidate: true },
    element("fieldset", { class: "ways" }, element("legend", {}, say("wanted")), ...ways.map((way, at) => element("label", {}, way, say(WANTED[order.wanted[at]])))),
    element("fieldset", { class: "orderlines" }, element("legend", {}, say("lines")), ...order.lines.map(row)),
    outcomeField,
    labelled(words, say("more")),
    files.node,
    element("p", { class: "note" }, say("noMoney")),
    trouble,
    alike,
    element("div", { class: "row" }, send),
  );
  const rest = picks.length > 0;
  const nothing = element("div", {}, rest ? null : element("div", { class: "orderlines" }, ...order.lines.map(row)), element("p", { class: "note" }, say(order.wanted.length ? "nothingLeft" : "nothingWanted")), action(say("leave"), () => compose({ text }), { class: "secondary" }));
  const node = element(
    "div", {},
    element("p", { class: "note" }, element("b", {}, say("orderNumber", { number: order.number })), `${say(STATES_OF_ORDERS[order.state])} · ${day(order.created_at_ms, locale)}`),
    order.wanted.length && rest ? form : nothing,
  );
  files.dropOn(node);

  const chosen = () => ways.find((way) => way.checked)?.value || "";
  const settle = () => (outcomeField.hidden = /^(cancel|exchange)$/.test(chosen()));
  const draft = () => {
    settle();
    const lines = Object.fromEntries(picks.filter((it) => it.tick.checked).map((it) => [it.line.line_no, { quantity: it.quantity.value, reason: it.reason.value }]));
    vault.set(DRAFT_BACK, JSON.stringify({ number: order.number, wanted: chosen(), outcome: outcome.value, words: words.value, lines }));
  };
  form.addEventListener("input", draft);
  settle();

  /** @param {string} said @param {HTMLElement} [field] */
  const wrong = (said, field) => {
    trouble.textContent = said;
    trouble.hidden = false;
    (field || send).focus();
  };

  let anyway = false;
  /** What the desk did not take, and why. @param {Failure | undefined} error */
  const explain = (error) => {
    const numbers = error?.details?.numbers || [];
    if (!numbers.length) return wrong(refused(error, say));
    anyway = true;
    alike.hidden = false;
    alike.replaceChildren(element("p", {}, say("alike")), element("p", {}, ...numbers.map((number) => action(number, () => open(number), { class: "quiet" }))), element("p", { class: "note" }, say("alikeHint")));
    send.textContent = say("sendAnyway");
    send.focus();
  };

  /** @type {Ask | null} */
  let asked = null;
  if (ask?.error) queueMicrotask(() => explain(ask.error));

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const mine = picks.filter((it) => it.tick.checked);
    if (!chosen()) return wrong(say("wantedMissing"), ways[0]);
    if (!mine.length) return wrong(say("pickMissing"), picks[0]?.tick);
    const bad = mine.find((it) => !it.quantity.value || !it.quantity.checkValidity() || !Number.isInteger(it.quantity.valueAsNumber));
    if (bad) return wrong(say("quantityWrong"), bad.quantity);
    const silent = mine.find((it) => !it.reason.value);
    if (silent) return wrong(say("reasonMissing"), silent.reason);
    trouble.hidden = true;
    files.when(() => {
      for (const old of [asked, ask]) if (old) outbox.drop(old.client_id);
      const sent = files.ids();
      asked = outbox.add(
        "request.ask_back",
        {
          number: order.number, wanted: chosen(), outcome: outcome.value || undefined, words: words.value.trim(), locale,
          lines: mine.map((it) => ({ line_no: it.line.line_no, quantity: it.quantity.valueAsNumber, reason: it.reason.value })),
          files: sent?.length ? sent : undefined, anyway: anyway || undefined,
        },
        files.blocks(),
      );
      vault.drop(DRAFT_BACK);
      files.leave();
      const online = chat.state.name === "online";
      const done = element("div", {});
      node.replaceChildren(done);
      showDone(tools, done, say(online ? "sending" : "kept"), [say(online ? "sendingHint" : "keptHint")], [action(say("toRequests"), list, { class: "secondary" })]);
    });
  });

  return {
    node,
    settled(settled, answer) {
      if (settled.client_id !== asked?.client_id) return;
      if (!answer.ok) {
        outbox.drop(settled.client_id);
        asked = null;
        node.replaceChildren(form);
        draft();
        files.save();
        return explain(answer.error);
      }
      files.clear();
      const promised = answer.promised_at_ms ? say("promisedBy", { time: moment(answer.promised_at_ms, locale) }) : say("promisedSoon");
      showDone(
        tools, node, say("gotIt", { number: answer.ticket_number }), [promised, say("nextHere")],
        [action(say("toRequests"), list, { class: "primary" }), action(say("done"), close, { class: "secondary" })],
        answer.ticket_number,
      );
    },
    refresh: files.again,
  };
}
