/**
 * Own messages until the server has them. Each is written to this browser's storage before it is sent and goes again,
 * with the same client_id, until it is answered: never lost, never doubled.
 * @typedef {import("./types.js").OutboxEntry} OutboxEntry
 */
import { CommandError, command } from "./connection.js";
import { dropOutbox, hasArrived, link, outbox, pendingOf, putOutbox } from "./store.js";
import { serverNow } from "./clock.js";
import { page } from "./words.js";

const PREFIX = `shopbell.outbox.${page.person.id}.`;
/** Errors after which the same may go well. */
export const AGAIN = new Set(["unavailable", "too_many", "timeout", "offline"]);
/** Conversations of which one message is on its way: the next waits, so that they arrive in the order they were written. */
const busy = new Set();
/** @type {Map<string, number>} how often a message was tried in vain */
const tries = new Map();

/** A new client_id. Not crypto.randomUUID, which a page on plain http in a local network does not have. */
export const newId = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

/** @param {OutboxEntry} entry */
function keep(entry) {
  putOutbox(entry);
  try {
    localStorage.setItem(PREFIX + entry.client_id, JSON.stringify(entry));
  } catch {
    // Storage is full or forbidden: the message still goes out, it only does not survive a reload before that.
  }
}

/** @param {string} client_id */
function forget(client_id) {
  tries.delete(client_id);
  try {
    localStorage.removeItem(PREFIX + client_id);
  } catch {
    // The same as above.
  }
}

/** Takes up what an earlier page left unsent. */
export function recoverOutbox() {
  const left = [];
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(PREFIX)) left.push(JSON.parse(localStorage.getItem(key) ?? "null"));
    }
  } catch {
    return;
  }
  left.filter(Boolean).sort((a, b) => a.at_ms - b.at_ms).forEach((entry) => putOutbox({ ...entry, state: entry.state === "failed" ? "failed" : "waiting" }));
}

/** Another tab's answer arrives here too: what is no longer stored was sent. @param {StorageEvent} change */
export function followOtherTabs(change) {
  if (!change.key?.startsWith(PREFIX) || change.newValue) return;
  dropOutbox(change.key.slice(PREFIX.length));
}

/** Writes a message and sends it as soon as possible. @param {Pick<OutboxEntry, "conversation_id" | "body" | "visibility" | "blocks" | "origin">} message */
export function post(message) {
  keep({ ...message, client_id: newId(), at_ms: serverNow(), state: "sending", error: null, message_id: null });
  flush(message.conversation_id);
}

/** Tries a failed message again. @param {OutboxEntry} entry */
export function retry(entry) {
  keep({ ...entry, state: "waiting", error: null });
  flush(entry.conversation_id);
}

/** Takes a failed message back. @param {OutboxEntry} entry */
export function discard(entry) {
  forget(entry.client_id);
  dropOutbox(entry.client_id);
}

/** Sends everything that waits. */
export function flushAll() {
  for (const id of new Set(outbox.value.map((entry) => entry.conversation_id))) flush(id);
}

/** Sends a conversation's waiting messages one after the other. @param {string} conversation_id */
async function flush(conversation_id) {
  if (busy.has(conversation_id)) return;
  busy.add(conversation_id);
  try {
    for (;;) {
      const entry = pendingOf(conversation_id).find((other) => other.state === "sending" || other.state === "waiting");
      if (!entry || !(await attempt(entry))) return;
    }
  } finally {
    busy.delete(conversation_id);
  }
}

/** @param {OutboxEntry} entry @returns {Promise<boolean>} whether the next one may go */
async function attempt(entry) {
  const { client_id, conversation_id, body, visibility, blocks, origin = "typed" } = entry;
  if (link.value === "online" && entry.state !== "sending") putOutbox({ ...entry, state: "sending" });
  try {
    const reply = await command("message.post", { client_id, conversation_id, body, visibility, origin, ...(blocks?.length ? { blocks } : {}) });
    forget(client_id);
    if (hasArrived(entry)) dropOutbox(client_id);
    else putOutbox({ ...entry, state: "sent", message_id: reply.message_id });
    return true;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (!outbox.value.some((other) => other.client_id === client_id)) {
      forget(client_id); // its event came although its answer did not
      return true;
    }
    if (!AGAIN.has(error.code)) {
      keep({ ...entry, state: "failed", error: error.code });
      return true;
    }
    keep({ ...entry, state: "waiting" });
    if (error.code !== "offline") {
      const n = (tries.get(client_id) ?? 0) + 1;
      tries.set(client_id, n);
      const wait_s = error.details.retry_after_s ?? Math.min(30, 2 ** n);
      setTimeout(() => flush(conversation_id), wait_s * 1000);
    }
    return false;
  }
}
