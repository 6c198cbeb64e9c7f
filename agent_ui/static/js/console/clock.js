/** The server's time, and one signal that ticks each second: waits are never measured by a wrong clock here. */
import { signal } from "./vendor.js";

let offset_ms = 0;

/** The server's time in milliseconds. */
export const serverNow = () => Date.now() + offset_ms;

/** The server's time, renewed each second. Reading it in a component renders that component each second. */
export const now = signal(serverNow());

/** Sets the clock by a time the server just told. @param {number} server_at_ms */
export function setClock(server_at_ms) {
  if (!Number.isFinite(server_at_ms)) return;
  offset_ms = server_at_ms - Date.now();
  now.value = serverNow();
}

/** Nothing can have happened in the future: an event ahead of our clock moves the clock. @param {number} at_ms */
export function notBefore(at_ms) {
  if (at_ms > serverNow()) setClock(at_ms);
}

setInterval(() => {
  now.value = serverNow();
}, 1000);
