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
 *   onState: (state: LinkState) => void,
 *   onWelcome: (welcome: Welcome) => void,
 *   onEvent: (envelope: Envelope) => void,
 *   onSignal: (signal: Signal) => void,
 *   onShared: (message: any) => void,
 * }} wiring heads: what this tab knows of the conversations; onShared: what another tab told with `share`
 */
export function createSession({ shell, vault, heads, onState, onWelcome, onEvent, onSignal, onShared }) {
  /** @type {ReturnType<typeof createConnection> | null} */
  let connection = null;
  /** @type {LinkState} */
  let state = { name: "idle" };
  /** @type {Welcome | null} */
  let welcome = null;
  /** @type {string | null} */
  let identity = null;
  let forgot = false;
  /** @type {Map<string, (answer: Answer) => void>} */
  const relayed = new Map();

  /** @param {LinkState} next */
  const setState = (next) => {
    state = next;
    onState(next);
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
      onState(next) {
        setState(next);
        tabs.send({ type: "state", state: next });
      },
      onWelcome(next) {
        welcome = next;
        identity = null; // used up: the token stands for the person from now on
        forgot = false;
        vault.set("token", next.visitor_token);
        onWelcome(next);
        tabs.send({ type: "welcome", welcome: next });
      },
      onEvent(envelope) {
        onEvent(envelope);
        tabs.send({ type: "event", envelope });
      },
      onSignal(signal) {
        onSignal(signal);
        tabs.send({ type: "signal", signal });
      },
      onRefused({ code }) {
        // An old token or identity is no reason to leave the shopper without a chat.
        if (forgot || !/^(not_signed_in|invalid_input)$/.test(code) || !(identity || vault.get("token"))) return false;
        forgot = true;
        if (identity) identity = null;
        else vault.drop("token");
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
    onFollow: () => setState({ name: "connecting" }),
    onMessage(message) {
      switch (message.type) {
        case "hello":
          if (!tabs.leading) return;
          tabs.send({ type: "state", state });
          if (welcome) tabs.send({ type: "welcome", welcome: { ...welcome, conversations: heads() } });
          return;
        case "call":
          if (!tabs.leading) return;
          call(message.name, message.payload).then((answer) => tabs.send({ type: "answer", id: message.id, answer }));
          return;
        case "answer":
          relayed.get(message.id)?.(message.answer);
          relayed.delete(message.id);
          return;
        case "renew":
          if (tabs.leading) renew(message.identity);
          return;
      }
      if (tabs.leading && /^(state|welcome|event|signal)$/.test(message.type)) return;
      if (message.type === "state") setState(message.state);
      else if (message.type === "welcome") onWelcome((welcome = message.welcome));
      else if (message.type === "event") onEvent(message.envelope);
      else if (message.type === "signal") onSignal(message.signal);
      else onShared(message);
    },
  });

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
      tabs.send({ type: "call", id, name, payload });
    });
  }

  /** Connects anew: as an identified person, or as whoever the vault knows.
   * @param {string | null} [signed] */
  function renew(signed = null) {
    identity = signed || identity;
    if (tabs.leading) connection?.renew();
    else tabs.send({ type: "renew", identity: signed });
  }

  return {
    /** @param {string | null} signed */
    start(signed) {
      identity = signed;
      tabs.start();
    },
    call,
    renew,
    share: tabs.send,
    get leading() {
      return tabs.leading;
    },
  };
}
