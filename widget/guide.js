import { articleReader, verdict } from "./articles.js";
import { action, drawing, element, icon, reconcile } from "./element.js";
import { isIncoming, isOver } from "./store.js";

const PAUSE_MS = 250;
const ASKED_MAX = 2000;
const GLASS = "m21 21-4.3-4.3M11 3a8 8 0 1 0 0 16 8 8 0 0 0 0-16";

/** Whether there is enough to look for: two Chinese characters, or four others. @param {string} text */
const isEnough = (text) => (text.match(/\p{Script=Han}/gu) || []).length > 1 || (text.match(/[\p{L}\p{N}]/gu) || []).length > 3;

/**
 * Answers that shoppers find themselves: on the first page, below the input while they write a first question, and beside
 * the question once it was sent. Nothing of it stands between the shopper and a person.
 * @param {{
 *   say: Say,
 *   locale: Locale,
 *   chat: ReturnType<typeof import("./chat.js").createChat>,
 *   shell: Shell,
 *   ui: Ui,
 * }} parts
 */
export function createGuide({ say, locale, chat, shell, ui }) {
  const { input, nodes } = ui.composer;
  const start = /** @type {HTMLButtonElement} */ (ui.home.cards.querySelector(".primary"));
  const panel = /** @type {HTMLElement} */ (start.closest(".panel"));
  const news = element("p", { class: "unseen", role: "status" });
  /** Sent messages that were looked at; those of the page before this one are not, which their ids tell. @type {Set<string>} */
  const seen = new Set();
  /** @param {string} id */
  const isOld = (id) => parseInt(id.replace("-", "").slice(0, 12), 16) < performance.timeOrigin;
  /** @type {HTMLElement | null} */
  let card = null;
  /** The message that the card is for. */
  let cardFor = "";
  // The language changed while an article was open.
  panel.classList.remove("reading");

  /** Whether what was written before this had come was looked at. */
  let begun = false;
  /** Articles that did not help: they are not brought up again unasked. @type {Set<string>} */
  const refused = new Set();

  /** A first question has no conversation that goes on, or begins it. @param {string} [id] */
  const isFirst = (id) => !chat.shown || isOver(chat.shown) || Boolean(id && chat.shown.lines.every((line) => line.type !== "message" || line.key === id));

  /** Whether nobody has answered it: once a person does, that is the answer; and another chat has another question.
   * @param {string} id of a sent message */
  const stands = (id) => {
    const lines = chat.shown?.lines || [];
    const at = lines.findIndex((line) => line.key === id);
    return at < 0 ? chat.pending().some((entry) => entry.client_id === id) : !lines.slice(at).some(isIncoming);
  };

  /** Asks the desk while somebody writes into a field, and lists what it found.
   * @param {HTMLInputElement | HTMLTextAreaElement} field @param {HTMLElement} box
   * @param {{wanted: () => boolean, empty: (online: boolean) => string, open: (article: FoundAnswer, found: Found) => void, more: boolean}} how */
  const finder = (field, box, how) => {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    let round = 0;
    /** @type {string | undefined} */
    let id;
    /** Counts the questions: an answer that comes late belongs to its own. */
    let question = 0;
    /** @type {Found | null} */
    let found = null;

    const clear = () => {
      clearTimeout(timer);
      round += 1;
      found = null;
      box.replaceChildren();
    };

    /** @param {string} id */
    const choose = (id) => {
      const article = found?.items.find((one) => one.article_id === id);
      if (found && article) how.open(article, found);
    };

    const caption = element("div", { class: "caption" }, say("answersFound"));
    const list = element("ul", { class: "past", "aria-label": say("answersFound") });

    /** @param {FoundAnswer} article */
    const row = (article) =>
      element(
        "li", {},
        element(
          "button",
          { type: "button", class: "entry", lang: article.locale.startsWith(locale) ? null : article.locale, on: { click: () => choose(article.article_id) } },
          element("span", { class: "words" }, element("b", {}, article.title), how.more && element("small", {}, article.summary)),
          drawing("m9 18 6-6-6-6", "next"),
        ),
      );

    const draw = () => {
      const items = found?.items || [];
      const none = how.empty(chat.state.name === "online");
      if (items.length) {
        // What is found again stays: the keyboard may be in it, or a press that has begun.
        reconcile(list, items.map((it) => ({ key: it.article_id, mark: JSON.stringify([it.title, it.locale, it.summary]), make: () => row(it) })));
        if (list.parentNode !== box) box.replaceChildren(caption, list);
      } else box.replaceChildren(none && element("p", {}, none));
      const words = items.length ? say("answersCount", { n: items.length }) : none;
      if (news.textContent !== words) news.textContent = words;
    };

    /** @param {string} text @returns {Promise<Found | null>} */
    const find = async (text) => {
      const mine = question;
      const answer = await chat.call("answer.find", { text: text.slice(0, ASKED_MAX), locale, suggestion_id: id });
      if (mine === question) id = (answer.ok && answer.suggestion_id) || id;
      return answer.ok ? { text, suggestion_id: answer.suggestion_id, band: answer.band, items: answer.items } : null;
    };

    const look = async () => {
      const text = field.value.trim();
      clearTimeout(timer);
      if (!isEnough(text) || !how.wanted()) return clear();
      const mine = ++round;
      const next = await find(text);
      if (mine !== round) return;
      found = next;
      draw();
    };

    field.addEventListener("input", () => {
      clearTimeout(timer);
      if (isEnough(field.value.trim()) && how.wanted()) timer = setTimeout(look, PAUSE_MS);
      else clear();
    });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      clear();
      field.focus();
    });
    /** The question has had its answer; the next one is another. */
    const done = () => {
      question += 1;
      id = undefined;
      clear();
    };
    return {
      clear, look, done,
      /** What was found for a text that was just sent. @param {string} text */
      async forSent(text) {
        const answer = found?.text === text ? found : find(text);
        done();
        return answer;
      },
    };
  };

  /** @param {Found} found @param {FoundAnswer} article @param {boolean} [sent] */
  const judgeOf = (found, article, sent = false) => async (/** @type {boolean} */ helped) => {
    const conversation_id = (sent && chat.shownId) || undefined;
    if (!helped) refused.add(article.article_id);
    const said = { suggestion_id: found.suggestion_id, article_id: article.article_id, helped, conversation_id };
    return (await chat.call("answer.judge", said)).ok;
  };

  /** Opens an article over the panel.
   * @param {FoundAnswer} article @param {(helped: boolean) => Promise<boolean>} judge @param {string} helped
   * @param {() => void} onNo @param {() => void} onClosed */
  const read = (article, judge, helped, onNo, onClosed) => {
    const close = () => {
      reader.node.remove();
      panel.classList.remove("reading");
    };
    const reader = articleReader({
      article, base: shell.base, say, locale, judge, helped,
      onNo() {
        close();
        onNo();
      },
      onClose() {
        close();
        onClosed();
      },
    });
    panel.append(reader.node);
    panel.classList.add("reading");
    reader.focus();
  };

  /** Goes on to a person with the question in the input. @param {string} question */
  const toPerson = (question) => {
    // The way that the first page has: into the chat that goes on, or into a new one.
    if (start.getClientRects().length) start.click();
    if (!input.value) write(question);
    composing.done();
    kept.hidden = false;
    input.focus();
  };

  /** @param {string} text */
  const write = (text) => {
    input.value = text;
    input.dispatchEvent(new Event("input"));
  };

  const box = element("div", { class: "guide" });
  const kept = element("p", { class: "guide kept", role: "status", hidden: true }, say("questionKept"));
  const composing = finder(input, box, {
    wanted: () => isFirst() && chat.state.name === "online",
    empty: () => "",
    more: false,
    open(article, found) {
      const judge = judgeOf(found, article);
      const yes = async (/** @type {boolean} */ helped) => {
        const told = await judge(helped);
        if (told && helped) {
          write("");
          composing.done();
        }
        return told;
      };
      read(article, yes, say("helpedUnsent"), () => toPerson(found.text), () => input.focus());
    },
  });
  input.addEventListener("input", () => {
    kept.hidden = true;
  });

  const search = element("input", { type: "search", enterkeyhint: "search", autocomplete: "off", maxlength: 200, "aria-label": say("searchLabel"), placeholder: say("searchHint") });
  const results = element("div", { class: "found" });
  const searching = finder(search, results, {
    wanted: () => true,
    empty: (online) => say(online ? "searchNothing" : "searchOffline"),
    more: true,
    open(article, found) {
      const judge = judgeOf(found, article);
      const yes = async (/** @type {boolean} */ helped) => {
        const told = await judge(helped);
        if (told && helped) {
          search.value = "";
          searching.done();
        }
        return told;
      };
      const no = () => {
        search.value = "";
        searching.done();
        toPerson(found.text);
      };
      read(article, yes, say("helpedThanks"), no, () => search.focus());
    },
  });
  const form = element("form", { role: "search", class: "search" }, drawing(GLASS, "search"), search);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    searching.look();
  });
  const shelf = element("div", { class: "box" }, element("h3", {}, say("searchHead")), form, results);

  /** What may answer a question that was just sent, while a person is on the way. @param {string} id @param {string} text */
  const offerAfter = async (id, text) => {
    const found = await composing.forSent(text);
    const article = found?.band === "answer" ? found.items[0] : null;
    if (!found || !article || refused.has(article.article_id) || !stands(id)) return;
    const judge = judgeOf(found, article, true);
    const say1 = (/** @type {string} */ words) => made.replaceChildren(element("div", { class: "row" }, element("p", {}, words), hide));
    const no = () => {
      say1(say("helpedNoSent"));
      input.focus();
    };
    const drop = () => {
      card?.remove();
      card = null;
      input.focus();
    };
    const hide = action(say("answerHide"), drop, { icon: "close", class: "tool" });
    const open = action(say("answerRead"), () => read(article, judged, say("helpedSent"), no, () => open.focus()), { class: "quiet" });
    const judged = async (/** @type {boolean} */ helped) => {
      const told = await judge(helped);
      if (told && helped) say1(say("helpedSent"));
      return told;
    };
    const asked = verdict({ say, judge, onYes: () => [say("helpedSent")], onNo: no });
    const made = element(
      "section",
      { class: "answer", "aria-label": say("answerHead") },
      element("div", { class: "row" }, element("div", { class: "caption" }, say("answerHead")), hide),
      element("h3", {}, article.title),
      element("p", { lang: article.locale.startsWith(locale) ? null : article.locale }, article.summary),
      open,
      asked,
    );
    card?.remove();
    card = made;
    cardFor = id;
    nodes[0].before(made);
    news.textContent = `${say("answerHead")}: ${article.title}`;
  };

  return {
    /** Puts things where they belong, and looks whether a first question was sent. */
    draw() {
      if (!box.isConnected) {
        nodes.at(-1)?.after(box, kept, news);
        start.closest(".box")?.after(shelf);
      }
      shelf.hidden = chat.state.name === "refused";
      if (!begun && chat.state.name === "online") {
        begun = true;
        if (shell.root.activeElement === input) composing.look();
      }
      if (box.firstChild && (!isFirst() || chat.state.name !== "online")) composing.clear();
      const here = shell.root.activeElement === input && document.visibilityState === "visible";
      // Sent, and perhaps with the desk before this had come.
      const arrived = (chat.shown?.lines || []).flatMap((line) => (line.type === "message" && !isIncoming(line) ? line.message : []));
      for (const { client_id, blocks, body } of [...chat.pending(), ...arrived]) {
        if (seen.has(client_id)) continue;
        seen.add(client_id);
        if (isOld(client_id)) continue;
        kept.hidden = true;
        if (here && isFirst(client_id) && !blocks?.length && isEnough(body)) offerAfter(client_id, body);
      }
      if (card && !stands(cardFor)) {
        card.remove();
        card = null;
      }
    },
  };
}
