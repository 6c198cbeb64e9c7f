import { action, element } from "./element.js";
import { anchor, safeUrl } from "./links.js";

/** @param {ArticleWords} words @returns {(string | HTMLElement)[]} */
const worded = (words) =>
  words.map(({ text, bold, href }) => {
    const address = safeUrl(href, /^(https?|mailto|tel):$/);
    const said = bold ? element("b", {}, text) : text;
    return address ? anchor(address, {}, said) : said;
  });

/** @param {ArticleBlock} block */
function blockNode({ type, words = [], items = [], ordered }) {
  if (type === "list") return element(ordered ? "ol" : "ul", {}, ...items.map((item) => element("li", {}, ...worded(item))));
  return element(type === "heading" ? "h4" : "p", {}, ...worded(words));
}

/**
 * An article over the rest of the panel, and the question whether it helped.
 * @param {{
 *   article: FoundAnswer,
 *   base: URL,
 *   say: Say,
 *   locale: Locale,
 *   judge: (helped: boolean) => Promise<boolean>,
 *   helped: string,
 *   onNo: () => void,
 *   onClose: () => void,
 * }} parts judge: false when the desk could not be told; helped: what is said after a yes
 */
export function articleReader({ article, base, say, locale, judge, helped, onNo, onClose }) {
  const title = element("h3", { tabindex: -1 }, article.title);
  const href = new URL(article.address, base).href;
  const page = anchor(href, { class: "page" }, say("articlePage"), element("span", { class: "unseen" }, ` (${say("opensTab")})`));
  const foot = verdict({
    say, judge, onNo,
    onYes: () => [element("p", {}, helped), action(say("articleMore"), onClose, { class: "secondary" })],
  });
  const node = element(
    "section",
    { class: "reader", "aria-label": article.title },
    element("header", { class: "head" }, action(say("articleBack"), onClose, { icon: "back", class: "tool" }), element("div", { class: "who" }, element("h2", {}, say("articleHead")))),
    element("div", { class: "article", tabindex: 0, lang: article.locale.startsWith(locale) ? null : article.locale }, title, ...article.blocks.map(blockNode), page),
    foot,
  );
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.stopPropagation();
    onClose();
  });
  return { node, focus: () => title.focus() };
}

/**
 * "Did this help?" A yes is told before it is thanked for; a no leads on to a person whatever happens.
 * @param {{
 *   say: Say,
 *   judge: (helped: boolean) => Promise<boolean>,
 *   onYes: () => (Node | string)[],
 *   onNo: () => void,
 * }} parts onYes: what then stands in its place
 */
export function verdict({ say, judge, onYes, onNo }) {
  const trouble = element("p", { class: "error", role: "alert", hidden: true }, say("endFailed"));
  const yes = action(say("helpedYes"), async () => {
    yes.disabled = true;
    const told = await judge(true);
    yes.disabled = false;
    trouble.hidden = told;
    if (!told) return;
    node.replaceChildren(...onYes());
    node.focus();
  }, { class: "secondary" });
  const no = action(say("helpedNo"), () => {
    judge(false);
    onNo();
  }, { class: "secondary" });
  const node = element("div", { class: "verdict", tabindex: -1 }, element("p", {}, say("helpedAsk")), element("div", { class: "row" }, yes, no), trouble);
  return node;
}
