/** The two notices: everyone who waits too long in one line that counts down, and a connection that is not in step. */
import { computed, effect, html, signal, useEffect, useState } from "./vendor.js";
import { conversations, currentId, link, me, outbox, revision, shop } from "./store.js";
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
function toLongest() {
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
    <p><b>${tn("slow.count", rows.length)}</b><span>${most > rows.length ? t("slow.answered", { time: stopwatch(wait), n: most - rows.length, of: most }) : t("slow.longest", { time: stopwatch(wait) })}</span></p>
    <button type="button" class="btn" onClick=${toLongest}>${t("slow.go")}</button>
    <button type="button" class="btn icon quiet" aria-label=${t("slow.hide")} title=${t("slow.hide")} onClick=${() => { hidden.value = new Set(rows.map((s) => s.id)); }}><${Icon} name="x" /></button>
  </div>`;
}

/** A short blink of the line is not worth a word. */
const PATIENCE_MS = 1200;

/** Says when the console is not in step with the server, and what becomes of what is written meanwhile. */
export function Banner() {
  const state = link.value;
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (state === "online" || state === "signed_out") return;
    const timer = setTimeout(() => setLate(true), state === "restarting" ? 0 : PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const waiting = outbox.value.filter((entry) => entry.state === "waiting" || entry.state === "sending").length;
  const shown = state === "signed_out" || (late && state !== "online");
  const offline = state === "offline" && !navigator.onLine;
  return html`<div class="banner" role="status">${shown ? html`<div class=${state === "signed_out" ? "bad" : ""}>
    <${Icon} name=${state === "signed_out" ? "log-out" : offline ? "wifi-off" : "refresh-cw"} />
    <span>${t(offline ? "link.no_network" : `link.${state}`)}${waiting ? ` ${tn("link.kept", waiting)}` : ""}</span>
    ${state === "signed_out" ? html`<a class="btn" href=${`/sign-in?next=${encodeURIComponent(location.pathname + location.hash)}`}>${t("sign_in")}</a>` : null}</div>` : null}</div>`;
}
