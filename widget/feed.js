const PATIENCE_MS = 1500;

/**
 * Brings events to the store in order and without gaps, whatever the network did to them.
 * @param {{store: ReturnType<typeof import("./store.js").createStore>, call: (name: string, payload: object) => Promise<Answer>, onChange: () => void}} parts
 */
export function createFeed({ store, call, onChange }) {
  /** Events that came too early, by conversation. @type {Map<string, Map<number, Envelope>>} */
  const early = new Map();
  /** @type {Set<string>} */
  const asking = new Set();

  /** @param {Envelope} envelope */
  const take = (envelope) => {
    const it = store.conversation(envelope.conversation_id);
    if (envelope.conversation_seq === it.seq + 1) store.apply(envelope);
    else if (envelope.conversation_seq > it.seq) {
      const held = early.get(it.id) || new Map();
      early.set(it.id, held.set(envelope.conversation_seq, envelope));
    }
  };

  /** @param {Conversation} it */
  const takeEarly = (it) => {
    const held = early.get(it.id);
    for (let next; (next = held?.get(it.seq + 1)); ) store.apply(next);
    for (const seq of held?.keys() || []) if (seq <= it.seq) held?.delete(seq);
    return !held?.size;
  };

  /** Asks the desk for everything after the last event that we have. @param {string} id */
  async function catchUp(id) {
    if (asking.has(id)) return;
    asking.add(id);
    const it = store.conversation(id);
    it.wanted = true;
    for (let more = true; more; ) {
      const answer = await call("conversation.catch_up", { conversation_id: id, after_seq: it.seq });
      if (!answer.ok || !Array.isArray(answer.events)) break; // asked again at the next event, welcome or check
      const before = it.seq;
      answer.events.forEach(take);
      takeEarly(it);
      for (const mark of answer.read_marks || []) store.signal({ kind: "message.read", data: { ...mark, conversation_id: id } });
      more = answer.complete === false && it.seq > before;
    }
    asking.delete(id);
    onChange();
  }

  return {
    catchUp,
    /** @param {Envelope} envelope */
    receive(envelope) {
      const it = store.conversation(envelope.conversation_id);
      if (!it.head && envelope.conversation_seq === 1) it.wanted = true; // begins before our eyes
      take(envelope);
      if (!takeEarly(it)) catchUp(it.id);
      onChange();
    },
    /** Compares what we have with what the desk has. @param {Head[]} heads */
    compare(heads) {
      for (const head of heads) {
        const it = store.conversation(head.id);
        it.historySeq ||= it.seq ? 0 : head.conversation_seq;
        it.head = Math.max(it.head, head.conversation_seq);
        it.unread = head.unread || 0;
        if (it.seq < head.conversation_seq) {
          if (it.wanted) catchUp(it.id);
          else it.status = head.status;
        }
      }
      onChange();
    },
    /** The desk has an event that we should get any moment. @param {string} id @param {number} seq */
    expect(id, seq) {
      setTimeout(() => {
        if ((store.find(id)?.seq ?? seq) < seq) catchUp(id); // nothing of somebody who has signed out
      }, PATIENCE_MS);
    },
    clear: () => early.clear(),
  };
}
