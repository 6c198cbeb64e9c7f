/**
 * What the console knows. State changes here and nowhere else; elements read the signals and call commands.
 * @typedef {import("./types.js").Summary} Summary
 * @typedef {import("./types.js").Envelope} Envelope
 * @typedef {import("./types.js").Agent} Agent
 * @typedef {import("./types.js").Thread} Thread
 * @typedef {import("./types.js").OutboxEntry} OutboxEntry
 * @typedef {import("./types.js").Presence} Presence
 * @typedef {{ id: string, seq: number }} Gap
 */
import { batch, computed, signal } from "./vendor.js";
import { notBefore, setClock } from "./clock.js";
import { isOpen, tally } from "./waits.js";
import { page } from "./words.js";

const THREADS_KEPT = 12;

/** @type {{ value: "connecting"|"online"|"offline"|"restarting"|"signed_out" }} */
export const link = signal(/** @type {any} the five words above */ ("connecting"));
/** Whether the desk was loaded once, and the code of the error if it could not be. */
export const ready = signal(false);
export const loadError = signal(/** @type {string | null} */ (null));

export const me = signal(/** @type {Agent} */ ({
  id: page.person.id, name: page.person.name, email: "", role: page.person.role,
  status: "offline", capacity: 0, load: 0, team_ids: [],
}));
export const shop = signal(/** @type {import("./types.js").Shop} */ ({
  name: "", locale: page.locale, timezone: "UTC", currency: "", targets: { warn_ms: 100_000, limit_ms: 180_000 },
}));
export const agents = signal(/** @type {Map<string, Agent>} */ (new Map()));
export const teams = signal(/** @type {import("./types.js").Named[]} */ ([]));

/**
 * Every conversation known, by id. The map itself is changed in place, and `revision` says that it was: fifty updates
 * a second over two thousand rows would otherwise copy the map fifty times.
 * @type {Map<string, Summary>}
 */
export const conversations = new Map();
export const revision = signal(0);

export const currentId = signal(/** @type {string | null} */ (null));
/** @type {Map<string, Thread>} */
const threads = new Map();
const threadRevision = signal(0);
/** The open conversation's thread. */
export const thread = computed(() => {
  threadRevision.value;
  return currentId.value ? threads.get(currentId.value) ?? null : null;
});
/** The open conversation's summary. */
export const current = computed(() => {
  revision.value;
  return currentId.value ? conversations.get(currentId.value) ?? null : null;
});

/** Who types where until when, by conversation and person. */
export const typing = signal(/** @type {Map<string, { conversation_id: string, actor: import("./types.js").Actor, until_ms: number }>} */ (new Map()));
export const outbox = signal(/** @type {OutboxEntry[]} */ ([]));
/** Resolved conversations that were loaded page by page, and where the next page starts. */
export const resolved = signal({ ids: /** @type {Set<string>} */ (new Set()), next_before_ms: /** @type {number | null} */ (null), state: /** @type {"idle"|"loading"|"ready"|"failed"} */ ("idle") });
export const resolvedToday = signal(0);
export const counts = computed(() => {
  revision.value;
  return tally(conversations.values(), me.value.id);
});

/** What changed, conversations and people, since the desk was asked for: its answer may be older. @type {Set<string>} */
const meanwhile = new Set();
/** The desk is asked for now. */
export const deskAsked = () => meanwhile.clear();

let announced = false;
/** Tells readers of `conversations` once per 16 ms at most, however many changed. */
function touch() {
  if (announced) return;
  announced = true;
  setTimeout(() => {
    announced = false;
    revision.value += 1;
  }, 16);
}

/** Replaces a conversation's summary unless ours is newer. @param {Summary | undefined | null} summary */
export function putSummary(summary) {
  if (!summary) return;
  meanwhile.add(summary.id);
  const ours = conversations.get(summary.id);
  if (ours && ours.conversation_seq > summary.conversation_seq) return;
  if (ours && isOpen(ours) && summary.status === "resolved") resolvedToday.value += 1;
  if (ours?.status === "resolved" && isOpen(summary)) resolvedToday.value = Math.max(0, resolvedToday.value - 1);
  conversations.set(summary.id, summary);
  if (!isOpen(summary) && resolved.value.state !== "idle") resolved.value.ids.add(summary.id);
  touch();
}

