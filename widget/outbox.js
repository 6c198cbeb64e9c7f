import { newId } from "./vault.js";

const RETRY_MAX_MS = 30_000;
const TEMPORARY = /^(unavailable|too_many)$/;

/**
 * Messages that the desk has not confirmed. Each is kept in the vault under its own name until the answer is there,
 * so it survives a reload and a closed tab; a conversation has one under way at a time, in the order of writing.
 * @param {{
 *   vault: Vault,
 *   post: (entry: Entry) => Promise<Answer>,
 *   share: (type: string, news: any) => void,
 *   onSent: (entry: Entry, answer: Answer) => void,
 *   onChange: () => void,
 * }} parts share tells the other tabs, which show the message too
 */
export function createOutbox({ vault, post, share, onSent, onChange }) {
  /** @type {Map<string, Entry>} */
  const entries = new Map();
  /** Conversations with a message under way, and the timers of those that wait for another try. */
  const lanes = new Set();
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  const waits = new Map();
  /** @type {Map<string, number>} */
  const tries = new Map();
  let running = false;

  for (const name of vault.names()) {
    if (!name.startsWith("out.")) continue;
    try {
      const entry = JSON.parse(vault.get(name) || "");
      entries.set(entry.client_id, entry);
    } catch {
      vault.drop(name);
    }
  }

  const sorted = () => [...entries.values()].sort((a, b) => a.at_ms - b.at_ms || (a.client_id < b.client_id ? -1 : 1));

  /** @param {Entry} entry */
  const keep = (entry) => {
    entries.set(entry.client_id, entry);
    if (entry.sent) vault.drop("out." + entry.client_id);
    else vault.set("out." + entry.client_id, JSON.stringify(entry));
    share("entry", entry);
    onChange();
  };

  /** @param {string} id */
  const drop = (id) => {
    entries.delete(id);
    tries.delete(id);
    vault.drop("out." + id);
  };

  /** @param {Entry} entry */
  const laneOf = (entry) => entry.conversation_id || "new";

  /** Sends what waits, in the tab that holds the socket and while it is connected. */
  function pump() {
    if (!running) return;
    for (const entry of sorted()) {
      const lane = laneOf(entry);
      if (entry.error || entry.sent || lanes.has(lane) || waits.has(lane)) continue;
      lanes.add(lane);
      post(entry).then((answer) => {
        lanes.delete(lane);
        settle(entries.get(entry.client_id), answer, lane);
        pump();
      });
    }
  }

  /** Messages written before the conversation had a name belong to the one that the first of them began.
   * @param {string} conversation_id */
  const adopt = (conversation_id) => {
    for (const entry of entries.values()) if (!entry.conversation_id) keep({ ...entry, conversation_id });
  };

  /** @param {Entry | undefined} entry @param {Answer} answer @param {string} lane */
  function settle(entry, answer, lane) {
    if (!entry) return; // its event came before the answer
    if (answer.ok) {
      const { message_id, conversation_id, conversation_seq } = answer;
      keep({ ...entry, conversation_id, error: null, sent: { message_id, conversation_seq } });
      if (lane === "new") adopt(conversation_id);
      onSent(entry, answer);
    } else if (TEMPORARY.test(answer.error?.code || "")) {
      const count = tries.get(entry.client_id) || 0;
      tries.set(entry.client_id, count + 1);
      const asked = (answer.error?.details?.retry_after_s || 0) * 1000;
      const wait = Math.max(asked, Math.min(RETRY_MAX_MS, 500 * 2 ** count) * (0.5 + Math.random() / 2));
      waits.set(lane, setTimeout(() => (waits.delete(lane), pump()), wait));
    } else keep({ ...entry, error: answer.error });
  }

  return {
    /** @param {{body: string, blocks?: Block[], page?: object, conversation_id: string | null}} draft */
    add(draft) {
      keep({ ...draft, client_id: newId(), at_ms: Date.now() });
      pump();
    },
    /** Sends a refused message once more, behind what was written since. @param {string} id */
    retry(id) {
      const entry = entries.get(id);
      if (!entry) return;
      // The conversation may be the reason, when it is gone or closed for good: the desk then finds or opens one.
      const lost = /^(not_found|conflict)$/.test(entry.error?.code || "");
      keep({ ...entry, error: null, at_ms: Date.now(), conversation_id: lost ? null : entry.conversation_id });
      pump();
    },
    /** @param {string} id */
    remove(id) {
      drop(id);
      share("removed", id);
      onChange();
    },
    /** The message is part of the thread now. Gives it back when it was still waiting here.
     * @param {string} id @param {string} conversationId */
    arrived(id, conversationId) {
      const entry = entries.get(id);
      if (!entry) return;
      drop(id);
      if (!entry.conversation_id) adopt(conversationId);
      return entry;
    },
    /** Connected, and ours to send: waits from before the connection was lost are over. */
    run() {
      running = true;
      for (const timer of waits.values()) clearTimeout(timer);
      waits.clear();
      pump();
    },
    pause() {
      running = false;
    },
    /** Another tab has, or sent, a message. @param {Entry} entry */
    hear(entry) {
      entries.set(entry.client_id, entry);
      pump();
    },
    /** @param {string} id */
    forget: (id) => void entries.delete(id),
    /** Every message that is not part of a thread yet, oldest first. */
    waiting: sorted,
    clear() {
      for (const id of entries.keys()) drop(id);
    },
  };
}
