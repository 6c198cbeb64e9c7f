/**
 * Answers at hand: the articles and replies that fit what the customer wrote last, or what is being written.
 * @typedef {{ by: "order"|"page", state?: string, order?: string, page?: string }} Raised
 * @typedef {{ article_id: string, kind: "article"|"reply", title: string, body: string, category: string | null, p: number, part: "title"|"phrasing"|"body", matched: string, why: Record<string, number>, raised?: Raised | null }} Item
 * @typedef {{ suggestion_id: string, id: string, items: Item[], corrections: Record<string, string>, took_ms: number }} Offer
 */
import { computed, effect, html, signal, untracked, useEffect } from "./vendor.js";
import { CommandError, command, tell } from "./connection.js";
import { current, currentId, link, thread } from "./store.js";
import { focusComposer, write, writingOf } from "./composer.js";
import { insertText } from "./reply.js";
import { isOpen } from "./waits.js";
import { plain } from "./plain.js";
import { t, textLanguage, tn } from "./words.js";
import { Icon } from "./late_icon.js";

const ASK_AFTER_MS = 200;
const MOST = 3;
/** What is less likely is not worth a look, even beside something good. */
const LEAST = 0.1;
/** How much a channel has to say to be named. */
const SPEAKS = 0.2;
/** Of a reply: what was written last says what it is about. */
const LAST_CHARS = 200;
const KEY = "shopbell.answers";
const alt = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌥" : "Alt";

const forMessage = signal(/** @type {Offer | null} */ (null));
/** The question that was looked for last, whether or not something fitted. */
let asked = /** @type {{ id: string, suggestion_id: string } | null} */ (null);
const forTyping = signal(/** @type {Offer | null} */ (null));
/** Offers of which nothing fitted. */
const refused = signal(/** @type {Set<string>} */ (new Set()));
/** What went into the reply being written: conversation and article. */
const used = signal(/** @type {Set<string>} */ (new Set()));

/** How the strip was left: cards, or one line; on a phone one line unless chosen otherwise. */
function left() {
  try {
    const chosen = localStorage.getItem(KEY);
    if (chosen) return chosen === "open";
  } catch {
    // Storage is forbidden: the choice lasts as long as the page.
  }
  return !matchMedia("(max-width: 760px)").matches;
}
const open = signal(left());
function toggle() {
  open.value = !open.value;
  try {
    localStorage.setItem(KEY, open.value ? "open" : "line");
  } catch {
    // As above.
  }
}

/** The customer's latest message while nobody has answered it. */
const question = computed(() => {
  const summary = current.value;
  if (!summary || !isOpen(summary)) return null;
  const events = thread.value?.id === summary.id ? thread.value.events : [];
  for (let i = events.length - 1; i >= 0; i -= 1) {
    if (events[i].kind !== "message.posted") continue;
    const { message } = events[i].data;
    if (message.visibility !== "public" || message.author.kind === "bot") continue;
    return message.author.kind === "customer" && message.body ? message.id : null;
  }
  return null;
});

/** @param {{ value: Offer | null }} into */
function asker(into) {
  let latest = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return {
    /** Forgets what was found and what is on its way. */
    drop() {
      clearTimeout(timer);
      latest += 1;
      into.value = null;
    },
    /** Asks after a while; an older question is not heard any more. @param {string} id @param {string} [text] */
    ask(id, text) {
      clearTimeout(timer);
      latest += 1;
      const mine = latest;
      timer = setTimeout(async () => {
        try {
          const found = await command("suggestion.ask", { conversation_id: id, ...(text === undefined ? {} : { text }) });
          if (mine !== latest) return;
          if (text === undefined) asked = found.suggestion_id ? { id, suggestion_id: found.suggestion_id } : null;
          const items = found.band === "none" ? [] : found.items.filter((/** @type {Item} */ item) => item.p >= LEAST).slice(0, MOST);
          into.value = found.suggestion_id && items.length ? { ...found, id, items } : null;
        } catch (error) {
          if (!(error instanceof CommandError)) throw error; // nobody asked for it: the next message asks again
          if (mine === latest) into.value = null;
        }
      }, ASK_AFTER_MS);
    },
  };
}
const message = asker(forMessage);
const typing = asker(forTyping);

effect(() => {
  const [id, asked, online] = [currentId.value, question.value, link.value === "online"];
  untracked(() => {
    if (!asked || forMessage.value?.id !== id) message.drop();
    if (id && asked && online) message.ask(id);
  });
});
effect(() => {
  currentId.value;
  untracked(typing.drop);
});

/** What is shown for a conversation: what fits the words being written goes before. @param {string} id */
function shownFor(id) {
  if (writingOf(id).visibility !== "public") return null;
  return [forTyping.value, forMessage.value].find((offer) => offer?.id === id && !refused.value.has(offer.suggestion_id)) ?? null;
}

/** Looks at what is being written. @param {string} id @param {HTMLTextAreaElement} field */
export function typed(id, field) {
  const text = field.value.slice(0, field.selectionStart).slice(-LAST_CHARS).trim();
  const han = text.match(/\p{Script=Han}/gu)?.length ?? 0;
  const latin = text.match(/[a-z]/gi)?.length ?? 0;
  if (han >= 2 || latin >= 4) typing.ask(id, text);
  else typing.drop();
}

/** Forgets what was found for words that are gone. */
export const untyped = typing.drop;

/** @param {string} id @param {Item} item */
const mark = (id, item) => `${id} ${item.article_id}`;

