import { action, element, reconcile } from "./element.js";
import { clock, day } from "./i18n.js";
import { filesField } from "./request_files.js";
import { refused } from "./request_parts.js";
import { WORDS_MAX, standing } from "./request_words.js";

/** @typedef {{id: string, mine: boolean, author: string | null, body: string, blocks: Block[], at_ms: number}} Said */

/**
 * One request: what was written, and what the shopper can do: answer, send files, say that it is solved or is not,
 * rate. What cannot be sent now waits under an id of its own.
 * @param {RequestTools} tools @param {string} number
 * @returns {RequestPage}
 */
export function requestThread(tools, number) {
  const { say, locale, chat, vault, outbox, linked, cards, rating, announce, read, open } = tools;
  const draft = "reply." + number;
  const facts = element("p", { class: "note", tabindex: -1 }, say("loading"));
  const said = element("ol", { class: "saids", "aria-label": say("messages") });
  const solving = element("div", {});
  const judging = element("div", {});
  const ask = element("div", {}, solving, judging);
  const input = element("textarea", { rows: 3, maxlength: WORDS_MAX, "aria-label": say("reply"), placeholder: say("reply") });
  const files = filesField(tools, { keep: "replyfiles." + number, input });
  const send = element("button", { type: "submit", class: "primary" }, say("send"));
  const form = element("form", { class: "askform", hidden: true }, input, files.node, element("div", { class: "row" }, send));
  const trouble = element("p", { class: "error", role: "alert", hidden: true });
  const node = element("div", {}, facts, said, trouble, ask, form);
  files.dropOn(node);
  let round = 0;
  let drawn = "";
  let rated = "";
  let over = false;
  /** They have just said that it is solved. */
  let thanked = false;
  /** @type {Said[]} */
  let messages = [];
  /** Who waits for the desk's answer to what they said here. @type {Map<string, (answer: Answer) => void>} */
  const heard = new Map();

  // Pictures come after their words: what was shown at the end stays there until the shopper scrolls.
  let follows = true;
  const follow = () => {
    follows = true;
    said.lastElementChild?.scrollIntoView({ block: "nearest" });
  };
  new ResizeObserver(() => follows && said.lastElementChild?.scrollIntoView({ block: "nearest" })).observe(said);
  for (const name of ["wheel", "touchmove", "keydown", "pointerdown"]) node.addEventListener(name, () => (follows = false), { passive: true });

  input.value = vault.get(draft) || "";
  input.addEventListener("input", () => (input.value ? vault.set(draft, input.value) : vault.drop(draft)));

  /** @param {Failure | undefined} error */
  const fail = (error) => {
    trouble.textContent = refused(error, say);
    trouble.hidden = false;
  };

  /** Says something of the request, now or as soon as there is a way. @param {string} command @param {object} payload @returns {Promise<Answer>} */
  const tell = async (command, payload) => {
    trouble.hidden = true;
    const it = outbox.add(command, { number, ...payload });
    if (chat.state.name !== "online") return { ok: true, kept: true };
    const answer = await new Promise((/** @type {(answer: Answer) => void} */ done) => heard.set(it.client_id, done));
    if (answer.ok) return answer;
    outbox.drop(it.client_id);
    fail(answer.error);
    return answer;
  };

  const mine = () => outbox.waiting().filter((it) => /** @type {any} */ (it.payload).number === number);
  const waitingWords = () => say(chat.state.name === "online" ? "sending" : "kept");

  /** @param {Said} one @param {string} [state] */
  const bubble = (one, state) =>
    element(
      "li",
      { class: one.mine ? (state ? "said mine pending" : "said mine") : "said" },
      element("span", { class: "note" }, [one.mine ? say("you") : one.author || chat.welcome?.shop.name || "", `${day(one.at_ms, locale)} ${clock(one.at_ms, locale)}`, state].filter(Boolean).join(" · ")),
      (one.body || !one.blocks.length) && element("div", { class: "bubble", dir: "auto" }, ...linked(one.body || say("gone"))),
      ...cards(one.blocks),
    );

  const drawSaid = () => {
    const waiting = mine().filter((it) => it.name === "request.reply");
    reconcile(said, [
      ...messages.map((one) => ({ key: one.id, mark: JSON.stringify([one.author, one.body, one.blocks.map((it) => it.state)]), make: () => bubble(one) })),
      ...waiting.map((it) => {
        const { body } = /** @type {{body: string}} */ (it.payload);
        const state = it.error ? refused(it.error, say) : waitingWords();
        const one = { id: it.client_id, mine: true, author: null, body: body || (it.shown?.length ? "" : say("still")), blocks: it.shown || [], at_ms: it.at_ms };
        return { key: it.client_id, mark: state, make: () => bubble(one, state) };
      }),
    ]);
  };

  /** @param {Answer} answer */
  const draw = (answer) => {
    /** @type {{request: RequestShown, rating: number | null, may_rate: boolean, may_write: boolean}} */
    const { request, rating: score, may_rate, may_write } = /** @type {any} */ (answer);
    facts.replaceChildren(element("b", { dir: "auto" }, request.subject || number), element("span", { class: request.late ? "late" : null }, standing(request, say, locale)));
    messages = answer.messages;
    drawSaid();
    over = request.over;
    form.hidden = !may_write;
    input.placeholder = say(over ? "stillWords" : "reply");
    send.textContent = say(over ? "still" : "send");
    // Who has just been thanked is not pressed to say the contrary.
    send.className = over ? "secondary" : "primary";
    const confirming = mine().some((it) => it.name === "request.confirm" && !it.error);
    const answered = messages.at(-1)?.mine === false;
    const held = ask.contains(/** @type {ShadowRoot} */ (node.getRootNode()).activeElement);
    const judged = JSON.stringify([may_rate, score]);
    // What was ticked and written of a rating stays, whatever else is new.
    if (judged !== rated) judging.replaceChildren(...(may_rate ? [rating(score, (given, comment) => tell("request.rate", { score: given, comment: comment || undefined }))] : []));
    const mark = JSON.stringify([over, may_write, answered, confirming && chat.state.name]);
    if (mark !== drawn) drawSolving(answered, confirming, may_write);
    rated = judged;
    drawn = mark;
    // What held the focus is gone: the thread keeps it, or the keyboard would have left the panel.
    if (held && !ask.contains(/** @type {ShadowRoot} */ (node.getRootNode()).activeElement)) /** @type {HTMLElement} */ (ask.querySelector("input, button") || facts).focus();
  };

  /** @param {boolean} answered @param {boolean} confirming @param {boolean} may_write */
  const drawSolving = (answered, confirming, may_write) => {
    const solved = action(say("solved"), async () => {
      solved.disabled = true;
      const told = await tell("request.confirm", {});
      solved.disabled = false;
      if (!told.ok) return;
      thanked = !told.kept;
      announce(say(told.kept ? "kept" : "solvedThanks"));
      load();
    }, { class: "secondary" });
    const asking = element("div", { class: "asksolved" }, element("p", {}, confirming ? `${say("solved")} · ${waitingWords()}` : say(answered ? "solvedAsk" : "solvedEarly")), !confirming && solved);
    solving.replaceChildren(...(over ? (thanked ? [element("p", { class: "thanks" }, say("solvedThanks"))] : []) : may_write ? [asking] : []));
  };

  /** @type {Answer | undefined} */
  let latest;
  async function load() {
    const here = ++round;
    const answer = await chat.call("request.open", { number, locale });
    // The desk counts them as read, whether this answer is still the latest or not.
    if (answer.ok && !answer.onward) read(answer.request.unread);
    if (here !== round || !node.isConnected) return; // asked once more, or gone elsewhere
    if (!answer.ok) {
      if (latest) return draw(latest);
      facts.textContent = say(answer.error?.code === "unavailable" ? "notNow" : "noSuch");
      return;
    }
    if (answer.onward) return open(answer.onward);
    const seen = said.children.length;
    draw((latest = answer));
    const last = answer.messages.at(-1);
    if (seen && last && !last.mine && said.children.length > seen) announce(`${last.author || ""}: ${last.body}`);
    if (!seen || said.children.length > seen) follow();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!input.value.trim() && !over && !files.size) return input.focus();
    thanked = false;
    trouble.hidden = true;
    files.when(() => {
      const body = input.value.trim();
      // One that was refused before is this one, with other words.
      for (const old of mine()) if (old.error) outbox.drop(old.client_id);
      const sent = files.ids();
      outbox.add("request.reply", { number, body, locale, files: sent?.length ? sent : undefined }, files.blocks());
      input.value = "";
      vault.drop(draft);
      files.clear();
      drawSaid();
      input.focus({ preventScroll: true });
      follow();
    });
  });

  load();
  return {
    node,
    settled(it, answer) {
      if (/** @type {any} */ (it.payload).number !== number) return;
      const done = heard.get(it.client_id);
      heard.delete(it.client_id);
      if (done) return done(answer);
      if (it.name === "request.ask_back") return;
      if (!answer.ok) fail(answer.error);
      else if (answer.number !== number) return open(answer.number);
      load();
    },
    refresh() {
      files.again();
      if (document.visibilityState === "visible") load();
    },
  };
}
