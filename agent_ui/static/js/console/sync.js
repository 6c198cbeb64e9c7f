/** Keeps the store in step with the server: first load, gaps, reconnects, the open conversation. */
import { CommandError, command, connect, tell } from "./connection.js";
import { AGAIN, flushAll, recoverOutbox, followOtherTabs } from "./outbox.js";
import { hear } from "./alerts.js";
import { lookAtMarks } from "./rail.js";
import {
  applyEnvelope, applySignal, conversations, currentId, deskAsked, expireTyping, failThread, link, loadError, outbox,
  putCard, putCatchUp, putDesk, putEarlier, putResolved, putThread, putWelcome, ready, resolved, showConversation, thread,
} from "./store.js";

const COMPARE_EVERY_MS = 30_000;
const RELOAD_EVERY_MS = 180_000;
const CARD_EVERY_MS = 60_000;
const AGAIN_MS = 5000;
/** @type {Set<string>} conversations being caught up */
const catching = new Set();
let loading = false;
let loaded_at_ms = 0;

/** Loads the whole desk. */
export async function loadDesk() {
  if (loading) return;
  loading = true;
  deskAsked();
  try {
    putDesk(await command("desk.load"));
    loaded_at_ms = Date.now();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (!ready.value && error.code !== "offline") loadError.value = error.code;
  } finally {
    loading = false;
  }
}

/** How far the open thread goes. @param {string} id @returns {number | null} null when another one is open */
const reached = (id) => (thread.value?.id === id ? thread.value.last_seq : null);
/** Whether events that came while an answer was on its way were dropped: they are in its summary only. @param {string} id */
const isBehind = (id) => (reached(id) ?? Infinity) < (conversations.get(id)?.conversation_seq ?? 0);

/** Asks for all events of a conversation that came after those we have. @param {string} id */
async function catchUp(id) {
  if (catching.has(id)) return;
  catching.add(id);
  try {
    for (let more = true; more; ) {
      const after_seq = reached(id);
      if (after_seq === null) return;
      const reply = await command("conversation.catch_up", { conversation_id: id, after_seq });
      putCatchUp(id, reply);
      more = reply.events.length > 0 && (!reply.complete || isBehind(id));
    }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error; // else: the next event or reconnect asks again
  } finally {
    catching.delete(id);
  }
}

/** Fetches the thread of the open conversation. @param {string} id */
async function fetchThread(id) {
  const asked = thread.value;
  try {
    putThread(id, await command("conversation.open", { conversation_id: id }), asked);
    if (currentId.value !== id) return; // who has gone on does not view it
    tell("viewing.set", { conversation_id: id, viewing: true });
    if (isBehind(id)) catchUp(id);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (currentId.value !== id || thread.value?.state === "ready" || error.code === "offline") return;
    failThread(id, error.code);
    if (AGAIN.has(error.code)) setTimeout(() => thread.value?.state === "failed" && retryThread(), AGAIN_MS);
  }
}

/** @type {Set<string>} conversations whose card is being fetched, or has to be once more */
const fetching = new Set();
const again = new Set();
let carded_at_ms = 0;

/** Fetches the card beside the open conversation anew. @param {string} id */
async function fetchCard(id) {
  const customer_id = thread.value?.id === id ? thread.value.card?.id : undefined;
  if (!customer_id) return;
  if (fetching.has(id)) {
    again.add(id);
    return;
  }
  fetching.add(id);
  carded_at_ms = Date.now();
  try {
    putCard(id, (await command("customer.card", { customer_id, conversation_id: id })).customer);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error; // what is shown stays; the next change asks again
  } finally {
    fetching.delete(id);
    if (again.delete(id)) fetchCard(id);
  }
}

/** @param {{ kind: string, data: any }} news */
function hearSignal(news) {
  applySignal(news);
  if (news.kind === "notices.changed") lookAtMarks();
  const card = thread.value?.card;
  if (news.kind === "card.changed" && card && news.data.customer_ids.includes(card.id)) fetchCard(thread.value?.id ?? "");
}

/** Opens a conversation, or none. @param {string | null} id */
export function openConversation(id) {
  if (id === currentId.value) {
    if (id && thread.value?.state === "failed") retryThread();
    return;
  }
  if (currentId.value) tell("viewing.set", { conversation_id: currentId.value, viewing: false });
  showConversation(id);
  if (id) fetchThread(id);
}

/** Tries again to load the open conversation. */
export function retryThread() {
  const id = currentId.value;
  if (!id) return;
  showConversation(id);
  fetchThread(id);
}

/** @type {Set<string>} conversations of which earlier events are on their way */
const earlier = new Set();
/** Loads the 200 events before the ones shown. */
export async function loadEarlier() {
  const open = thread.value;
  if (!open || open.complete || !open.events.length || earlier.has(open.id)) return;
  earlier.add(open.id);
  try {
    const before_seq = open.events[0].conversation_seq;
    putEarlier(open.id, await command("conversation.catch_up", { conversation_id: open.id, after_seq: 0, before_seq }));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error; // scrolling up again asks again
  } finally {
    earlier.delete(open.id);
  }
}

/** Loads the newest resolved conversations, or the page after those shown. @param {boolean} more */
export async function loadResolved(more) {
  const { state, next_before_ms, ids } = resolved.value;
  if (state === "loading" || (more && next_before_ms === null)) return;
  resolved.value = { ids, next_before_ms, state: "loading" };
  try {
    putResolved(await command("conversation.list", { view: "resolved", limit: 50, ...(more ? { before_ms: next_before_ms } : {}) }));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    resolved.value = { ...resolved.value, state: "failed" };
  }
}

/** Starts everything. */
export function start() {
  recoverOutbox();
  addEventListener("storage", followOtherTabs);
  connect({
    welcome: (data) => {
      const first = !ready.value;
      if (putWelcome(data)) loadDesk();
      const id = currentId.value;
      if (id && (first || thread.value?.state !== "ready")) fetchThread(id);
      else if (id) {
        catchUp(id);
        tell("viewing.set", { conversation_id: id, viewing: true });
        fetchCard(id);
      }
      flushAll();
    },
    event: (envelope) => {
      const before = conversations.get(envelope.conversation_id);
      const gap = applyEnvelope(envelope);
      hear(envelope, before);
      if (gap) catchUp(gap.id);
    },
    signal: hearSignal,
  });
  setInterval(() => {
    if (link.value !== "online") return;
    const id = currentId.value;
    // Delivery is at most once: a lost last event shows only by asking.
    if (id && (!document.hidden || outbox.value.some((entry) => entry.state === "sent"))) catchUp(id);
    // What a file brought in is told to nobody, and what is late becomes so by itself.
    if (id && !document.hidden && Date.now() - carded_at_ms > CARD_EVERY_MS) fetchCard(id);
    if (Date.now() - loaded_at_ms > RELOAD_EVERY_MS && !document.hidden) loadDesk();
  }, COMPARE_EVERY_MS);
  setInterval(expireTyping, 1000);
}
