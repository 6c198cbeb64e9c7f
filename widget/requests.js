import { action, element } from "./element.js";
import { phrases } from "./i18n.js";
import { requestForm } from "./request_form.js";
import { requestList } from "./request_list.js";
import { askBackForm, orderList } from "./request_orders.js";
import { requestThread } from "./request_thread.js";

/**
 * Leaving a message, and one's own requests, over the rest of the panel. Loaded when it is reached for.
 * @param {RequestParts} parts
 * @returns {RequestsView}
 */
export function createRequests({ words, panel, ...parts }) {
  const { chat } = parts;
  const say = phrases(words);
  const title = element("h2", { tabindex: -1 });
  const body = element("div", { class: "requests" });
  const news = element("p", { class: "unseen", role: "status" });
  const back = action(say("back"), () => up(), { icon: "back", class: "tool" });
  const node = element("section", { class: "reader", "aria-label": say("requests") }, element("header", { class: "head" }, back, element("div", { class: "who" }, title)), body, news);
  /** @type {RequestPage | null} */
  let page = null;
  /** @type {(() => void) | null} */
  let above = null;

  const close = () => {
    page = null;
    node.remove();
    panel.classList.remove("reading");
    view.opener?.().focus();
  };
  const up = () => (above ? above() : close());

  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.stopPropagation();
    up();
  });

  /** @param {string} name @param {RequestPage} next @param {(() => void) | null} parent */
  const show = (name, next, parent) => {
    page = next;
    above = parent;
    title.textContent = name;
    body.replaceChildren(next.node);
    body.scrollTop = 0;
    if (!node.isConnected) panel.append(node);
    panel.classList.add("reading");
    (next.first || title).focus();
  };

  /** @type {RequestTools} */
  const tools = {
    ...parts,
    say,
    announce: (text) => (news.textContent = text),
    read: (unread) => {
      const known = chat.welcome?.requests;
      if (known) known.unread = Math.max(0, known.unread - unread);
    },
    close,
    list: () => view.list(),
    open: (number) => show(number, requestThread(tools, number), () => view.list()),
    compose: (prefill) => view.form(prefill, () => view.list()),
    orders: (prefill = {}) => show(say("askBack"), orderList(tools, prefill), () => view.list()),
    askBack: (order, outcomes, prefill = {}) => show(say("askBack"), askBackForm(tools, order, outcomes, prefill), () => tools.orders({ text: prefill.text, wanted: prefill.wanted })),
  };

  /** @type {RequestsView} */
  const view = {
    close() {
      if (page) close();
    },
    form(prefill, parent = null) {
      show(say("leave"), requestForm(tools, prefill), parent);
    },
    list() {
      show(say("requests"), requestList(tools), null);
    },
    settled: (ask, answer) => page?.settled?.(ask, answer),
    refresh: () => page?.refresh?.(),
  };
  return view;
}