/** Puts an answer into the reply. @param {string} id @param {number} n 0 is the best @returns {boolean} whether there is one */
export function insert(id, n) {
  const offer = shownFor(id);
  const item = offer?.items[n];
  if (!offer || !item) return false;
  if (used.value.has(mark(id, item))) return true;
  used.value = new Set(used.value).add(mark(id, item));
  insertText(id, plain(item.body) || item.title);
  write(id, { origin: item.kind === "reply" ? "macro" : "kb" });
  tell("suggestion.accept", { suggestion_id: offer.suggestion_id, article_id: item.article_id });
  return true;
}

/** Puts an article that somebody looked for into the reply: it answers what the customer asked last. @param {string} id @param {Item} item */
export function useArticle(id, item) {
  insertText(id, plain(item.body) || item.title);
  write(id, { origin: item.kind === "reply" ? "macro" : "kb" });
  if (asked?.id === id && question.value) tell("suggestion.accept", { suggestion_id: asked.suggestion_id, article_id: item.article_id });
}

/** Whether the customer waits for an answer. */
export const isAsked = () => question.value !== null;

/** What else speaks for an answer, in words. @param {Raised} raised */
const raisedBy = ({ by, state, order, page }) => (by === "page" ? t("answer.raised.page", { page: page ?? "" }) : t(`answer.raised.${state}`, { order: order ?? "" }));

/** @param {Offer} offer */
function refuse(offer) {
  refused.value = new Set(refused.value).add(offer.suggestion_id);
  tell("suggestion.dismiss", { suggestion_id: offer.suggestion_id });
  focusComposer();
}

/** Which channels found it, the loudest first. @param {Record<string, number>} why */
const channels = (why) => Object.entries(why).filter(([, share]) => share >= SPEAKS).sort((a, b) => b[1] - a[1]).map(([name]) => t(`answer.by.${name}`)).join(t("answer.comma"));

/** @param {{ offer: Offer, item: Item, n: number, full: boolean }} props */
function Answer({ offer, item, n, full }) {
  const done = used.value.has(mark(offer.id, item));
  const share = `${Math.round(item.p * 100)}%`;
  const kind = t(`answer.${item.kind}`);
  const insertIt = html`<span class="sr">${t("answer.insert")} </span>`;
  const raised = item.raised ? raisedBy(item.raised) : "";
  const about = [t("answer.share", { share }), kind, channels(item.why), raised].filter(Boolean);
  const bar = html`<span class="abar" aria-hidden="true"><i style=${{ width: share }}></i></span>`;
  const act = { type: "button", "aria-keyshortcuts": `Alt+${n + 1}`, "aria-disabled": done ? "true" : undefined, onClick: () => insert(offer.id, n) };
  if (!full) return html`<button class="aline" ...${act} title=${about.join(" · ")}>${insertIt}<b lang=${textLanguage(item.title)}>${item.title}</b>${done ? html`<${Icon} name="check" />` : html`${bar}<small>${share}</small>`}</button>`;
  return html`<button class=${`acard ${n ? "" : "best"}`} ...${act}>
    ${insertIt}<span class="atop"><b lang=${textLanguage(item.title)}>${item.title}</b>${done ? html`<span class="adone"><${Icon} name="check" />${t("answer.done")}</span>` : html`<kbd aria-hidden="true">${alt} ${n + 1}</kbd>`}</span>
    <span class="atext" lang=${textLanguage(item.body)}>${plain(item.body).replace(/\s+/g, " ").slice(0, 240)}</span>
    <span class="awhy">${bar}<span>${share} · ${kind}</span><span class="aby">${channels(item.why)}</span>${raised ? html`<span class="araised">${raised}</span>` : null}
      ${item.part === "title" || !item.matched ? null : html`<span class="amatch">${t(`answer.matched.${item.part}`)} <q lang=${textLanguage(item.matched)}>${plain(item.matched).replace(/\s+/g, " ").slice(0, 120)}</q></span>`}</span>
  </button>`;
}

/** @param {{ id: string }} props */
export function Answers({ id }) {
  const empty = !writingOf(id).body;
  useEffect(() => {
    if (!empty) return;
    used.value = new Set(); // sent, or begun anew
    typing.drop();
  }, [empty, id]);
  const offer = shownFor(id);
  const full = open.value;
  const corrected = Object.entries(offer?.corrections ?? {}).map(([from, to]) => `${from} → ${to}`).join(", ");
  return html`<div class="sr" role="status">${offer && offer === forMessage.value ? tn("answers.found", offer.items.length) : ""}</div>
  ${offer ? html`<section class=${`answers ${full ? "" : "line"}`} aria-label=${t("answers")}>
    <div class="ahead"><${Icon} name="sparkles" /><b>${t("answers")}</b>
      ${corrected ? html`<span class="afix">${t("answers.corrected", { words: corrected })}</span>` : null}
      <span class="afrom">${t(offer === forTyping.value ? "answers.for_yours" : "answers.from", { ms: Math.round(offer.took_ms) })}</span>
      <button type="button" class="btn quiet anone" onClick=${() => refuse(offer)}>${t("answers.none")}</button>
      <button type="button" class="btn quiet icon afold" aria-expanded=${full} aria-label=${t(full ? "answers.less" : "answers.more")} title=${t(full ? "answers.less" : "answers.more")} onClick=${toggle}><${Icon} name="chevron-down" /></button></div>
    <div class="alist">${offer.items.map((item, n) => html`<${Answer} key=${item.article_id} offer=${offer} item=${item} n=${n} full=${full} />`)}</div>
  </section>` : null}`;
}