/** @param {string} id @param {Partial<Thread>} change */
function changeThread(id, change) {
  const thread = threads.get(id);
  if (!thread) return;
  threads.set(id, { ...thread, ...change });
  threadRevision.value += 1;
}

/** Everything at once: after sign-in, and whenever heads differ after a reconnect. @param {any} reply the answer of desk.load */
export function putDesk(reply) {
  batch(() => {
    setClock(reply.server_at_ms);
    if (!meanwhile.has(me.value.id)) me.value = { ...me.value, ...reply.me };
    shop.value = { ...shop.value, ...reply.shop };
    agents.value = new Map(reply.agents.map((/** @type {Agent} */ agent) => [agent.id, meanwhile.has(agent.id) ? { ...agent, ...agents.value.get(agent.id) } : agent]));
    teams.value = reply.teams.map((/** @type {any} */ team) => ({ id: team.id, name: (page.locale === "zh" && team.name_zh) || team.name }));
    resolvedToday.value = reply.counts?.resolved_today ?? 0;
    const listed = new Set(reply.conversations.map((/** @type {Summary} */ s) => s.id));
    for (const [id, summary] of conversations) {
      // Open here but no longer on the desk: resolved or moved out of our sight while we were away.
      if (isOpen(summary) && !listed.has(id) && id !== currentId.value && !meanwhile.has(id)) conversations.delete(id);
    }
    // And so it is not among the resolved ones either: those are asked for once more when somebody looks at them.
    if (/ready|failed/.test(resolved.value.state)) resolved.value = { ...resolved.value, state: "idle" };
    for (const summary of reply.conversations) putSummary(summary);
    ready.value = true;
    loadError.value = null;
    revision.value += 1; // at once: a desk that calls itself loaded has its rows, and keys find them
  });
}

/** @param {any} welcome @returns {boolean} whether the desk has to be loaded (again) */
export function putWelcome(welcome) {
  setClock(welcome.server_at_ms);
  batch(() => {
    me.value = { ...me.value, ...welcome.agent };
    shop.value = { ...shop.value, ...welcome.shop };
    link.value = "online";
  });
  for (const other of threads.values()) if (other.id !== currentId.value) changeThread(other.id, { stale: true });
  if (!ready.value) return true;
  const heads = new Map(welcome.conversations.map((/** @type {{ id: string, conversation_seq: number }} */ head) => [head.id, head.conversation_seq]));
  for (const [id, seq] of heads) if (conversations.get(id)?.conversation_seq !== seq) return true;
  for (const summary of conversations.values()) if (isOpen(summary) && !heads.has(summary.id)) return true;
  return false;
}

/**
 * Applies one envelope: in order, each once. What is already known is dropped.
 * @param {Envelope} envelope
 * @returns {Gap | null} what is missing before it, to be asked for with conversation.catch_up
 */
export function applyEnvelope(envelope) {
  notBefore(envelope.at_ms);
  putSummary(envelope.state);
  const id = envelope.conversation_id;
  const thread = threads.get(id);
  if (!thread || thread.state !== "ready") return null;
  if (envelope.conversation_seq <= thread.last_seq) return null;
  if (envelope.conversation_seq > thread.last_seq + 1) {
    if (id === currentId.value) return { id, seq: thread.last_seq };
    changeThread(id, { stale: true });
    return null;
  }
  append(thread, [envelope]);
  return null;
}

/** @param {Thread} thread @param {Envelope[]} events that follow its last one */
function append(thread, events) {
  const turns = [...thread.turns];
  for (const event of events) {
    if (event.kind !== "message.posted") continue;
    const { message } = event.data;
    outbox.value = outbox.value.filter((entry) => entry.client_id !== message.client_id);
    typing.value = without(typing.value, `${thread.id} ${message.author.id}`);
    followTurn(turns, message, event);
  }
  changeThread(thread.id, { events: [...thread.events, ...events], last_seq: events[events.length - 1].conversation_seq, turns });
}

/**
 * Keeps the turns of an open thread going until they are loaded again, so that a reply shows at once how fast it was.
 * The server's turns are the truth; these are only shown.
 * @param {import("./types.js").Turn[]} turns
 * @param {import("./types.js").Message} message
 * @param {Envelope} event
 */
