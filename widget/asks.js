import { cards } from "./blocks.js";
import { action, drawing, element } from "./element.js";
import { isIncoming, isOver } from "./store.js";
import { linked } from "./links.js";
import { ratingCard } from "./rating.js";
import { newId } from "./vault.js";

/** So long somebody waits before they are offered to leave a message instead. */
const PATIENCE_MS = 180_000;
const AGAIN_MAX_MS = 30_000;
const KEPT = "asks";
const PASSING = /^(unavailable|too_many|internal)$/;
const NOTE = "M14 2H6a2 2 0 0 0-2 2v16a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2V8zM14 2v6h6M8 13h8M8 17h5";

/**
 * The ways to leave a message and to one's requests, and what of them the desk has not confirmed. The rest is loaded
 * when it is reached for; what is still to be sent is kept in the vault under its own `client_id`, so it survives a
 * reload and is never doubled.
 * @param {{
 *   say: Say,
 *   locale: Locale,
 *   chat: ReturnType<typeof import("./chat.js").createChat>,
 *   shell: Shell,
 *   vault: Vault,
 *   ui: Ui,
 *   attach: ReturnType<typeof import("./attach.js").createAttach>,
 * }} parts
 */
export function createAsks({ say, locale, chat, shell, vault, ui, attach }) {
  const start = /** @type {HTMLButtonElement} */ (ui.home.cards.querySelector(".primary"));
  const talk = /** @type {HTMLElement} */ (start.closest(".box"));
  const panel = /** @type {HTMLElement} */ (start.closest(".panel"));
  /** @type {Promise<RequestsView | null> | undefined} */
  let loading;
  /** @type {RequestsView | null} */
  let view = null;
  /** @type {object | undefined} */
  let news;
  let line = "";
  let whose = "";
  let busy = false;
  let tries = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let again;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let patience;

  // -- what is to be sent -------------------------------------------------------------------------

  /** Other tabs write it too: the vault is asked each time. @returns {Ask[]} */
  const waiting = () => {
    try {
      return JSON.parse(vault.get(KEPT) || "[]");
    } catch {
      return [];
    }
  };

  /** @param {Ask[]} asks */
  const keep = (asks) => {
    if (asks.length) vault.set(KEPT, JSON.stringify(asks));
    else vault.drop(KEPT);
  };

  /** @param {string} id */
  const drop = (id) => keep(waiting().filter((ask) => ask.client_id !== id));

  async function pump() {
    const next = waiting().find((ask) => !ask.error);
    if (busy || again || !next || chat.state.name !== "online") return;
    busy = true;
    const { client_id, name, payload } = next;
    const answer = await chat.call(name, { ...payload, client_id });
    busy = false;
    const code = answer.error?.code || "";
    if (!answer.ok && PASSING.test(code)) {
      const asked = (answer.error?.details?.retry_after_s || 0) * 1000;
      again = setTimeout(() => ((again = undefined), pump()), Math.max(asked, Math.min(AGAIN_MAX_MS, 500 * 2 ** tries++) * (0.5 + Math.random() / 2)));
      return;
    }
    tries = 0;
    // What they said of themselves is not asked again.
    const { customer } = chat.welcome || {};
    const { name: said, email } = /** @type {{name?: string, email?: string}} */ (payload);
    if (answer.ok && customer && name === "request.submit") {
      customer.name ||= said;
      customer.email ||= email;
    }
    // A word that came too late is nothing to be changed and sent again.
    if (answer.ok || /(confirm|rate)$/.test(name)) drop(client_id);
    else keep(waiting().map((ask) => (ask.client_id === client_id ? { ...ask, error: answer.error } : ask)));
    view?.settled(next, answer);
    pump();
  }

  const outbox = {
    waiting,
    drop,
    /** Keeps something to be sent, and sends it as soon as there is a way. @param {string} name @param {object} payload @param {Block[]} [shown] */
    add(name, payload, shown) {
      /** @type {Ask} */
      const ask = { client_id: newId(), name, payload, at_ms: Date.now(), shown };
      keep([...waiting(), ask]);
      pump();
      return ask;
    },
  };

  /** The rating speaks of a chat; here it is a request. @type {Say} */
  const ofRequest = (key, values) => say(key === "rateAsk" ? "rateRequest" : key === "rated" ? "ratedRequest" : key, values);

  // -- the ways in --------------------------------------------------------------------------------

  /** @returns {Promise<RequestsView | null>} */
  const load = () =>
    (loading ||= Promise.all([
      import("./requests.js"),
      locale === "zh" ? import("./locales/zh.requests.js") : import("./locales/en.requests.js"),
      fetch(new URL("requests.css", import.meta.url)).then((response) => response.text()),
    ]).then(
      ([module, { words }, css]) => {
        if (!shell.dressed) shell.style(css, "requests.css");
        shell.dressed = true;
        view = module.createRequests({
          words, locale, chat, shell, vault, panel, outbox, linked,
          cards: (blocks) => cards(blocks, say, locale, attach.card),
          uploads: attach.uploads,
          rating: (score, rate) => ratingCard({ conversation: /** @type {any} */ ({ score }), say: ofRequest, rate }),
        });
        return view;
      },
      () => {
        loading = undefined;
        return null;
      },
    ));

  /** @param {HTMLElement} from @param {(view: RequestsView) => void} how */
  const open = (from, how) => async () => {
    const found = await load();
    if (!found) return;
    found.opener = () => from;
    how(found);
  };

  /** The shopper's own words that nobody has answered yet. */
  const unanswered = () => {
    const lines = chat.shown?.lines || [];
    const since = lines.slice(lines.findLastIndex(isIncoming) + 1);
    const said = since.map((line) => (line.type === "message" ? line.message.body : "")).filter(Boolean);
    return [...said, ...chat.pending().map((entry) => entry.body)].join("\n");
  };

  const leave = action(say("leaveMessage"), () => {}, { class: "secondary leave", hidden: true });
  leave.addEventListener("click", open(leave, (it) => it.form({ text: ui.composer.input.value })));
  const instead = action(say("leaveMessage"), () => {}, { class: "secondary" });
  instead.addEventListener(
    "click",
    open(ui.composer.input, (it) => it.form({ text: ui.composer.input.value || unanswered(), conversation_id: chat.shownId || undefined })),
  );
  const why = element("p", {});
  const bar = element("div", { class: "leavebar", hidden: true }, why, instead);
  const told = element("small", {});
  const go = element("button", { type: "button", class: "entry" }, drawing(NOTE, "note"), element("span", { class: "words" }, element("b", {}, say("requests")), told), drawing("m9 18 6-6-6-6", "next"));
  go.addEventListener("click", open(go, (it) => it.list()));
  const box = element("div", { class: "box", hidden: true }, go);

  /** Since when the shopper waits for anybody in the shown chat; 0 when they do not. */
  const since = () => {
    const it = chat.shown;
    if (!it || it.agent || isOver(it) || !it.lines.length) return 0;
    const last = it.lines.findLastIndex(isIncoming);
    return it.lines.slice(last + 1).find((line) => line.type === "message")?.at_ms || 0;
  };

  return {
    /** Puts the ways where they belong, and sends what waits. */
    draw() {
      pump();
      const { welcome, state } = chat;
      // Signed out: what was read belongs to whom was here before. Who signs in goes on with what they began.
      if (welcome && whose !== welcome.customer_id) {
        if (whose && !welcome.customer?.verified) view?.close();
        whose = welcome.customer_id;
      }
      if (!welcome?.requests) return;
      if (!bar.isConnected) {
        start.after(leave);
        talk.after(box);
        ui.composer.nodes[0].before(bar);
      }
      const { shop, requests } = welcome;
      const alone = state.name === "online" && !shop.agents_online;
      const closed = (shop.opens_at_ms || 0) > Date.now();
      const usable = state.name !== "refused";
      leave.hidden = !usable || !(alone || closed);
      talk.classList.toggle("away", alone);
      const pending = waiting().length;
      const known = welcome.customer?.verified;
      box.hidden = !usable || !(requests.count || pending || known);
      told.textContent = requests.unread ? say("requestsNew", { n: requests.unread }) : requests.count || pending ? say("requestsCount", { n: requests.count || pending }) : say("requestsNone");
      told.classList.toggle("new", requests.unread > 0);

      clearTimeout(patience);
      const from = since();
      const left = from ? from + PATIENCE_MS - Date.now() : 0;
      const shown = usable && from > 0 && (left <= 0 || alone || closed);
      if (from && left > 0) patience = setTimeout(() => this.draw(), left + 50);
      why.textContent = say(alone || closed ? "leaveAlone" : "leaveLong");
      bar.hidden = !shown;
      // A welcome and each change bring another object; what waits is said otherwise without a connection.
      if (requests !== news || line !== state.name) {
        news = requests;
        line = state.name;
        view?.refresh();
      }
    },
  };
}
