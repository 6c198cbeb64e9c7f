/**
 * Telling the person that something came: spoken text for screen readers, a sound and a notice if they asked for them.
 * @typedef {import("./types.js").Envelope} Envelope
 * @typedef {import("./types.js").Summary} Summary
 */
import { signal } from "./vendor.js";
import { currentId, me } from "./store.js";
import { preference } from "./preferences.js";
import { customerName, t } from "./words.js";

/** What a screen reader should say now. Only new incoming text, thresholds and results of the person's own doing. */
export const spoken = signal("");

/** @param {string} text */
export function say(text) {
  // The same sentence twice in a row would not be read again; a changing space at the end makes it new.
  spoken.value = spoken.peek() === text ? `${text}\u00a0` : text;
}

/** @type {AudioContext | null} */
let audio = null;

/** Two short soft notes. */
export function chime() {
  audio ??= new AudioContext();
  audio.resume();
  const start = audio.currentTime;
  for (const [after, pitch] of [[0, 660], [0.13, 880]]) {
    const tone = audio.createOscillator();
    const level = audio.createGain();
    tone.frequency.value = pitch;
    level.gain.setValueAtTime(0.0001, start + after);
    level.gain.exponentialRampToValueAtTime(0.12, start + after + 0.02);
    level.gain.exponentialRampToValueAtTime(0.0001, start + after + 0.28);
    tone.connect(level).connect(audio.destination);
    tone.start(start + after);
    tone.stop(start + after + 0.3);
  }
}

/** @param {string} title @param {string} body @param {string} conversation_id */
function notify(title, body, conversation_id) {
  if (typeof Notification === "undefined" || Notification.permission !== "granted") return;
  const notice = new Notification(title, { body, tag: conversation_id });
  notice.onclick = () => {
    focus();
    location.hash = `c-${conversation_id}`;
    notice.close();
  };
}

/**
 * Decides whether an event is worth a word, a sound or a notice.
 * @param {Envelope} envelope
 * @param {Summary | undefined} before the conversation as it was known before the event
 */
export function hear(envelope, before) {
  const after = envelope.state;
  if (!after) return;
  // An event that comes a second time, or late, was heard already.
  if (before && envelope.conversation_seq <= before.conversation_seq) return;
  const name = customerName(after.customer);
  const mine = after.assignee_id === me.value.id;
  const here = currentId.value === after.id && document.visibilityState === "visible";
  if (envelope.kind === "message.posted") {
    const { message } = envelope.data;
    if (message.author.kind !== "customer") return;
    if (here) say(t("spoken.message", { name, text: message.body.slice(0, 300) }));
    if (!mine) return;
    if (preference("sound") && !(here && document.hasFocus())) chime();
    if (preference("desktop") && !document.hasFocus()) notify(name, message.body.slice(0, 140), after.id);
  } else if (envelope.kind.startsWith("assignment.") && mine && before?.assignee_id !== me.value.id && envelope.actor.id !== me.value.id) {
    say(t("spoken.assigned", { name }));
    if (preference("sound")) chime();
    if (preference("desktop") && !document.hasFocus()) notify(t("notice.assigned"), name, after.id);
  }
}
