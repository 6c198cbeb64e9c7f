/** The way to the other pages: a rail on the left, a bar at the bottom of a phone. */
import { html, signal, useEffect } from "./vendor.js";
import { counts, currentId, me } from "./store.js";
import { t, tn } from "./words.js";
import { Icon, IconButton } from "./ui.js";
import { PersonMenu } from "./presence.js";
import { ask } from "./later.js";

/** @type {{ icon: string, late?: boolean, key: string, href: string }[]} */
const PLACES = [
  { icon: "inbox", key: "inbox", href: "/console" },
  { icon: "ticket", late: true, key: "tickets", href: "/tickets" },
  { icon: "users-round", key: "customers", href: "/customers" },
  { icon: "layers", late: true, key: "knowledge", href: "/knowledge" },
  { icon: "chart-column", key: "reports", href: "/reports" },
  { icon: "settings", key: "settings", href: "/settings" },
];

const NOTICES = { icon: "bell", key: "notices", href: "/notices" };

/** What stands behind other places, looked up now and then. */
export const marks = signal({ late: 0, unread: 0 });
export const lookAtMarks = () => document.hidden || fetch("/notices/count").then((reply) => reply.json()).then((found) => { marks.value = found; }, () => {}); // the next look tries again
const EACH_MS = 60_000;

const leads = () => me.value.role !== "agent";

/** @param {{ place: typeof PLACES[number], wordy?: boolean }} props */
function Place({ place, wordy = false }) {
  const here = place.key === "inbox";
  const n = here ? counts.value.waiting : { tickets: marks.value.late, notices: marks.value.unread }[place.key] ?? 0;
  return html`<a href=${place.href} aria-current=${here ? "page" : undefined} title=${wordy ? undefined : t(place.key)} onClick=${(/** @type {MouseEvent} */ e) => here && !e.metaKey && !e.ctrlKey && e.preventDefault()}>
    <${Icon} name=${place.icon} late=${place.late} /><span class=${wordy ? "" : "sr"}>${t(place.key)}</span>
    ${n ? html`<span class="dot" aria-hidden="true">${n > 99 ? "99+" : n}</span><span class="sr">, ${here ? tn("waiting", n) : place.key === "tickets" ? tn("tickets_late", n) : tn("notices_unread", n)}</span>` : null}</a>`;
}

export function Rail() {
  useEffect(() => {
    lookAtMarks();
    document.addEventListener("visibilitychange", lookAtMarks);
    const timer = setInterval(lookAtMarks, EACH_MS);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", lookAtMarks);
    };
  }, []);
  return html`<nav class="rail" aria-label=${t("nav")}>
  <div class="logo" aria-hidden="true"><${Icon} name="message-circle" /></div>
  ${PLACES.slice(0, -1).map((place) => html`<${Place} place=${place} key=${place.key} />`)}
  <div class="sp"></div>
  <${Place} place=${NOTICES} />
  <${IconButton} icon="keyboard" name=${t("help")} keys="?" onClick=${() => ask({ kind: "help" })} />
  ${leads() ? html`<${Place} place=${PLACES[PLACES.length - 1]} />` : null}
  <${PersonMenu} at="beside" key=${me.value.id} />
</nav>`;
}

export const PhoneBar = () => (currentId.value ? null : html`<nav class="mob" aria-label=${t("nav")}>
  ${PLACES.filter((place) => place.key !== "settings" || leads()).map((place) => html`<${Place} place=${place} wordy key=${place.key} />`)}
  <${PersonMenu} at="above" wordy />
</nav>`);
