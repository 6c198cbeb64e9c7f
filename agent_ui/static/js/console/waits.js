/**
 * Who waits, how badly, and in which order they stand in the list. Pure: state in, order out.
 * @typedef {import("./types.js").Summary} Summary
 * @typedef {{ key: string, ids: string[] }} Group
 * @typedef {"mine"|"queue"|"open"|"resolved"} Tab
 */

/** 0 calm, 1 soon too late (from warn_ms), 2 too late (from limit_ms). @param {number} wait_ms @param {{ warn_ms: number, limit_ms: number }} targets */
export const waitLevel = (wait_ms, targets) =>
  wait_ms >= targets.limit_ms ? 2 : wait_ms >= targets.warn_ms ? 1 : 0;

/** @param {Summary} s */
export const isOpen = (s) => s.status === "open" || s.status === "snoozed";
/** @param {Summary} s */
const isQueued = (s) => s.status === "open" && !s.assignee_id;
/** @param {Summary} s */
const isWaiting = (s) => s.status === "open" && s.waiting_since_ms !== null;

/** Who may take it: anybody what nobody has, leaders also what a colleague has. @param {Summary} s @param {{ id: string, role: string }} me */
export const mayClaim = (s, me) => isOpen(s) && s.assignee_id !== me.id && (!s.assignee_id || me.role !== "agent");

/** @param {Summary} s */
const since = (s) => s.waiting_since_ms ?? s.queued_at_ms ?? s.opened_at_ms;
/** @param {string} a @param {string} b */
const byId = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
/** @param {Summary} a @param {Summary} b */
const longestWaitFirst = (a, b) => since(a) - since(b) || byId(a.id, b.id);
/** @param {Summary} a @param {Summary} b */
const latestFirst = (a, b) => b.last_activity_at_ms - a.last_activity_at_ms || byId(a.id, b.id);
/** @param {Summary} a @param {Summary} b */
const firstBackFirst = (a, b) => (a.snoozed_until_ms ?? 0) - (b.snoozed_until_ms ?? 0) || byId(a.id, b.id);

/** @param {Summary[]} rows */
const ids = (rows) => rows.map((row) => row.id);

/**
 * The groups of a tab in their right order; empty groups are left out.
 * @param {Tab} tab
 * @param {Iterable<Summary>} all
 * @param {string} me
 * @param {Set<string>} resolved which resolved conversations were loaded
 * @returns {Group[]}
 */
export function arrange(tab, all, me, resolved) {
  /** @type {Record<"waiting"|"left"|"active"|"snoozed"|"done", Summary[]>} */
  const { waiting, left, active, snoozed, done } = { waiting: [], left: [], active: [], snoozed: [], done: [] };
  for (const s of all) {
    if (!isOpen(s)) {
      if (tab === "resolved" && resolved.has(s.id)) done.push(s);
    } else if (tab === "queue" ? isQueued(s) : tab === "open" || (tab === "mine" && s.assignee_id === me)) {
      (s.status === "snoozed" ? snoozed : isWaiting(s) || tab === "queue" ? waiting : s.unanswered ? left : active).push(s);
    }
  }
  done.sort((a, b) => (b.resolved_at_ms ?? b.last_activity_at_ms) - (a.resolved_at_ms ?? a.last_activity_at_ms) || byId(a.id, b.id));
  return [
    { key: tab === "mine" ? "for_you" : tab === "queue" ? "queue" : "waiting", ids: ids(waiting.sort(longestWaitFirst)) },
    { key: "left", ids: ids(left.sort(latestFirst)) },
    { key: "active", ids: ids(active.sort(latestFirst)) },
    { key: "snoozed", ids: ids(snoozed.sort(firstBackFirst)) },
    { key: "resolved", ids: ids(done) },
  ].filter((group) => group.ids.length);
}

/**
 * The order while a hand is on the list: rows keep their places, what has gone goes, what is new comes last in its group.
 * @param {Group[]} fresh
 * @param {Group[]} shown
 * @returns {Group[]}
 */
export function hold(fresh, shown) {
  const present = new Set(fresh.flatMap((group) => group.ids));
  const known = new Set(shown.flatMap((group) => group.ids));
  const held = shown.map((group) => ({ key: group.key, ids: group.ids.filter((id) => present.has(id)) }));
  for (const group of fresh) {
    const added = group.ids.filter((id) => !known.has(id));
    if (!added.length) continue;
    const place = held.find((other) => other.key === group.key);
    if (place) place.ids.push(...added);
    else held.push({ key: group.key, ids: added });
  }
  return held.filter((group) => group.ids.length);
}

/** How many conversations each tab has. @param {Iterable<Summary>} all @param {string} me */
export function tally(all, me) {
  const counts = { mine: 0, queue: 0, open: 0, waiting: 0 };
  for (const s of all) {
    if (s.status !== "open") continue;
    counts.open += 1;
    if (!s.assignee_id) counts.queue += 1;
    else if (s.assignee_id === me) {
      counts.mine += 1;
      if (s.waiting_since_ms !== null) counts.waiting += 1;
    }
  }
  return counts;
}

/** My conversations that wait warn_ms or longer, longest first. @param {Iterable<Summary>} all @param {string} me @param {number} now_ms @param {{ warn_ms: number }} targets */
export function slow(all, me, now_ms, targets) {
  const rows = [];
  for (const s of all) {
    if (s.assignee_id === me && isWaiting(s) && now_ms - since(s) >= targets.warn_ms) rows.push(s);
  }
  return rows.sort(longestWaitFirst);
}
