const SILENCE_MS = 4000;

/**
 * Which of the shop's open tabs holds the one socket. The holder of a Web Lock leads; the others talk to it over a
 * BroadcastChannel and one of them takes over when it is gone. Without either, every tab leads itself.
 * @param {{
 *   name: string,
 *   onLead: () => void,
 *   onLeave: () => void,
 *   onFollow: () => void,
 *   onMessage: (message: any) => void,
 * }} tab
 */
export function createTabs({ name, onLead, onLeave, onFollow, onMessage }) {
  const shared = "locks" in navigator && "BroadcastChannel" in window;
  let leading = false;
  let stopped = false;
  /** @type {BroadcastChannel | null} */
  let channel = null;
  /** @type {AbortController | undefined} */
  let queue;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let patience;
  /** @type {() => void} */
  let release = () => {};

  /** Resolves when this tab gives the lead back. @returns {Promise<void>} */
  const lead = () => {
    clearTimeout(patience);
    leading = true;
    onLead();
    return new Promise((resolve) => (release = resolve));
  };

  const leave = () => {
    if (leading) onLeave();
    leading = false;
  };

  /** @param {LockOptions} options */
  const want = (options) => {
    let held = false;
    navigator.locks
      .request(name, options, (lock) => {
        held = Boolean(lock) && !stopped;
        if (held) return lead();
        if (!stopped) follow();
      })
      .catch(() => {}) // stolen by a tab that had heard nothing from this one, or no longer wanted
      .then(() => {
        if (!held || stopped) return;
        leave();
        follow();
      });
  };

  const follow = () => {
    onFollow();
    queue = new AbortController();
    want({ signal: queue.signal });
    ask();
  };

  /** A leader that does not answer a tab that is being looked at (a frozen one) loses the lead. */
  const ask = () => {
    channel?.postMessage({ type: "hello" });
    clearTimeout(patience);
    patience = setTimeout(() => {
      if (document.visibilityState !== "visible" || leading || stopped) return;
      queue?.abort();
      want({ steal: true });
    }, SILENCE_MS);
  };

  const start = () => {
    stopped = false;
    if (!shared) {
      leading = true;
      onLead();
      return;
    }
    channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => {
      if (data.type === "here") clearTimeout(patience);
      if (data.type === "hello" && leading) channel?.postMessage({ type: "here" });
      onMessage(data);
    };
    want({ ifAvailable: true });
  };

  const stop = () => {
    stopped = true;
    leave();
    queue?.abort();
    clearTimeout(patience);
    release();
    channel?.close();
  };

  document.addEventListener("visibilitychange", () => {
    if (channel && !leading && !stopped && document.visibilityState === "visible") ask();
  });
  // A page that rests in the browser's back-forward cache must not keep the lead.
  addEventListener("pagehide", (event) => event.persisted && stop());
  addEventListener("pageshow", (event) => event.persisted && start());

  return {
    start,
    get leading() {
      return leading;
    },
    /** Tells every other tab. @param {object} message */
    send(message) {
      if (!stopped) channel?.postMessage(message);
    },
  };
}
