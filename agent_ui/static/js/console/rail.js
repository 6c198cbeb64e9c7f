/** The way to the other pages: a rail on the left, a bar at the bottom of a phone. */
import { html } from "./vendor.js";
import { counts, currentId, me } from "./store.js";
import { t, tn } from "./words.js";
import { Icon, IconButton } from "./ui.js";
import { PersonMenu } from "./presence.js";
import { ask } from "./later.js";

const PLACES = [
  { icon: "inbox", key: "inbox", href: "/console" },
  { icon: "users-round", key: "customers", href: "/customers" },
  { icon: "layers", late: true, key: "knowledge", href: "/knowledge" },
  { icon: "chart-column", key: "reports", href: "/reports" },
  { icon: "settings", key: "settings", href: "/settings" },
];

const admin = () => me.value.role === "admin";

/** @param {{ place: typeof PLACES[number], wordy?: boolean }} props */
function Place({ place, wordy = false }) {
  const here = place.key === "inbox";
  const n = here ? counts.value.waiting : 0;
  return html`<a href=${place.href} aria-current=${here ? "page" : undefined} title=${wordy ? undefined : t(place.key)} onClick=${(/** @type {MouseEvent} */ e) => here && !e.metaKey && !e.ctrlKey && e.preventDefault()}>
    <${Icon} name=${place.icon} late=${place.late} /><span class=${wordy ? "" : "sr"}>${t(place.key)}</span>
    ${n ? html`<span class="dot" aria-hidden="true">${n > 99 ? "99+" : n}</span><span class="sr">, ${tn("waiting", n)}</span>` : null}</a>`;
}

export const Rail = () => html`<nav class="rail" aria-label=${t("nav")}>
  <div class="logo" aria-hidden="true"><${Icon} name="message-circle" /></div>
  ${PLACES.slice(0, -1).map((place) => html`<${Place} place=${place} key=${place.key} />`)}
  <div class="sp"></div>
  <${IconButton} icon="keyboard" name=${t("help")} keys="?" onClick=${() => ask({ kind: "help" })} />
  ${admin() ? html`<${Place} place=${PLACES[PLACES.length - 1]} />` : null}
  <${PersonMenu} at="beside" key=${me.value.id} />
</nav>`;

export const PhoneBar = () => (currentId.value ? null : html`<nav class="mob" aria-label=${t("nav")}>
  ${PLACES.filter((place) => place.key !== "settings" || admin()).map((place) => html`<${Place} place=${place} wordy key=${place.key} />`)}
  <${PersonMenu} at="above" wordy />
</nav>`);
