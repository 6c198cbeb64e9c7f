/**
 * What happened, in words: one quiet line in the thread for each event worth reading.
 * @typedef {import("./types.js").Envelope} Envelope
 * @typedef {{ icon: string, text: import("./vendor.js").Child }} Line
 */
import { rich } from "./ui.js";
import { language, languageName, moment, shortDate, t, tn, together } from "./words.js";
import { now } from "./clock.js";

/** @param {Envelope} event */
const byWhom = (event) => event.actor.name || t(`who.${event.actor.kind}`);

/** Why routing chose this person: who they are to the customer, how busy, which language. @param {any} why */
function reason(why) {
  if (!why) return "";
  const parts = [];
  if (why.served_before_at_ms) parts.push(t("why.served_before", { date: shortDate(why.served_before_at_ms, now.peek()) }));
  if (Number.isFinite(why.load) && Number.isFinite(why.capacity)) {
    parts.push(why.candidates > 1 ? t("why.least_busy", { n: why.candidates, load: why.load, capacity: why.capacity }) : t("why.only_one", { load: why.load, capacity: why.capacity }));
  }
  if (why.speaks) parts.push(t("why.speaks", { language: languageName(why.speaks) }));
  return parts.length ? t("why", { reasons: together(parts) }) : "";
}

/** @type {Record<string, string>} the sentence of an assignment by its cause */
const ACCEPTED = { auto: "ev.assigned_auto", pull: "ev.assigned_pull", reply: "ev.assigned_reply", transfer: "ev.transferred" };

/** @type {Record<string, (data: any, event: Envelope) => Line | null>} a line, or null where another line says it already */
const LINES = {
  "conversation.opened": () => ({ icon: "message-circle", text: t("ev.opened") }),
  "queue.entered": ({ ahead, team }) => ({ icon: "hourglass", text: [ahead > 0 ? tn("ev.queued_behind", ahead) : t("ev.queued"), team?.name ? ` · ${team.name}` : ""] }),
  "queue.left": () => null,
  "assignment.accepted": ({ to, reason: cause, why }, event) => ({
    icon: "headset",
    text: [rich(ACCEPTED[cause] ?? "ev.claimed", { name: to?.name ?? byWhom(event), by: byWhom(event) }), reason(why)],
  }),
  "assignment.changed": ({ from, to, team, note, reason: cause }, event) => ({
    icon: "arrow-right",
    text: [rich(to ? (cause === "claim" ? "ev.taken_over" : "ev.transferred") : team ? "ev.transferred_team" : "ev.released", { by: byWhom(event), name: to?.name ?? team?.name ?? "", from: from?.name ?? "" }), note ? ` · ${t("quoted", { text: note })}` : ""],
  }),
  "assignment.ended": ({ from, reason: cause }, event) => {
    if (cause === "transfer") return { icon: "arrow-right", text: rich("ev.passed_on", { by: byWhom(event) }) };
    return cause === "grace" || cause === "offline" ? { icon: "plug", text: rich("ev.lost", { name: from?.name ?? "" }) } : null;
  },
  "conversation.status_changed": ({ status, previous, until_ms }, event) => {
    if (status === "snoozed") return { icon: "alarm-clock", text: rich("ev.snoozed", { by: byWhom(event), time: until_ms ? moment(until_ms, now.peek()) : "" }) };
    if (status === "open" && previous === "snoozed") return { icon: "bell", text: t("ev.woke") };
    if (status === "open") return { icon: "rotate-ccw", text: rich("ev.reopened", { by: byWhom(event) }) };
    return { icon: "circle-check", text: rich({ closed: "ev.closed", spam: "ev.spam" }[/** @type {string} */ (status)] ?? "ev.resolved", { by: byWhom(event) }) };
  },
  "session.started": ({ session_no }) => (session_no > 1 ? { icon: "history", text: t("ev.session", { n: session_no }) } : null),
  "session.ended": () => null,
  "turn.dismissed": ({ reason: cause }, event) => ({ icon: "hand", text: rich(cause === "courtesy" ? "ev.dismissed" : "ev.dismissed_other", { by: byWhom(event) }) }),
  "customer.left": () => ({ icon: "log-out", text: t("ev.left") }),
  "customer.returned": () => ({ icon: "globe", text: t("ev.returned") }),
  "rating.asked": () => ({ icon: "star", text: t("ev.rating_asked") }),
  "rating.given": ({ score, comment }) => ({ icon: "star", text: [rich("ev.rated", { score }), comment ? ` · ${t("quoted", { text: comment })}` : ""] }),
  "rating.revised": ({ score, comment }) => ({ icon: "star", text: [rich("ev.rated_again", { score }), comment ? ` · ${t("quoted", { text: comment })}` : ""] }),
  "rule.applied": ({ en, zh }) => ({ icon: "bot", text: language.startsWith("zh") ? zh : en }),
  "answer.tried": ({ title }) => ({ icon: "search", text: rich("ev.tried", { title }) }),
  "conversation.tagged": ({ add, remove }, event) => ({
    icon: "tag",
    text: add?.length ? rich("ev.tagged", { by: byWhom(event), tags: together(add) }) : rich("ev.untagged", { by: byWhom(event), tags: together(remove ?? []) }),
  }),
};

/** The line of an event; null for kinds that say nothing here, or that a later server invented. @param {Envelope} event @returns {Line | null} */
export const lineOf = (event) => LINES[event.kind]?.(event.data, event) ?? null;

/**
 * The events without those that say what another one says or has made void: a tag of a rule whose own line tells of it,
 * and the question for a rating of a chat that an agent opened again before there was an answer.
 * @param {Envelope[]} events @returns {Envelope[]}
 */
export function withoutEchoes(events) {
  const kept = [];
  let deed = 0; // when the rule acted whose doing stands above: all of it is of one instant
  let voided = false;
  for (let at = events.length - 1; at >= 0; at -= 1) {
    const { kind, at_ms, actor, data } = events[at];
    if (kind === "rule.applied") deed = at_ms;
    else if (at_ms !== deed) deed = 0;
    if (kind === "conversation.status_changed") voided = data.status === "open" && actor.kind === "agent";
    else if (kind === "rating.given") voided = false;
    if (!(kind === "conversation.tagged" && actor.kind === "system" && deed) && !(kind === "rating.asked" && voided)) kept.push(events[at]);
  }
  return kept.reverse();
}
