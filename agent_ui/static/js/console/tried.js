/**
 * What the shopper had read before they wrote, as lines of the thread. Asked for once a conversation is shown.
 * @typedef {import("./types.js").Envelope} Envelope
 */
import { computed, effect, signal, untracked } from "./vendor.js";
import { CommandError, command } from "./connection.js";
import { withoutEchoes } from "./events.js";
import { currentId, link, thread } from "./store.js";

const found = signal(/** @type {{ id: string, lines: Envelope[] } | null} */ (null));

/** Changes with each article that a shopper says did not help while the thread is open. */
const said = computed(() => thread.value?.events.filter((event) => event.kind === "suggestion.dismissed" && event.actor.kind === "customer").length ?? 0);

effect(() => {
  const [id, online, times] = [currentId.value, link.value === "online", said.value];
  untracked(() => {
    if (id && online && times >= 0) load(id);
  });
});

/** @param {string} id */
async function load(id) {
  try {
    const { items } = await command("answer.tried", { conversation_id: id });
    if (currentId.peek() !== id) return;
    /** @type {Envelope[]} */
    const lines = items.map((/** @type {{ suggestion_id: string, title: string, at_ms: number }} */ item) => ({
      seq: 0, conversation_seq: `tried-${item.suggestion_id}`, kind: "answer.tried", at_ms: item.at_ms, conversation_id: id, actor: { kind: "customer", id: null, name: null }, data: { title: item.title },
    }));
    found.value = { id, lines };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error; // the thread reads well without
  }
}

/** What the open thread shows of its events, with what was read in between. @param {Envelope[]} given @returns {Envelope[]} */
export function withTried(given) {
  const events = withoutEchoes(given);
  const extra = found.value?.id === currentId.value ? found.value?.lines ?? [] : [];
  const first = events[0];
  // What is older than the page that is loaded comes with the next one.
  const lines = extra.filter((line) => first && (first.conversation_seq === 1 || line.at_ms >= first.at_ms));
  if (!lines.length) return events;
  const all = [...events];
  for (const line of lines) {
    // Before the first thing that is later; the chat itself begins with what is opened then.
    const at = all.findIndex((event) => event.kind === "message.posted" && event.at_ms > line.at_ms);
    all.splice(at < 0 ? all.length : at, 0, line);
  }
  return all;
}
