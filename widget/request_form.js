import { action, element } from "./element.js";
import { day } from "./i18n.js";
import { filesField } from "./request_files.js";
import { labelled, refused, showDone } from "./request_parts.js";
import { WORDS_MAX, moment } from "./request_words.js";

const DRAFT = "askdraft";
/** Kinds for which lines of an order are chosen, where the shopper has orders. */
const BACK = ["return", "exchange", "refund", "cancel"];

/**
 * A message for when nobody is there, or a request about anything: it gets a number. Asked is only what the desk does
 * not know.
 * @param {RequestTools} tools @param {AskPrefill} prefill
 * @returns {RequestPage}
 */
export function requestForm(tools, { text = "", conversation_id, ask }) {
  const { say, locale, chat, vault, outbox, close, list, orders } = tools;
  const who = chat.welcome?.customer;
  /** @type {Record<string, string>} */
  let kept = {};
  try {
    kept = JSON.parse(vault.get(DRAFT) || "{}");
  } catch {
    // unreadable: as if there were none
  }
  const before = /** @type {Record<string, string>} */ (ask?.payload || {});
  /** The kind that was chosen, also while the kinds are still to come. */
  let chosen = before.type || kept.type || "";

  const name = element("input", { name: "name", autocomplete: "name", maxlength: 200 });
  const email = element("input", { name: "email", type: "email", autocomplete: "email", maxlength: 254, required: true });
  const kind = element("select", { name: "type" }, element("option", { value: "" }, say("kindAny")));
  const order = element("input", { name: "order_id", autocomplete: "off", maxlength: 64 });
  const own = element("select", { name: "order_id" }, element("option", { value: "" }, say("orderNone")));
  const message = element("textarea", { name: "body", rows: 5, maxlength: WORDS_MAX, required: true });
  const send = element("button", { type: "submit", class: "primary" }, say("leaveSend"));
  const trouble = element("p", { class: "error", role: "alert", hidden: true });
  const lead = element("p", { class: "lead" }, say("leaveLead"));
  const files = filesField(tools, { keep: "askfiles", input: message });
  const pick = action(say("pickLines"), () => orders({ text: message.value, wanted: kind.value }), { class: "secondary" });
  const lines = element("div", { class: "asksolved", hidden: true }, element("p", {}, say("pickLinesWhy")), pick);
  const orderField = labelled(order, say("order"));
  /** @type {(HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement)[]} */
  const fields = [name, email, kind, order, own, message];
  const form = element(
    "form",
    { class: "askform", novalidate: true },
    lead,
    !who?.verified && !who?.name && labelled(name, say("name")),
    !who?.verified && !who?.email && labelled(email, say("email"), say("emailWhy")),
    labelled(kind, say("kind")),
    lines,
    orderField,
    labelled(message, say("message")),
    files.node,
    trouble,
    element("div", { class: "row" }, send),
  );

  for (const field of fields) {
    const value = field === message ? text || before.body || kept.body : before[field.name] || kept[field.name];
    if (value && field !== kind && field !== own) field.value = value;
    field.addEventListener("input", () => {
      if (field === kind) chosen = kind.value;
      kept = { ...Object.fromEntries(fields.filter((it) => it.isConnected).map((it) => [it.name, it.value])), type: chosen };
      vault.set(DRAFT, JSON.stringify(kept));
      right(field);
      offer();
    });
  }
  if (ask?.shown?.length) files.restore(ask.shown);

  let known = false;
  let some = false;
  const offer = () => (lines.hidden = !some || !BACK.includes(kind.value));

  /** What the desk says of the form; asked again as long as it has not answered. */
  const learn = () => {
    if (!known) chat.call("request.form", {}).then(learnKinds);
    if (!some) chat.call("request.orders", {}).then(learnOrders);
  };

  /** @param {Answer} answer */
  const learnKinds = (answer) => {
    if (!answer.ok || known) return;
    known = true;
    for (const { id, name: words } of answer.kinds) kind.append(element("option", { value: id }, words[locale]));
    kind.value = chosen;
    if (answer.opens_at_ms) lead.textContent = say("leaveOpens", { time: moment(answer.opens_at_ms, locale) });
    offer();
  };

  /** @param {Answer} answer */
  const learnOrders = (answer) => {
    if (!answer.ok || some || !answer.orders.length) return;
    some = true;
    for (const it of /** @type {OwnOrder[]} */ (answer.orders)) {
      own.append(element("option", { value: it.number }, [it.number, day(it.created_at_ms, locale), it.lines[0]?.title].filter(Boolean).join(" · ")));
    }
    const said = before.order_id || kept.order_id || "";
    own.value = said;
    // What they have typed and is none of these stays as they typed it.
    if (!said || own.value === said) {
      const held = /** @type {ShadowRoot | Document} */ (order.getRootNode()).activeElement === order;
      orderField.replaceWith(labelled(own, say("orderOwn")));
      if (held) own.focus();
    }
    offer();
  };
  learn();

  /** Once it is changed it is no longer called wrong. @param {HTMLElement} field */
  const right = (field) => {
    if (!field.hasAttribute("aria-invalid")) return;
    field.removeAttribute("aria-invalid");
    trouble.hidden = true;
  };

  /** @param {string} words @param {HTMLElement} [field] */
  const wrong = (words, field) => {
    for (const it of fields) right(it);
    // Beside its field, where they look: the foot of the form may be out of sight.
    const label = field?.parentElement;
    if (label) label.append(trouble);
    else files.node.after(trouble);
    trouble.textContent = words;
    trouble.hidden = false;
    field?.setAttribute("aria-invalid", "true");
    field?.focus();
  };
  if (ask?.error) wrong(refused(ask.error, say));

  /** @type {Ask | null} */
  let asked = null;
  const node = element("div", {}, form);
  files.dropOn(node);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    // Typed again after it was refused: the words are another request then.
    if (email.isConnected && !email.checkValidity()) return wrong(say("emailWrong"), email);
    if (!message.value.trim()) return wrong(say("messageMissing"), message);
    trouble.hidden = true;
    files.when(() => {
      const given = fields.filter((it) => it.isConnected && it.value.trim()).map((it) => [it.name, it.value.trim()]);
      for (const old of [asked, ask]) if (old) outbox.drop(old.client_id);
      const sent = files.ids();
      const type = chosen || undefined;
      asked = outbox.add("request.submit", { ...Object.fromEntries(given), type, conversation_id, files: sent?.length ? sent : undefined }, files.blocks());
      vault.drop(DRAFT);
      files.leave();
      pending();
    });
  });

  const pending = () => {
    const online = chat.state.name === "online";
    showDone(tools, node, say(online ? "sending" : "kept"), [say(online ? "sendingHint" : "keptHint")], [action(say("toRequests"), list, { class: "secondary" })]);
  };

  return {
    node,
    settled(settled, answer) {
      if (settled.client_id !== asked?.client_id) return;
      if (!answer.ok) {
        node.replaceChildren(form);
        outbox.drop(settled.client_id);
        vault.set(DRAFT, JSON.stringify(kept));
        files.save();
        asked = null;
        return wrong(refused(answer.error, say));
      }
      files.clear();
      const address = email.isConnected ? "" : who?.email || "";
      const promised = answer.promised_at_ms ? say("promisedBy", { time: moment(answer.promised_at_ms, locale) }) : say("promisedSoon");
      showDone(
        tools, node,
        say("gotIt", { number: answer.ticket_number }),
        [promised, say(email.value || address ? "nextMail" : "nextHere", { email: email.value || address })],
        [action(say("toRequests"), list, { class: "primary" }), action(say("done"), close, { class: "secondary" })],
        answer.ticket_number,
      );
    },
    refresh() {
      files.again();
      learn();
    },
  };
}
