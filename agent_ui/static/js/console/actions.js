/** What an agent does to a conversation. Each sends one command, shows its result, or says what to do about the error. */
import { CommandError, command } from "./connection.js";
import { conversations, currentId, me, putAgent, putCard, putSummary } from "./store.js";
import { arrange } from "./waits.js";
import { route } from "./route.js";
import { toast, toastError } from "./toasts.js";
import { moment, t } from "./words.js";
import { serverNow } from "./clock.js";

/**
 * Sends a command; a failure becomes a toast.
 * @param {string} name
 * @param {object} payload
 * @returns {Promise<any | null>} the answer, or null where it failed
 */
export async function act(name, payload) {
  try {
    const reply = await command(name, payload);
    putSummary(reply.conversation);
    return reply;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    toastError(error.code);
    return null;
  }
}

/** @param {string} id */
export const claim = (id) => act("conversation.claim", { conversation_id: id });

/** @param {string} id */
export async function reopen(id) {
  if (await act("conversation.reopen", { conversation_id: id })) toast(t("done.reopened"));
}

/** @param {string} id @param {{ next?: boolean }} [then] */
export async function resolve(id, { next = false } = {}) {
  if (!(await act("conversation.resolve", { conversation_id: id }))) return;
  toast(t("done.resolved"), { action: { text: t("undo"), run: () => reopen(id) } });
  if (next && currentId.value === id) route(nextWaiting(id)); // unless they went elsewhere meanwhile
}

/** @param {string} id @param {number} until_ms */
export async function snooze(id, until_ms) {
  if (!(await act("conversation.snooze", { conversation_id: id, until_ms }))) return;
  toast(t("done.snoozed", { time: moment(until_ms, serverNow()) }), { action: { text: t("undo"), run: () => reopen(id) } });
}

/** @param {string} id @param {{ agent_id?: string, team_id?: string, note?: string }} to @param {string} name */
export async function transfer(id, to, name) {
  const reply = await act("conversation.transfer", { conversation_id: id, ...to });
  if (reply) toast(t("done.transferred", { name }));
  return Boolean(reply);
}

/** @param {string} id @param {{ add?: string[], remove?: string[] }} change */
export const tag = (id, change) => act("conversation.tag", { conversation_id: id, ...change });

/** @param {string} id */
export async function markSpam(id) {
  if (!(await act("conversation.spam", { conversation_id: id }))) return;
  toast(t("done.spam"), { action: { text: t("undo"), run: () => reopen(id) } });
}

/** Ends a wait that needs no answer, a thank-you for example. @param {string} id */
export async function dismissWait(id) {
  if (await act("turn.dismiss", { conversation_id: id, reason: "courtesy" })) toast(t("done.dismissed"));
}

/** What was asked for and is not answered yet: the next press goes on from there. @type {{ status?: import("./types.js").Presence, capacity?: number }} */
let wanted = {};
let asked = 0, answered = 0, heard = 0;

/** @param {{ status: import("./types.js").Presence } | { more: number }} change another state, or so many more chats at once */
export async function setPresence(change) {
  const { status, capacity } = { ...me.value, ...wanted };
  wanted = { ...wanted, ...("more" in change ? { status, capacity: Math.max(1, Math.min(50, capacity + change.more)) } : change) };
  asked += 1;
  const mine = asked;
  const reply = await act("presence.set", { ...wanted });
  answered += 1;
  if (answered === asked) wanted = {};
  if (!reply || mine < heard) return; // what was asked for later is answered already
  heard = mine;
  putAgent({ ...me.value, ...reply.me });
}

/** @param {string} customer_id @param {{ name?: string, email?: string, phone?: string }} change */
export async function updateCustomer(customer_id, change) {
  const id = currentId.value; // another one may be open when the answer comes
  const reply = await act("customer.update", { customer_id, ...change });
  if (reply && id) putCard(id, reply.customer);
  return Boolean(reply);
}

/** The conversation of mine that waits longest, other than this one. @param {string | null} id */
export function nextWaiting(id) {
  const groups = arrange("mine", conversations.values(), me.value.id, new Set());
  return groups.flatMap((group) => (group.key === "snoozed" ? [] : group.ids)).find((other) => other !== id) ?? null;
}

/** When a snoozed conversation can come back: in an hour, in three, tomorrow morning, on Monday. */
export function snoozeChoices() {
  const at = serverNow();
  const morning = (/** @type {number} */ days) => {
    const day = new Date(at);
    day.setDate(day.getDate() + days);
    return day.setHours(9, 0, 0, 0);
  };
  const toMonday = (8 - new Date(at).getDay()) % 7 || 7;
  return [
    { key: "snooze.hour", at_ms: at + 3_600_000 },
    { key: "snooze.three_hours", at_ms: at + 3 * 3_600_000 },
    { key: "snooze.tomorrow", at_ms: morning(1) },
    ...(toMonday > 1 ? [{ key: "snooze.monday", at_ms: morning(toMonday) }] : []),
  ];
}