function followTurn(turns, message, event) {
  const last = turns[turns.length - 1];
  const pending = last?.outcome === "waiting";
  if (message.visibility !== "public") return;
  const session_no = event.state?.session_no ?? last?.session_no ?? 1;
  if (message.author.kind === "customer" && !pending) {
    turns.push({
      turn_no: (last?.turn_no ?? 0) + 1, session_no, is_first_in_session: last?.session_no !== session_no,
      ask_at_ms: message.at_ms, ask_message_id: message.id, reply_message_id: null, outcome: "waiting",
      elapsed_ms: null, answered_by: null,
    });
  } else if (message.author.kind === "agent" && pending) {
    turns[turns.length - 1] = { ...last, reply_message_id: message.id, outcome: "answered", elapsed_ms: message.at_ms - last.ask_at_ms, answered_by: message.author.id };
  }
}

/** @template V @param {Map<string, V>} map @param {string} key */
function without(map, key) {
  if (!map.has(key)) return map;
  const next = new Map(map);
  next.delete(key);
  return next;
}

/**
 * Applies a page of catch-up; pages may overlap with what came by itself meanwhile.
 * @param {string} id
 * @param {{ events: Envelope[], conversation?: Summary }} reply
 */
export function putCatchUp(id, reply) {
  putSummary(reply.conversation);
  const thread = threads.get(id);
  if (!thread) return;
  const news = [];
  let last = thread.last_seq;
  for (const event of reply.events) {
    if (event.conversation_seq !== last + 1) continue;
    news.push(event);
    last = event.conversation_seq;
  }
  if (news.length) append(thread, news);
}

/** Puts older events before the thread's first. @param {string} id @param {{ events: Envelope[] }} reply */
export function putEarlier(id, reply) {
  const thread = threads.get(id);
  if (!thread) return;
  const first = thread.events[0]?.conversation_seq ?? 1;
  const older = reply.events.filter((event) => event.conversation_seq < first);
  // The thread was loaded anew meanwhile, and these belong before what it had.
  if (older.length && older[older.length - 1].conversation_seq !== first - 1) return;
  changeThread(id, { events: [...older, ...thread.events], complete: !older.length || older[0].conversation_seq <= 1 });
}

/** Shows a conversation; what is kept of it is shown at once. @param {string | null} id */
export function showConversation(id) {
  batch(() => {
    if (id) {
      const kept = threads.get(id);
      threads.delete(id); // and set again, so that the map stays in order of use
      threads.set(id, kept ?? {
        id, state: "loading", error: null, events: [], complete: true, last_seq: 0, stale: true,
        card: null, read_marks: [], turns: [], viewing: [], draft: null,
      });
      for (const oldest of [...threads.keys()].slice(0, Math.max(0, threads.size - THREADS_KEPT))) threads.delete(oldest);
      if (kept?.state === "failed") changeThread(id, { state: "loading", error: null });
    }
    currentId.value = id;
    threadRevision.value += 1;
  });
}

/**
 * Puts a conversation that was asked for. What was signalled or answered while its answer was on the way is newer than that.
 * @param {string} id @param {any} reply the answer of conversation.open @param {Thread | null} asked the thread as it was then
 */
export function putThread(id, reply, asked) {
  const thread = threads.get(id);
  if (!thread) return;
  batch(() => {
    putSummary(reply.conversation);
    /** @type {Envelope[]} */
    const fresh = reply.events;
    const first = fresh[0]?.conversation_seq ?? 1;
    const last = fresh[fresh.length - 1]?.conversation_seq ?? 0;
    const joined = thread.events.length > 0 && thread.last_seq >= first - 1;
    const events = joined
      ? [...thread.events.filter((event) => event.conversation_seq < first), ...fresh, ...thread.events.filter((event) => event.conversation_seq > last)]
      : fresh;
    const clients = new Set(events.filter((event) => event.kind === "message.posted").map((event) => event.data.message.client_id));
    outbox.value = outbox.value.filter((entry) => !clients.has(entry.client_id));
    const turns = [...reply.turns];
    for (const event of events) if (event.conversation_seq > last && event.kind === "message.posted") followTurn(turns, event.data.message, event);
    const marks = thread.read_marks.filter((mark) => !asked?.read_marks.includes(mark));
    const marked = new Set(marks.map((mark) => mark.reader.id));
    /** @template {"card"|"draft"|"viewing"} K @param {K} key @param {Thread[K]} value */
    const newer = (key, value) => (asked && thread[key] !== asked[key] ? thread[key] : value);
    changeThread(id, {
      state: "ready", error: null, stale: false, events,
      last_seq: events[events.length - 1]?.conversation_seq ?? 0,
      complete: joined ? thread.complete && (events[0]?.conversation_seq ?? 1) <= 1 : reply.complete,
      card: newer("card", reply.customer), turns, draft: newer("draft", reply.draft), viewing: newer("viewing", reply.viewing ?? []),
      read_marks: [...reply.read_marks.filter((/** @type {import("./types.js").ReadMark} */ mark) => !marked.has(mark.reader.id)), ...marks],
    });
  });
}

