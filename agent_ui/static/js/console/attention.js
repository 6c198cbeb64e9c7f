/** What the person really looks at: read marks, viewing, and how long a conversation had their attention. */
import { effect } from "./vendor.js";
import { CommandError, command, tell } from "./connection.js";
import { currentId, link, thread } from "./store.js";

const RECORD_EVERY_MS = 30_000;
const ACTIVE_MS = 30_000;

/** The newest message of the customer in the open thread. */
function newestAsk() {
  const events = thread.value?.events ?? [];
  for (let i = events.length - 1; i >= 0; i -= 1) {
    const message = events[i].kind === "message.posted" ? events[i].data.message : null;
    if (message?.author.kind === "customer") return message.id;
  }
  return null;
}

/** Begins to watch. */
export function watchAttention() {
  /** @type {Map<string, string>} what was marked read last, by conversation */
  const marked = new Map();
  let input_at_ms = 0;
  let focused = { id: /** @type {string | null} */ (null), ms: 0 };

  const markRead = () => {
    const id = currentId.value;
    const newest = newestAsk();
    if (!id || !newest || link.value !== "online" || document.visibilityState !== "visible" || marked.get(id) === newest) return;
    marked.set(id, newest);
    command("message.mark_read", { conversation_id: id, message_id: newest }).catch((error) => {
      if (!(error instanceof CommandError)) throw error;
      if (marked.get(id) === newest) marked.delete(id); // told again when the connection is back, or at the next look
    });
  };
  const record = () => {
    if (focused.id && focused.ms >= 1000) tell("focus.record", { conversation_id: focused.id, focused_ms: Math.min(60_000, focused.ms) });
    focused = { id: currentId.peek(), ms: 0 };
  };

  effect(markRead);
  document.addEventListener("visibilitychange", markRead);
  addEventListener("focus", markRead);
  for (const kind of ["pointermove", "pointerdown", "keydown", "wheel", "touchmove"]) {
    addEventListener(kind, () => { input_at_ms = Date.now(); }, { passive: true, capture: true });
  }
  effect(() => {
    if (currentId.value !== focused.id) record();
  });
  setInterval(() => {
    if (focused.id && document.visibilityState === "visible" && document.hasFocus() && Date.now() - input_at_ms < ACTIVE_MS) focused.ms += 1000;
  }, 1000);
  setInterval(record, RECORD_EVERY_MS);
}
