import { createConnection } from "./connection.js";
import { createTabs } from "./tabs.js";
import { newId } from "./vault.js";

const RELAY_MS = 7000;

/**
 * The way to the desk as the rest of the widget sees it: the same in the tab that holds the socket and in the
 * others, which are passed everything by that tab.
 * @param {{
 *   shell: Shell,
 *   vault: Vault,
 *   heads: () => Head[],
 *   tell: (type: string, news: any) => void,
 * }} wiring heads: what this tab knows of the conversations; tell: state, welcome, event and signal from the desk,
 *   and what another tab told with `share`
 */
export function createSession({ shell, vault, heads, tell }) {
  /** @type {ReturnType<typeof createConnection> | null} */
  let connection = null;
  /** @type {LinkState} */
  let state = { name: "idle" };
  /** @type {Welcome | null} */
  let welcome = null;
  /** @type {string | null} */
  let identity = null;
  /** @type {Map<string, (answer: Answer) => void>} */
  const relayed = new Map();

  /** Takes news from the desk. @param {string} type @param {any} news */
  const take = (type, news) => {
    if (type === "state") state = news;
    if (type === "welcome") {
      identity = null; // used up: the token stands for the person from now on
      welcome = news;
      vault.set("token", news.visitor_token);
    }
    tell(type, news);
  };

  const connect = () => {
    connection = createConnection({
      base: shell.base,
      auth: () => ({
        site: shell.options.site,
        locale: shell.language(),
        visitor_token: vault.get("token") || undefined,
        identity: identity || undefined,
      }),
      tell(type, news) {
        take(type, news);
        share(type, news);
      },
      onRefused({ details }) {
        // An identity that does not hold (any more) is no reason to leave the shopper without a chat;
        // but one that belongs to somebody else must not open what this browser's token stands for.
        if (!identity) return false;
        identity = null;
        if (details?.reason === "identity_used") vault.drop("token");
        return true;
      },
    });
  };

  const failRelayed = () => {
    for (const answer of relayed.values()) answer({ ok: false, error: { code: "unavailable", message: "" } });
    relayed.clear();
  };

  const tabs = createTabs({
    name: shell.options.prefix + "tabs",
    onLead() {
      failRelayed();
      connect();
    },
    onLeave() {
      connection?.close();
      connection = null;
    },
    onFollow: () => take("state", { name: "connecting" }),
    onMessage({ type, news }) {
      if (type === "answer") {
        relayed.get(news.id)?.(news.answer);
        relayed.delete(news.id);
      } else if (/^(state|welcome|event|signal)$/.test(type)) {
        if (!tabs.leading) take(type, news);
      } else if (!/^(hello|here|call|renew)$/.test(type)) tell(type, news);
      else if (!tabs.leading) return;
      else if (type === "hello") {
        share("state", state);
        if (welcome) share("welcome", { ...welcome, conversations: heads() });
      } else if (type === "call") call(news.name, news.payload).then((answer) => share("answer", { id: news.id, answer }));
      else if (type === "renew") renew(news);
    },
  });

  /** Tells every other tab. @param {string} type @param {any} [news] */
  const share = (type, news) => tabs.send({ type, news });

  /** The desk's answer, through the tab that holds the socket.
   * @param {string} name @param {object} payload @returns {Promise<Answer>} */
  function call(name, payload) {
    if (tabs.leading && connection) return connection.call(name, payload);
    const id = newId();
    return new Promise((resolve) => {
      relayed.set(id, resolve);
      setTimeout(() => {
        if (relayed.delete(id)) resolve({ ok: false, error: { code: "unavailable", message: "" } });
      }, RELAY_MS);
      share("call", { id, name, payload });
    });
  }

  /** Connects anew: as an identified person, or as whoever the vault knows.
   * @param {string | null} [signed] */
  function renew(signed = null) {
    identity = signed;
    if (tabs.leading) connection?.renew();
    else share("renew", signed);
  }

  return {
    start: tabs.start,
    call,
    renew,
    share,
    get leading() {
      return tabs.leading;
    },
  };
}
