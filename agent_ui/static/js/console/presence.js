/** The agent's own presence and capacity, and the menu of everything personal. */
import { html } from "./vendor.js";
import { counts, link, me } from "./store.js";
import { setPresence } from "./actions.js";
import { chime } from "./alerts.js";
import { prefer, preference } from "./preferences.js";
import { page, t } from "./words.js";
import { Avatar, Icon, Menu, MenuItem } from "./ui.js";
import { ask } from "./later.js";
import { toast } from "./toasts.js";

/** @typedef {import("./types.js").Presence} Presence */
/** @type {Presence[]} */
const STATES = ["online", "busy", "away", "offline"];

/** @param {{ close: () => void }} props */
const PresenceItems = ({ close }) => html`<div class="cap" role="presentation">${t("presence")}</div>
  ${STATES.map((state) => html`<button type="button" key=${state} role="menuitemradio" aria-checked=${me.value.status === state} tabindex="-1" onClick=${() => { close(); setPresence({ status: state }); }}>
    <span class=${`presence ${state}`}></span><span>${t(`presence.${state}`)}</span>${me.value.status === state ? html`<span class="right"><${Icon} name="check" /></span>` : null}</button>`)}
  <hr /><div class="stepper" role="group" aria-label=${t("capacity")}><span>${t("capacity")}</span>
    <button type="button" role="menuitem" tabindex="-1" aria-label=${t("capacity.less")} onClick=${() => setPresence({ more: -1 })}><${Icon} name="minus" /></button>
    <b class="num">${me.value.capacity}</b>
    <button type="button" role="menuitem" tabindex="-1" aria-label=${t("capacity.more")} onClick=${() => setPresence({ more: 1 })}><${Icon} name="plus" /></button></div>`;

/** Online · 8 of 10, above the list. */
export function PresenceMenu() {
  const { status, capacity } = me.value;
  const words = t("presence.load", { state: t(`presence.${status}`), load: counts.value.mine, capacity });
  const text = status === "offline" || !capacity ? t(`presence.${status}`) : words;
  return html`<${Menu} cls=${`ct ${link.value === "online" ? status : "offline"}`} name=${t("presence.change", { now: text })} popup=${t("presence")}
    label=${html`<span class="lamp"></span>${text}`} items=${(/** @type {() => void} */ close) => html`<${PresenceItems} close=${close} />`} />`;
}

async function toggleDesktop() {
  if (preference("desktop")) return prefer("desktop", false);
  if (typeof Notification === "undefined") return toast(t("desktop.missing"), { icon: "bell-off" });
  const answer = await Notification.requestPermission();
  prefer("desktop", answer === "granted");
  if (answer !== "granted") toast(t("desktop.denied"), { icon: "bell-off" });
}

function toggleSound() {
  prefer("sound", !preference("sound"));
  if (preference("sound")) chime();
}

/** Signing out is a form of its own, so that it works like any page of the server. */
export function signOut() {
  /** @type {HTMLFormElement | null} */ (document.getElementById("sign-out"))?.requestSubmit();
}

export function otherLanguage() {
  const address = new URL(location.href);
  address.searchParams.set("lang", page.locale === "zh" ? "en" : "zh");
  location.assign(address);
}

/** @param {{ close: () => void }} props */
const PersonItems = ({ close }) => html`<div class="cap person" role="presentation"><b>${me.value.name}</b><span>${me.value.email}</span></div>
  ${STATES.map((state) => html`<button type="button" key=${state} role="menuitemradio" aria-checked=${me.value.status === state} tabindex="-1" onClick=${() => { close(); setPresence({ status: state }); }}>
    <span class=${`presence ${state}`}></span><span>${t(`presence.${state}`)}</span>${me.value.status === state ? html`<span class="right"><${Icon} name="check" /></span>` : null}</button>`)}
  <hr />
  <${MenuItem} kind="checkbox" icon="corner-down-left" text=${t("enter_sends")} checked=${preference("enter_sends")} onClick=${() => prefer("enter_sends", !preference("enter_sends"))} />
  <${MenuItem} kind="checkbox" icon=${preference("sound") ? "volume-2" : "volume-x"} text=${t("sound")} checked=${preference("sound")} onClick=${toggleSound} />
  <${MenuItem} kind="checkbox" icon=${preference("desktop") ? "bell" : "bell-off"} text=${t("desktop")} checked=${preference("desktop")} onClick=${toggleDesktop} />
  <hr />
  ${/** @type {const} */ (["light", "dark", "auto"]).map((theme) => html`<${MenuItem} kind="radio" icon=${{ light: "sun", dark: "moon", auto: "sun-moon" }[theme]} text=${t(`theme.${theme}`)} checked=${preference("theme") === theme} onClick=${() => prefer("theme", theme)} />`)}
  <hr />
  <${MenuItem} icon="bell" text=${t("notices")} onClick=${() => location.assign("/notices")} />
  <${MenuItem} icon="languages" text=${t("other_language")} onClick=${otherLanguage} />
  <${MenuItem} icon="keyboard" text=${t("help")} keys="?" onClick=${() => { close(); ask({ kind: "help" }); }} />
  <${MenuItem} icon="log-out" text=${t("sign_out")} onClick=${signOut} />`;

/** @param {{ at: string, wordy?: boolean }} props */
export const PersonMenu = ({ at, wordy = false }) => html`<${Menu} cls="person" at=${at} named=${false} name=${t("person.menu", { name: me.value.name, state: t(`presence.${me.value.status}`) })} popup=${me.value.name}
  label=${html`<${Avatar} id=${me.value.id} name=${me.value.name} size="sm" here=${me.value.status} />${wordy ? html`<span aria-hidden="true">${t("me")}</span>` : null}`}
  items=${(/** @type {() => void} */ close) => html`<${PersonItems} close=${close} />`} />`;
