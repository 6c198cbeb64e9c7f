import { action, element } from "./element.js";
import { WORDS_MAX, moment } from "./request_words.js";

const DRAFT = "askdraft";

/**
 * A message for when nobody is there: it becomes a request with a number. Asked is only what the desk does not know.
 * @param {RequestTools} tools @param {{text?: string, conversation_id?: string}} prefill
 * @returns {RequestPage}
 */
export function requestForm({ say, locale, chat, vault, outbox, announce, close, list }, { text = "", conversation_id } = {}) {
  const who = chat.welcome?.customer;
  /** @type {Record<string, string>} */
  let kept = {};
  try {
    kept = JSON.parse(vault.get(DRAFT) || "{}");
  } catch {
    // unreadable: as if there were none
  }

  let count = 0;
  /** @param {HTMLElement} control @param {string} label @param {string} [hint] */
  const labelled = (control, label, hint) => {
    const id = "ask" + count++;
    control.id = id;
    if (hint) control.setAttribute("aria-describedby", id + "h");
    return element("div", { class: "field" }, element("label", { for: id }, label), control, hint && element("small", { id: id + "h" }, hint));
  };

  const name = element("input", { name: "name", autocomplete: "name", maxlength: 200 });
  const email = element("input", { name: "email", type: "email", autocomplete: "email", maxlength: 254, required: true });
  const kind = element("select", { name: "type" }, element("option", { value: "" }, say("kindAny")));
  const order = element("input", { name: "order_id", autocomplete: "off", maxlength: 64 });
  const message = element("textarea", { name: "body", rows: 5, maxlength: WORDS_MAX, required: true });
  const send = element("button", { type: "submit", class: "primary" }, say("leaveSend"));
  const trouble = element("p", { class: "error", role: "alert", hidden: true });
  const lead = element("p", { class: "lead" }, say("leaveLead"));
  /** @type {(HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement)[]} */
  const fields = [name, email, kind, order, message];
  const form = element(
    "form",
    { class: "askform", novalidate: true },
    lead,
    !who?.verified && !who?.name && labelled(name, say("name")),
    !who?.verified && !who?.email && labelled(email, say("email"), say("emailWhy")),
    labelled(kind, say("kind")),
    labelled(order, say("order")),
    labelled(message, say("message")),
    trouble,
    element("div", { class: "row" }, send),
  );

  for (const field of fields) {
    const value = field === message ? text || kept.body : kept[field.name];
    if (value && field !== kind) field.value = value;
    field.addEventListener("input", () => {
      kept = Object.fromEntries(fields.map((it) => [it.name, it.value]));
      vault.set(DRAFT, JSON.stringify(kept));
    });
  }

  chat.call("request.form", {}).then((answer) => {
    if (!answer.ok) return;
    for (const { id, name: words } of answer.kinds) kind.append(element("option", { value: id }, words[locale]));
    if (kept.type) kind.value = kept.type;
    if (answer.opens_at_ms) lead.textContent = say("leaveOpens", { time: moment(answer.opens_at_ms, locale) });
  });

  /** @param {string} words @param {HTMLElement} [field] */
  const wrong = (words, field) => {
    trouble.textContent = words;
    trouble.hidden = false;
    for (const it of fields) it.toggleAttribute("aria-invalid", it === field);
    field?.focus();
  };

  /** @type {Ask | null} */
  let asked = null;
  const node = element("div", {}, form);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    // Typed again after it was refused: the words are another request then.
    if (email.isConnected && !email.checkValidity()) return wrong(say("emailWrong"), email);
    if (!message.value.trim()) return wrong(say("messageMissing"), message);
    trouble.hidden = true;
    const given = fields.filter((it) => it.isConnected && it.value.trim()).map((it) => [it.name, it.value.trim()]);
    if (asked) outbox.drop(asked.client_id);
    asked = outbox.add("request.submit", { ...Object.fromEntries(given), conversation_id });
    vault.drop(DRAFT);
    pending();
  });

  /** @param {string} heading @param {string[]} words @param {(HTMLElement | false)[]} more @param {string} [number] */
  const say1 = (heading, words, more, number = "") => {
    const [before, after] = number ? heading.split(number) : [heading, ""];
    const head = element("h3", { tabindex: -1 }, before, number && element("span", { class: "whole" }, number), after);
    node.replaceChildren(element("div", { class: "askdone" }, head, ...words.map((it) => element("p", {}, it)), element("div", { class: "row" }, ...more)));
    head.focus();
    announce([heading, ...words].join(" "));
  };

  const pending = () => {
    const online = chat.state.name === "online";
    say1(say(online ? "sending" : "kept"), [say(online ? "sendingHint" : "keptHint")], [action(say("toRequests"), list, { class: "secondary" })]);
  };

  return {
    node,
    settled(ask, answer) {
      if (ask.client_id !== asked?.client_id) return;
      if (!answer.ok) {
        node.replaceChildren(form);
        outbox.drop(ask.client_id);
        vault.set(DRAFT, JSON.stringify(kept));
        asked = null;
        return wrong(refused(answer.error, say));
      }
      const address = email.isConnected ? "" : who?.email || "";
      const promised = answer.promised_at_ms ? say("promisedBy", { time: moment(answer.promised_at_ms, locale) }) : say("promisedSoon");
      say1(
        say("gotIt", { number: answer.ticket_number }),
        [promised, say(email.value || address ? "nextMail" : "nextHere", { email: email.value || address })],
        [action(say("toRequests"), list, { class: "primary" }), action(say("done"), close, { class: "secondary" })],
        answer.ticket_number,
      );
    },
  };
}

/** Why the desk did not take it. @param {Failure | undefined} error @param {Say} say */
export function refused(error, say) {
  if (error?.details?.reason === "blocked") return say("refusedBlocked");
  const names = { email: "emailWrong", body: "messageMissing" };
  const field = /** @type {Record<string, string>} */ (names)[/** @type {any} */ (error?.details)?.field || ""];
  return say(field || (error?.code === "too_large" ? "refusedLarge" : "refusedOther"));
}
