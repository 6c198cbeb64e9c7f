/**
 * What is known of the shopper's conversations. Events change it in `apply` and nowhere else.
 * @param {(message: Message, conversation: Conversation) => void} onIncoming a message of the shop that came just now
 */
export function createStore(onIncoming) {
  /** @type {Map<string, Conversation>} */
  const conversations = new Map();

  /** @param {string} id @returns {Conversation} */
  const conversation = (id) => {
    let found = conversations.get(id);
    if (!found) {
      found = {
        id, status: "open", seq: 0, head: 0, historySeq: 0, wanted: false, unread: 0, lines: [], agent: null, ahead: null, readSeq: 0,
        markedId: null, score: null, typing: null, openedAt_ms: 0,
      };
      conversations.set(id, found);
    }
    return found;
  };

  /** @type {Record<string, (it: Conversation, envelope: Envelope) => void>} */
  const kinds = {
    "conversation.opened"(it, { at_ms }) {
      it.openedAt_ms = at_ms;
    },
    "message.posted"(it, { conversation_seq: seq, at_ms, data: { message } }) {
      if (message.id === it.readId) it.readSeq = seq;
      it.lines.push({ type: "message", key: message.client_id || message.id, seq, at_ms, message });
      if (message.author.kind === "customer") return;
      it.typing = null;
      if (seq > it.head) it.unread += 1; // up to the head the server has counted
      if (seq > it.historySeq) onIncoming(message, it);
    },
    "queue.entered"(it, { data }) {
      it.ahead = data.ahead ?? 0;
    },
    "assignment.accepted": assigned,
    "assignment.changed": assigned,
    "conversation.status_changed"(it, { conversation_seq: seq, at_ms, data }) {
      const ended = data.status === "resolved" || data.status === "closed";
      const before = it.status;
      it.status = data.status;
      if (ended) it.ahead = null;
      else if (!it.score) it.lines = it.lines.filter((line) => line.type !== "rating"); // it goes on
      if (ended || before === "resolved") {
        it.lines.push({ type: "status", key: "status" + seq, seq, at_ms, status: ended ? "ended" : "reopened", name: data.by });
      }
    },
    "rating.asked"(it, { conversation_seq: seq, at_ms }) {
      it.score = null;
      it.lines = it.lines.filter((line) => line.type !== "rating");
      it.lines.push({ type: "rating", key: "rating", seq, at_ms });
    },
    "rating.given": rated,
    "rating.revised": rated,
  };

  /** @param {Conversation} it @param {Envelope} envelope */
  function assigned(it, { conversation_seq: seq, at_ms, data }) {
    const agent = data.agent || data.to || null;
    if (agent && agent.id !== it.agent?.id) {
      it.lines.push({ type: "joined", key: "joined" + seq, seq, at_ms, name: agent.name });
    }
    it.agent = agent;
    if (agent) it.ahead = null;
  }

  /** @param {Conversation} it @param {Envelope} envelope */
  function rated(it, { conversation_seq: seq, at_ms, data }) {
    it.score = data.score;
    if (!it.lines.some((line) => line.type === "rating")) {
      it.lines.push({ type: "rating", key: "rating", seq, at_ms });
    }
  }

  return {
    conversation,
    /** Every conversation, the one with the latest news first. */
    all: () => [...conversations.values()].sort((a, b) => lastAt(b) - lastAt(a) || (a.id < b.id ? 1 : -1)),
    /** @param {string | null} id */
    find: (id) => (id ? conversations.get(id) : undefined),
    unread: () => [...conversations.values()].reduce((sum, it) => sum + it.unread, 0),
    clear: () => conversations.clear(),

    /** Changes the conversation by one event; the caller keeps the order. @param {Envelope} envelope */
    apply(envelope) {
      const it = conversation(envelope.conversation_id);
      kinds[envelope.kind]?.(it, envelope); // an unknown kind counts in the sequence and does nothing
      it.seq = envelope.conversation_seq;
      it.head = Math.max(it.head, it.seq);
    },

    /** Read marks and typing, which are not stored. @param {Signal} signal */
    signal({ kind, data }) {
      const it = conversations.get(data?.conversation_id);
      if (!it) return;
      if (kind === "typing.changed" && data.actor?.kind !== "customer") {
        it.typing = data.typing ? { name: data.actor?.name, until_ms: Date.now() + (data.ttl_ms || 5000) } : null;
      } else if (kind === "message.read") {
        const at = it.lines.findIndex((line) => line.type === "message" && line.message.id === data.message_id);
        if (data.reader?.kind !== "customer") {
          it.readSeq = Math.max(it.readSeq, it.lines[at]?.seq || 0);
          it.readId = data.message_id; // of a message that may still be on its way
        } else if (at >= 0) it.unread = Math.min(it.unread, it.lines.slice(at + 1).filter(isIncoming).length);
      }
    },
  };
}

/** @param {Line} line */
export const isIncoming = (line) => line.type === "message" && line.message.author.kind !== "customer";

/** When something happened last in the conversation; 0 while that is not known. @param {Conversation} it */
export const lastAt = (it) => it.lines.at(-1)?.at_ms || it.openedAt_ms;

/** @param {{status: string}} it */
export const isOver = (it) => it.status === "resolved" || it.status === "closed";
