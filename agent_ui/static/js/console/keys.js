/**
 * The keyboard. Keys are known by their place (KeyboardEvent.code), so that they work on every layout, and are left alone
 * while a word is being composed. Plain keys work outside text fields, the Alt ones everywhere.
 */
import { current, currentId, me } from "./store.js";
import { claim, resolve } from "./actions.js";
import { isOpen, mayClaim } from "./waits.js";
import { ask, asking } from "./later.js";
import { focusComposer } from "./composer.js";
import { moveCursor, openNeighbour } from "./list.js";
import { openMenu } from "./header.js";

const apple = /Mac|iPhone|iPad/.test(navigator.platform);

/** Runs only with a conversation open on the screen that is not done. @param {(id: string) => void} run */
const whileOpen = (run) => () => {
  const s = current.value;
  if (s && isOpen(s)) run(s.id);
};
const resolveIt = whileOpen((id) => resolve(id));
const snoozeIt = whileOpen(() => {
  openMenu.value = "snooze";
});
const writeNote = () => {
  if (currentId.value) focusComposer("private");
};
const writeReply = () => {
  if (currentId.value) focusComposer("public");
};

/** @type {Record<string, () => void>} */
const PLAIN = {
  KeyJ: () => moveCursor(1),
  KeyK: () => moveCursor(-1),
  KeyE: resolveIt,
  KeyN: writeNote,
  KeyR: writeReply,
  KeyZ: snoozeIt,
  KeyC: whileOpen((id) => {
    if (current.value && mayClaim(current.value, me.value)) claim(id);
  }),
  KeyT: whileOpen((id) => ask({ kind: "transfer", id })),
  Slash: () => document.getElementById("search")?.focus(),
};
/** @type {Record<string, () => void>} */
const WITH_ALT = {
  KeyJ: () => openNeighbour(1),
  KeyK: () => openNeighbour(-1),
  KeyE: resolveIt,
  KeyP: writeNote,
  KeyL: writeReply,
  KeyM: snoozeIt,
};

/** @param {KeyboardEvent} e @returns {(() => void) | undefined} */
function meaning(e) {
  const command = apple ? e.metaKey && !e.ctrlKey : e.ctrlKey && !e.metaKey;
  const free = !asking() && !document.querySelector("dialog[open]");
  if (command && !e.altKey && !e.shiftKey && e.code === "KeyK") return free ? () => ask({ kind: "palette" }) : () => {};
  if (!free || e.getModifierState("AltGraph")) return undefined;
  if (command && e.altKey && e.code === "KeyE") return whileOpen((id) => resolve(id, { next: true }));
  if (e.ctrlKey || e.metaKey) return undefined;
  if (e.altKey) return e.shiftKey ? undefined : WITH_ALT[e.code];
  if (/** @type {Element} */ (e.target).closest?.("input, textarea, select, [contenteditable], [role=menu], .donebar:focus")) return undefined;
  if (e.key === "?" || (e.code === "Slash" && e.shiftKey)) return () => ask({ kind: "help" });
  return e.shiftKey ? undefined : PLAIN[e.code];
}

/** Listens. */
export function listen() {
  addEventListener("keydown", (e) => {
    if (e.defaultPrevented || e.isComposing || e.keyCode === 229) return;
    const run = meaning(e);
    if (!run) return;
    e.preventDefault();
    run();
  });
}