/** @param {string} id @param {string} code */
export const failThread = (id, code) => changeThread(id, { state: "failed", error: code });
/** @param {string} id @param {import("./types.js").Card} card */
export function putCard(id, card) {
  changeThread(id, { card });
  const summary = conversations.get(id);
  if (!summary) return;
  const { name, verified, profile } = card;
  const { segment = null, top20 = false } = profile ?? {};
  conversations.set(id, { ...summary, customer: { ...summary.customer, name, verified, segment, top20 } });
  touch();
}
/** @param {string} id @param {import("./types.js").Draft | null} draft */
export const putDraft = (id, draft) => changeThread(id, { draft });

/** @type {Record<string, (data: any) => void>} */
const SIGNALS = {
  "typing.changed": ({ conversation_id, actor, typing: on, ttl_ms }) => {
    const key = `${conversation_id} ${actor.id}`;
    if (!on) typing.value = without(typing.value, key);
    else typing.value = new Map(typing.value).set(key, { conversation_id, actor, until_ms: Date.now() + Math.min(ttl_ms ?? 6000, 15_000) });
  },
  "message.read": ({ conversation_id, reader, message_id, at_ms }) => {
    const marks = threads.get(conversation_id)?.read_marks.filter((mark) => mark.reader.id !== reader.id);
    if (marks) changeThread(conversation_id, { read_marks: [...marks, { reader, message_id, at_ms }] });
  },
  "presence.changed": ({ agent }) => putAgent(agent),
  "viewing.changed": ({ conversation_id, agents: viewing }) => changeThread(conversation_id, { viewing }),
};

/** @param {Partial<Agent> & { id: string }} agent */
export function putAgent(agent) {
  meanwhile.add(agent.id);
  const before = agents.value.get(agent.id);
  agents.value = new Map(agents.value).set(agent.id, /** @type {Agent} */ ({ ...before, ...agent }));
  if (agent.id === me.value.id) me.value = { ...me.value, ...agent };
}

/** Applies what is not stored: typing, read marks, presence, viewing. @param {{ kind: string, data: any }} news */
export function applySignal(news) {
  SIGNALS[news.kind]?.(news.data);
}

/** Forgets who stopped typing without saying so. */
export function expireTyping() {
  const live = [...typing.value].filter(([, entry]) => entry.until_ms > Date.now());
  if (live.length !== typing.value.size) typing.value = new Map(live);
}

/** @param {any} reply the answer of conversation.list with view resolved */
export function putResolved(reply) {
  const { ids } = resolved.value;
  for (const summary of reply.conversations) {
    putSummary(summary);
    ids.add(summary.id);
  }
  resolved.value = { ids, next_before_ms: reply.next_before_ms, state: "ready" };
  touch();
}

/** @param {Summary[]} summaries found by a search */
export function putFound(summaries) {
  for (const summary of summaries) putSummary(summary);
}

/** The conversation's messages still on their way, oldest first. @param {string} id */
export const pendingOf = (id) => outbox.value.filter((entry) => entry.conversation_id === id);

/** Whether a message of the outbox is in its thread already, or in one that is not kept and so will be loaded with it. @param {OutboxEntry} entry */
export function hasArrived({ conversation_id, client_id }) {
  const thread = threads.get(conversation_id);
  return !thread || thread.events.some((event) => event.kind === "message.posted" && event.data.message.client_id === client_id);
}

/** @param {OutboxEntry} entry */
export function putOutbox(entry) {
  const known = outbox.value.some((other) => other.client_id === entry.client_id);
  outbox.value = known ? outbox.value.map((other) => (other.client_id === entry.client_id ? entry : other)) : [...outbox.value, entry];
}

/** @param {string} client_id */
export function dropOutbox(client_id) {
  outbox.value = outbox.value.filter((entry) => entry.client_id !== client_id);
}
