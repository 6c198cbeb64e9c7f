import { newId } from "./vault.js";

// The version of the words in the line about consent: another number for other words.
const TEXT_VERSION = "widget-1";

/**
 * What the shopper agreed to, and what is told of their pages while they do. Nothing is told before a yes, and nothing
 * where the browser sends the signal of the Global Privacy Control.
 * @param {{shell: Shell, vault: Vault, chat: ReturnType<typeof import("./chat.js").createChat>}} parts
 */
export function createVisits({ shell, vault, chat }) {
  /** What was told last, so that it is told once. @type {Record<string, string>} */
  const told = {};
  /** @type {{name: string, payload: object}[]} */
  let queue = [];
  let heardAt_ms = 0;
  let saying = false;

  const signalled = () => /** @type {any} */ (navigator).globalPrivacyControl === true;

  /** What was said, what of it the desk has still to hear, and what the page said last.
   * @returns {{said: Choices, wait: Choices, page: Choices, source?: string, heard_ms?: number}} heard_ms: the welcome
   *   after which the desk took what was said, by its clock */
  const kept = () => ({ said: {}, wait: {}, page: {}, ...JSON.parse(vault.get("consent") || "{}") });

  /** @param {object} next */
  const keep = (next) => vault.set("consent", JSON.stringify({ ...kept(), ...next }));

  /** The desk knows best: the same person may have said something else on another device. */
  const hear = () => {
    const { welcome } = chat;
    if (!welcome || welcome.server_at_ms === heardAt_ms) return;
    heardAt_ms = welcome.server_at_ms;
    const state = welcome.consents?.analytics;
    const { wait, heard_ms = 0 } = kept();
    // A tab that came later is passed on the welcome of the tab that holds the line: what was said since is not in it.
    if (Object.keys(wait).length || welcome.server_at_ms <= heard_ms) return;
    if (!state) vault.drop("consent");
    else if (kept().said.analytics !== (state === "given")) {
      keep({ said: { ...kept().said, analytics: state === "given" } });
      shell.emit("consent", kept().said);
    }
  };

  /** Tells the desk what was said, until it has heard it. */
  const say = async () => {
    const { wait, source } = kept();
    if (saying || !Object.keys(wait).length) return;
    saying = true;
    const payload = { purposes: wait, text_version: source === "page" ? version : TEXT_VERSION, language: shell.language(), source };
    const answer = await chat.call("consent.set", payload);
    saying = false;
    if (answer.ok || answer.error?.code === "invalid_input") {
      const rest = Object.entries(kept().wait).filter(([name, value]) => wait[name] !== value);
      keep({ wait: Object.fromEntries(rest), heard_ms: chat.welcome?.server_at_ms });
      tell();
    }
  };
  let version = "page";

  /** @param {string} name @param {object} payload @param {string} [mark] */
  const send = (name, payload, mark) => {
    if (mark !== undefined) {
      if (told[name] === mark) return;
      told[name] = mark;
    }
    chat.call(name, payload).then((answer) => {
      // Lost with the line: told once there is one again, unless they have taken it back.
      if (answer.error?.code !== "unavailable") return;
      if (mark === undefined && kept().said.analytics) queue.push({ name, payload });
      else if (told[name] === mark) delete told[name];
    });
  };

  /** Tells what is due: the words about consent, the page, the cart. */
  function tell() {
    if (chat.state.name !== "online") return;
    hear();
    say();
    const { said, wait } = kept();
    if (!said.analytics || "analytics" in wait || signalled()) return;
    const { product, cart } = shell.options.page || {};
    const url = location.origin + location.pathname; // what stands after ? may name people
    const page = { url, title: document.title.slice(0, 200), product };
    send("page.view", page, url + JSON.stringify(product || null));
    if (cart) tellCart(cart);
    for (const { name, payload } of queue.splice(0)) send(name, payload);
  }

  /** An empty cart is worth telling only when it was full before. @param {{token?: string, lines?: object[]}} cart */
  const tellCart = (cart) => {
    const full = Boolean(cart.lines?.length);
    const token = cart.token || vault.get("cart") || (full && newId());
    if (!token || (!full && !vault.get("cart"))) return;
    if (full) vault.set("cart", token);
    else vault.drop("cart");
    send("cart.update", { ...cart, token }, JSON.stringify(cart));
  };

  return {
    tell,
    signalled,
    /** Whether the shopper agreed that pages are noted; undefined while nothing was said. */
    agreed: () => kept().said.analytics,
    /** Agrees to purposes (true) and refuses them (false).
     * @param {Choices} choices @param {{version?: string, source?: string}} [shown] the words that were shown */
    consent(choices, shown = {}) {
      /** @type {Choices} */
      const purposes = {};
      for (const name of ["analytics", "marketing_email", "marketing_sms", "profiling"]) {
        if (typeof choices?.[name] === "boolean") purposes[name] = choices[name];
      }
      if (signalled()) delete purposes.analytics;
      if (shown.version) version = String(shown.version);
      const { said, wait, page } = kept();
      const byPage = shown.source !== "widget";
      // A page says the same at each load. Only when it says something else is that a new word, or its yes would
      // undo the no that the shopper said in the panel.
      const isNew = (/** @type {string} */ name, /** @type {boolean} */ value) =>
        byPage ? page[name] !== value && !(page[name] === undefined && value && said[name] === false) : said[name] !== value;
      const news = Object.entries(purposes).filter(([name, value]) => isNew(name, value));
      if (byPage) keep({ page: { ...page, ...purposes } });
      if (!news.length) return tell();
      queue = [];
      delete told["page.view"];
      delete told["cart.update"];
      const changes = Object.fromEntries(news);
      keep({ said: { ...said, ...changes }, wait: { ...wait, ...changes }, source: byPage ? "page" : "widget" });
      shell.emit("consent", kept().said);
      tell();
    },
    /** Tells of a search or a checkout. @param {string} what @param {{term?: string, token?: string}} [more] */
    record(what, more = {}) {
      if (what === "search" && more.term) queue.push({ name: "page.search", payload: { term: String(more.term).slice(0, 100) } });
      if (what === "checkout") queue.push({ name: "checkout.start", payload: { token: more.token || vault.get("cart") || undefined } });
      tell();
    },
  };
}
