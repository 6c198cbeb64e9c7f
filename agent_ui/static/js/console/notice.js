/** One notice for everyone who waits too long: it counts down as they are answered, and leads to the longest wait. */
import { computed, effect, html, signal } from "./vendor.js";
import { conversations, currentId, me, revision, shop } from "./store.js";
import { now } from "./clock.js";
import { say } from "./alerts.js";
import { slow, waitLevel } from "./waits.js";
import { stopwatch, t, tn } from "./words.js";
import { Icon } from "./ui.js";
import { route } from "./route.js";
import { focusComposer } from "./composer.js";

const late = computed(() => {
  revision.value;
  return slow(conversations.values(), me.value.id, now.value, shop.value.targets);
});
/** Those that were waiting when the person put the notice away; another one brings it back. */
const hidden = signal(/** @type {Set<string>} */ (new Set()));
let most = 0;

// Spoken once at each threshold, and never every second.
const level = computed(() => (late.value.length ? waitLevel(now.value - (late.value[0].waiting_since_ms ?? now.value), shop.value.targets) : 0));
effect(() => {
  if (level.value) say(t(`spoken.level${level.value}`));
});

/** Opens the conversation that has waited longest. */
export function toLongest() {
  const first = late.value.find((s) => s.id !== currentId.value) ?? late.value[0];
  if (!first) return;
  route(first.id);
  focusComposer();
}

export function SlowNotice() {
  const rows = late.value;
  if (!rows.length) {
    most = 0;
    return null;
  }
  most = Math.max(most, rows.length);
  if (rows.every((s) => hidden.value.has(s.id))) return null;
  const wait = now.value - (rows[0].waiting_since_ms ?? now.value);
  return html`<div class=${`slow w${level.value}`} role="group" aria-label=${t("slow")}>
    <${Icon} name="triangle-alert" />
    <p><b>${tn("slow.count", rows.length)}</b><span>${t("slow.longest", { time: stopwatch(wait) })}${most > rows.length ? ` · ${t("slow.answered", { n: most - rows.length, of: most })}` : ""}</span></p>
    <button type="button" class="btn" onClick=${toLongest}>${t("slow.go")}</button>
    <button type="button" class="btn icon quiet" aria-label=${t("slow.hide")} title=${t("slow.hide")} onClick=${() => { hidden.value = new Set(rows.map((s) => s.id)); }}><${Icon} name="x" /></button>
  </div>`;
}
