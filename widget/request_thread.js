import { action, element } from "./element.js";
import { clock, day } from "./i18n.js";
import { refused } from "./request_form.js";
import { WORDS_MAX, standing } from "./request_words.js";


/**
 * One request: what was written, and what the shopper can do: answer, say that it is solved or is not, rate.
 * @param {RequestTools} tools @param {string} number
 * @returns {RequestPage}
 */
export function requestThread({ say, locale, chat, vault, outbox, linked, rating, announce, read, open }, number) {
  const draft = "reply." + number;
  const facts = element("p", { class: "note", tabindex: -1 }, say("loading"));
  const said = element("ol", { class: "saids", "aria-label": say("messages") });
  const ask = element("div", {});
  const input = element("textarea", { rows: 3, maxlength: WORDS_MAX, "aria-label": say("reply"), placeholder: say("reply") });
  const send = element("button", { type: "submit", class: "primary" }, say("send"));
  const form = element("form", { class: "askform", hidden: true }, input, element("div", { class: "row" }, send));
  const trouble = element("p", { class: "error", role: "alert", hidden: true });
  const node = element("div", {}, facts, said, trouble, ask, form);
  let round = 0;
  let drawn = "";

  input.value = vault.get(draft) || "";
  input.addEventListener("input", () => (input.value ? vault.set(draft, input.value) : vault.drop(draft)));

  /** @param {Failure | undefined} error */
  const fail = (error) => {
    trouble.textContent = error?.code === "unavailable" ? say("notNow") : refused(error, say);
    trouble.hidden = false;
  };

  /** @param {string} command @param {object} payload */
  const tell = async (command, payload) => {
    const answer = await chat.call(command, { number, ...payload });
    trouble.hidden = answer.ok;
    if (!answer.ok) fail(answer.error);
    return answer;
  };

  const mine = () => outbox.waiting().filter((it) => it.name === "request.reply" && /** @type {any} */ (it.payload).number === number);

  /** @param {{mine: boolean, author: string | null, body: string, at_ms: number}} one @param {string} [state] */
  const bubble = (one, state) =>
    element(
      "li",
      { class: one.mine ? (state ? "said mine pending" : "said mine") : "said" },
      element("span", { class: "note" }, [one.mine ? say("you") : one.author || chat.welcome?.shop.name || "", `${day(one.at_ms, locale)} ${clock(one.at_ms, locale)}`, state].filter(Boolean).join(" · ")),
      element("div", { class: "bubble", dir: "auto" }, ...linked(one.body || say("gone"))),
    );

  /** @param {Answer} answer */
  const draw = (answer) => {
    /** @type {{request: RequestShown, messages: any[], rating: number | null, may_rate: boolean, may_write: boolean}} */
    const { request, messages, rating: score, may_rate, may_write } = /** @type {any} */ (answer);
    facts.replaceChildren(element("b", { dir: "auto" }, request.subject || number), element("span", { class: request.late ? "late" : null }, standing(request, say, locale)));
    said.replaceChildren(
      ...messages.map((one) => bubble(one)),
      ...mine().map((it) => bubble({ mine: true, author: null, body: String(/** @type {any} */ (it.payload).body || say("still")), at_ms: it.at_ms }, it.error ? refused(it.error, say) : say(chat.state.name === "online" ? "sending" : "kept"))),
    );
    form.hidden = !may_write;
    input.placeholder = say(request.over ? "stillWords" : "reply");
    send.textContent = say(request.over ? "still" : "send");
    const mark = JSON.stringify([request.over, score, may_rate, may_write]);
    if (mark === drawn) return;
    drawn = mark;
    const solved = action(say("solved"), async () => {
      if (!(await tell("request.confirm", {})).ok) return;
      announce(say("solvedThanks"));
      load();
    }, { class: "secondary" });
    const held = ask.contains(/** @type {ShadowRoot} */ (node.getRootNode()).activeElement);
    ask.replaceChildren(
      ...(request.over || !may_write ? [] : [element("div", { class: "asksolved" }, element("p", {}, say("solvedAsk")), solved)]),
      ...(may_rate ? [rating(score, (given, comment) => tell("request.rate", { score: given, comment: comment || undefined }))] : []),
    );
    // What held the focus is gone: the thread keeps it, or the keyboard would have left the panel.
    if (held) /** @type {HTMLElement} */ (ask.querySelector("input, button") || facts).focus();
  };

  async function load() {
    const here = ++round;
    const answer = await chat.call("request.open", { number, locale });
    if (here !== round) return;
    if (!answer.ok) {
      if (!said.children.length) facts.textContent = say(answer.error?.code === "unavailable" ? "notNow" : "noSuch");
      return;
    }
    if (answer.onward) return open(answer.onward);
    const seen = said.children.length;
    read(answer.request.unread);
    draw(answer);
    const last = answer.messages.at(-1);
    if (seen && last && !last.mine && said.children.length > seen) announce(`${last.author || ""}: ${last.body}`);
    if (!seen) said.lastElementChild?.scrollIntoView({ block: "nearest" });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = input.value.trim();
    if (!body && send.textContent !== say("still")) return input.focus();
    trouble.hidden = true;
    // One that was refused before is this one, with other words.
    for (const old of mine()) if (old.error) outbox.drop(old.client_id);
    const it = outbox.add("request.reply", { number, body, locale });
    input.value = "";
    vault.drop(draft);
    said.append(bubble({ mine: true, author: null, body: body || say("still"), at_ms: it.at_ms }, say(chat.state.name === "online" ? "sending" : "kept")));
    said.lastElementChild?.scrollIntoView({ block: "nearest" });
    input.focus();
  });

  load();
  return {
    node,
    settled(it, answer) {
      if (it.name !== "request.reply" || /** @type {any} */ (it.payload).number !== number) return;
      if (!answer.ok) fail(answer.error);
      else if (answer.number !== number) return open(answer.number);
      load();
    },
    refresh() {
      if (document.visibilityState === "visible") load();
    },
  };
}
