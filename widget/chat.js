import { createFeed } from "./feed.js";
import { createOutbox } from "./outbox.js";
import { createSession } from "./session.js";
import { createStore, isIncoming, isOver } from "./store.js";

const CHECK_MS = 30_000;
const TYPING_MS = 3000;
const PAGE_MAX = 6000;

/**
 * The chat without its looks: one object that knows the conversations and does what the shopper asks for.
 * @param {{shell: Shell, vault: Vault, onChange: () => void, onForget: () => void, onIncoming: (message: Message, conversation: Conversation) => void}} parts
 *   onForget: what is still to be sent is not for whoever comes now
 */
export function createChat({ shell, vault, onChange, onForget, onIncoming }) {
  /** @type {LinkState} */
  let state = { name: "idle" };
  /** @type {Welcome | null} */
  let welcome = null;
  /** The conversation that is shown; null is one that is still to begin. @type {string | null} */
  let shownId = null;
  let chosen = false;
  let typedAt = 0;

  const store = createStore(onIncoming);

  const session = createSession({
    shell,
    vault,
    heads: () => store.all().map(({ id, status, head, unread }) => ({ id, status, conversation_seq: head, unread })),
    tell(type, news) {
      heard[type]?.(news);
      onChange();
    },
  });

  const feed = createFeed({
    store,
    call: session.call,
    onChange() {
      for (const it of store.all()) {
        for (const line of it.lines) {
          const entry = line.type === "message" && outbox.arrived(line.message.client_id, it.id);
          if (entry && entry.conversation_id === shownId) shownId = it.id;
        }
      }
      onChange();
    },
  });

  const outbox = createOutbox({
    vault,
    post: ({ client_id, body, blocks, page, conversation_id }) =>
      session.call("message.post", { client_id, body, blocks, page, conversation_id: conversation_id || undefined }),
    share: session.share,
    onSent(entry, answer) {
      session.share("sent", [entry, answer]);
      sent(entry, answer);
    },
    onChange,
  });

  /** What the desk and the other tabs tell. @type {Record<string, (news: any) => void>} */
  const heard = {
    state(next) {
      state = next;
      if (next.name === "online" && session.leading) outbox.run();
      else outbox.pause();
    },
    welcome(/** @type {Welcome} */ next) {
      // What a visitor wrote goes along when they sign in; of another account nothing does.
      if (welcome && welcome.customer_id !== next.customer_id) forget(welcome.customer?.verified);
      welcome = next;
      if (!shell.options.color && next.shop.accent) {
        vault.set("accent", next.shop.accent);
        shell.paint(next.shop.accent);
      }
      const current = next.conversations.find((head) => !isOver(head));
      if (!chosen && !shownId && current) shownId = current.id;
      feed.compare(next.conversations);
      for (const { id, unread } of next.conversations) if (unread || id === shownId) feed.catchUp(id);
    },
    event: (envelope) => welcome && feed.receive(envelope), // else it is for whom we were before
    signal(signal) {
      const { kind, data } = signal;
      if (welcome && kind === "presence.changed") welcome.shop.agents_online = data.agents_online;
      if (welcome && kind === "request.changed") welcome.requests = data;
      store.signal(signal);
    },
    read: (mark) => store.signal({ kind: "message.read", data: mark }),
    sent: ([entry, answer]) => sent(entry, answer),
    entry: (entry) => outbox.hear(entry),
    removed: (id) => outbox.forget(id),
    logout() {
      vault.clear();
      forget(true);
    },
  };

  /** The conversation that goes on, if one does. */
  const ongoing = () => store.all().find((it) => !isOver(it));

  /** @param {Entry} entry @param {Answer} answer */
  function sent(entry, answer) {
    const id = answer.conversation_id;
    if (entry.conversation_id === shownId && id !== shownId) {
      shownId = id;
      store.conversation(id).wanted = true;
    }
    feed.expect(id, answer.conversation_seq);
    onChange();
  }

  // A message from before a reload shows where it belongs, connected or not.
  shownId = outbox.waiting().at(-1)?.conversation_id || null;

  /** @param {boolean} [all] also what is still to be sent */
  const forget = (all) => {
    store.clear();
    feed.clear();
    welcome = null;
    shownId = null;
    chosen = false;
    if (all) {
      outbox.clear();
      onForget();
    }
  };

  setInterval(() => {
    if (state.name === "online" && shownId && session.leading && store.find(shownId)?.wanted) feed.catchUp(shownId);
  }, CHECK_MS);

  return {
    store,
    outbox,
    start: session.start,
    call: session.call,
    get state() {
      return state;
    },
    get welcome() {
      return welcome;
    },
    /** The conversation in view; undefined while it has not begun. */
    get shown() {
      return store.find(shownId);
    },
    get shownId() {
      return shownId;
    },
    /** Shows a conversation, or with null a fresh page for a new one. @param {string | null} id */
    show(id) {
      shownId = id;
      chosen = !!welcome; // without one nobody knows what goes on
      if (id) feed.catchUp(id);
      onChange();
    },
    ongoing,
    /** Own messages that are not part of the thread yet. */
    pending: () =>
      outbox.waiting().filter((it) => it.conversation_id === shownId || (!it.conversation_id && shownId === ongoing()?.id)),
    load: feed.catchUp,

    /** @param {string} text @param {Block[]} [blocks] */
    post(text, blocks) {
      const { product, cart, order } = shell.options.page || {};
      const here = { url: location.href.split("#")[0].slice(0, 2000), title: document.title.slice(0, 200) };
      const context = { ...here, product, cart, order };
      typedAt = 0;
      outbox.add({
        body: text,
        blocks,
        page: JSON.stringify(context).length > PAGE_MAX ? here : context,
        conversation_id: shownId,
      });
    },
    /** Tells that the shopper is writing, at most once in three seconds. @param {boolean} typing */
    type(typing) {
      if (!shownId || state.name !== "online" || (typing ? Date.now() - typedAt < TYPING_MS : !typedAt)) return;
      typedAt = typing ? Date.now() : 0;
      session.call("typing.set", { conversation_id: shownId, typing });
    },
    /** Everything that the shop wrote in the shown conversation was seen. */
    read() {
      const it = store.find(shownId);
      const last = it?.lines.filter(isIncoming).at(-1);
      if (!it || state.name !== "online" || last?.type !== "message" || it.markedId === last.message.id) return;
      if (!it.unread && last.seq <= it.historySeq) return;
      it.markedId = last.message.id;
      const mark = { conversation_id: it.id, message_id: last.message.id };
      session.call("message.mark_read", mark).then((answer) => {
        if (!answer.ok && answer.error?.code === "unavailable") it.markedId = null;
      });
      it.unread = 0;
      session.share("read", { ...mark, reader: { kind: "customer" } });
      onChange();
    },
    /** @param {string} id @param {number} score @param {string} comment */
    async rate(id, score, comment) {
      const given = { conversation_id: id, score, comment: comment || undefined };
      const answer = await session.call("rating.give", given);
      if (answer.ok) shell.emit("csat", given);
      return answer;
    },
    /** @param {string} id */
    end: (id) => session.call("conversation.end", { conversation_id: id }),
    /** @param {string} token */
    identify: (token) => session.renew(token),
    logout() {
      heard.logout(null);
      session.share("logout");
      session.renew();
    },
  };
}
