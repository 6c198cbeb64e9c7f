/**
 * The socket: commands with an answer or a known error, events as they come, reconnecting by itself.
 * @typedef {{ welcome: (data: any) => void, event: (data: any) => void, signal: (data: any) => void }} Handlers
 */
import { io } from "./vendor.js";
import { link } from "./store.js";

const ANSWER_WITHIN_MS = 10_000;

/** A command that was refused (the server's code), not answered ("timeout") or not sent ("offline"). */
export class CommandError extends Error {
  /** @param {string} code @param {string} message @param {any} [details] */
  constructor(code, message, details = {}) {
    super(message);
    this.code = code;
    this.details = details ?? {};
  }
}

/** @type {import("./vendor.js").Socket | null} */
let socket = null;

/** @param {any} error what the server said to a refused connection */
const refusedWith = (error) => error?.data?.error?.code ?? error?.data?.code ?? error?.message ?? "";

/** Opens the connection and keeps it open. @param {Handlers} handlers */
export function connect(handlers) {
  const socketNow = io("/agent", { transports: ["websocket", "polling"], tryAllTransports: true, reconnectionDelay: 500, reconnectionDelayMax: 8000 });
  socket = socketNow;
  let draining = false;
  let refusals = 0;

  socketNow.on("welcome", (data) => {
    refusals = 0;
    handlers.welcome(data);
  });
  socketNow.on("event", handlers.event);
  socketNow.on("signal", (news) => {
    if (news.kind !== "server.drain") return handlers.signal(news);
    draining = true;
    link.value = "restarting";
    socketNow.disconnect();
    // Spread out, so that a restarted server does not meet every console in the same instant.
    setTimeout(() => {
      draining = false;
      socketNow.connect();
    }, (news.data?.retry_in_ms ?? 1000) * (1 + Math.random() / 3));
  });
  socketNow.on("disconnect", () => {
    if (draining || link.value === "signed_out") return;
    link.value = "offline";
    // A server that closes in good order is not reconnected to by the library; we do want it back.
    if (!socketNow.active) again();
  });
  socketNow.on("connect_error", (error) => {
    if (/not_signed_in|not_allowed/.test(refusedWith(error))) {
      link.value = "signed_out";
      socketNow.disconnect();
      return;
    }
    if (link.value !== "restarting") link.value = "offline";
    if (!socketNow.active) again();
  });
  addEventListener("online", () => {
    if (!socketNow.connected && !draining && link.value !== "signed_out") socketNow.disconnect().connect();
  });

  function again() {
    refusals += 1;
    setTimeout(() => socketNow.connect(), Math.min(8000, 500 * 2 ** refusals) * (0.7 + Math.random() * 0.6));
  }
}

/**
 * Sends a command and gives its answer.
 * @param {string} name noun.verb
 * @param {object} [payload]
 * @returns {Promise<any>} the answer; rejects with CommandError
 */
export function command(name, payload = {}) {
  return new Promise((resolve, reject) => {
    if (!socket?.connected || link.value !== "online") {
      reject(new CommandError("offline", "not connected"));
      return;
    }
    socket.timeout(ANSWER_WITHIN_MS).emit(name, payload, (error, reply) => {
      if (error) reject(new CommandError("timeout", `${name} was not answered`));
      else if (reply?.ok) resolve(reply);
      else reject(new CommandError(reply?.error?.code ?? "internal", reply?.error?.message ?? "", reply?.error?.details));
    });
  });
}

/** Sends a command whose failure nobody would act on: typing, viewing, read marks. @param {string} name @param {object} payload */
export function tell(name, payload) {
  command(name, payload).catch((error) => {
    if (!(error instanceof CommandError)) throw error;
  });
}
