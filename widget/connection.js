const ACK_MS = 5000;

/**
 * The socket to the shop's desk. It connects, stays connected, and says in one word how it stands.
 * @param {{
 *   base: URL,
 *   auth: () => Record<string, unknown>,
 *   tell: (type: "state" | "welcome" | "event" | "signal", news: any) => void,
 *   onRefused: (error: Failure) => boolean,
 * }} desk onRefused: true when another attempt with changed credentials makes sense
 */
export function createConnection({ base, auth, tell, onRefused }) {
  /** @type {any} */
  let socket = null;
  let online = false;
  let closed = false;
  let tries = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {LinkState["name"]} name @param {Failure} [error] */
  const stand = (name, error) => {
    online = name === "online";
    tell("state", { name, error });
  };

  /** Tries again after the wait, a little later than asked so that not everybody comes at once.
   * @param {number} ms */
  const again = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      socket.disconnect();
      socket.connect();
    }, ms * (1 + Math.random() * 0.3));
  };

  const backoff = () => again(Math.min(1000 * 2 ** tries++, 20_000));

  const lost = () => stand(navigator.onLine ? "reconnecting" : "offline");
  const wake = () => {
    if (!online) again(100);
  };
  const sleep = () => {
    socket.disconnect();
    stand("offline");
    again(15_000); // some browsers believe wrongly that they are offline
  };

  async function open() {
    stand(navigator.onLine ? "connecting" : "offline");
    let client;
    try {
      client = await import("./vendor/socket.io-client.esm.min.js");
    } catch {
      if (closed) return;
      lost();
      timer = setTimeout(open, Math.min(2000 * 2 ** tries++, 20_000) * (1 + Math.random() * 0.3));
      return;
    }
    if (closed) return;
    socket = client.io(new URL("/visitor", base).href, {
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      autoConnect: false,
      auth: (/** @type {Function} */ give) => give(auth()),
    });
    socket.on("welcome", (/** @type {Welcome} */ welcome) => {
      clearTimeout(timer);
      tries = 0;
      online = true; // what the welcome leads to may be asked for at once
      tell("welcome", welcome);
      stand("online");
    });
    socket.on("event", (/** @type {Envelope} */ envelope) => tell("event", envelope));
    socket.on("signal", (/** @type {Signal} */ signal) => {
      if (signal?.kind !== "server.drain") return tell("signal", signal);
      socket.disconnect();
      stand("draining");
      again(Number(signal.data?.retry_in_ms) || 1000);
    });
    socket.on("disconnect", (/** @type {string} */ reason) => {
      if (closed || reason === "io client disconnect") return;
      lost();
      if (!socket.active) backoff(); // the server hung up: the library would wait for us
    });
    socket.on("connect_error", (/** @type {any} */ error) => {
      if (closed) return;
      if (socket.active) return lost(); // no way to the server; the library tries again
      const failure = { message: String(error.message || ""), code: "not_allowed", ...(error.data?.error || error.data) };
      if (/^(unavailable|too_many|internal)$/.test(failure.code)) {
        lost();
        again((failure.details?.retry_after_s || 3) * 1000);
      } else if (onRefused(failure)) again(0);
      else stand("refused", failure);
    });
    addEventListener("online", wake);
    addEventListener("offline", sleep);
    if (navigator.onLine) socket.connect();
    else again(15_000);
  }

  open();

  return {
    /** The answer of the desk; a missing one is the error `unavailable`.
     * @param {string} name @param {object} payload
     * @returns {Promise<Answer>} */
    call(name, payload) {
      return new Promise((resolve) => {
        const missing = { ok: false, error: { code: "unavailable", message: "" } };
        if (!online) return resolve(missing);
        socket.timeout(ACK_MS).emit(name, payload, (/** @type {unknown} */ error, /** @type {Answer} */ answer) => {
          resolve(error || typeof answer?.ok !== "boolean" ? missing : answer);
        });
      });
    },
    /** Connects anew, with the credentials of now. */
    renew() {
      tries = 0;
      // At once: what is still on its way is for whom we were before.
      socket?.disconnect().connect();
    },
    close() {
      closed = true;
      clearTimeout(timer);
      removeEventListener("online", wake);
      removeEventListener("offline", sleep);
      socket?.disconnect();
    },
  };
}
