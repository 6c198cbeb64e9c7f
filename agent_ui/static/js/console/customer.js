/**
 * The panel on the right: who the customer is, this conversation, and the earlier ones.
 * @typedef {import("./types.js").Card} Card
 * @typedef {import("./types.js").Summary} Summary
 */
import { html, useState } from "./vendor.js";
import { agents, current, currentId, me, teams, thread } from "./store.js";
import { now } from "./clock.js";
import { tag, updateCustomer } from "./actions.js";
import { ago, customerName, languageName, safeLink, shortDate, t, tn } from "./words.js";
import { Avatar, Icon, IconButton } from "./ui.js";
import { ask, sideOpen, toggleSide } from "./later.js";
import { route } from "./route.js";

const IDENTITY_ICONS = { verified: "shield-check", claimed: "circle-help", anonymous: "user-round" };

/** @param {{ card: Card, done: () => void }} props */
function Edit({ card, done }) {
  const [busy, setBusy] = useState(false);
  const submit = async (/** @type {SubmitEvent} */ e) => {
    e.preventDefault();
    if (busy) return;
    setBusy(true);
    const form = new FormData(/** @type {HTMLFormElement} */ (e.target));
    const value = (/** @type {string} */ name) => String(form.get(name) ?? "").trim();
    const ok = await updateCustomer(card.id, { name: value("name"), email: value("email"), phone: value("phone") });
    setBusy(false);
    if (ok) done();
  };
  return html`<form class="edit" onSubmit=${submit} onKeyDown=${(/** @type {KeyboardEvent} */ e) => { if (e.key === "Escape" && !e.isComposing) done(); }}>
    <label class="field"><span>${t("card.name")}</span><input class="input" name="name" value=${card.name ?? ""} maxlength="200" autocomplete="off" /></label>
    <label class="field"><span>${t("card.email")}</span><input class="input" name="email" type="email" value=${card.email ?? ""} maxlength="254" autocomplete="off" /></label>
    <label class="field"><span>${t("card.phone")}</span><input class="input" name="phone" type="tel" value=${card.phone ?? ""} maxlength="40" autocomplete="off" /></label>
    <div class="act"><button class="btn primary" disabled=${busy}>${t("save")}</button><button type="button" class="btn" onClick=${done}>${t("cancel")}</button></div>
  </form>`;
}

/** @param {{ label: string, children?: import("./vendor.js").Child }} props */
const Fact = ({ label, children }) => html`<dt>${label}</dt><dd>${children || html`<span class="none">—</span>`}</dd>`;

/** @param {{ card: Card }} props */
function Identity({ card }) {
  const [editing, setEditing] = useState(false);
  const finish = () => {
    setEditing(false);
    requestAnimationFrame(() => document.getElementById("edit-customer")?.focus());
  };
  return html`<div class="sec"><div class="who"><${Avatar} id=${card.id} name=${card.name} size="lg" />
      <div><h2>${customerName(card)}</h2><div class="chips">
        <span class=${`st ${card.identity === "verified" ? "ok" : card.identity === "claimed" ? "warn" : ""}`} title=${t(`identity.${card.identity}_hint`)}><${Icon} name=${IDENTITY_ICONS[card.identity]} />${t(`identity.${card.identity}`)}</span>
        <span class="tag">${t("card.since", { date: shortDate(card.created_at_ms, now.peek()) })}</span></div></div>
      ${editing ? null : html`<button type="button" id="edit-customer" class="btn icon quiet" aria-label=${t("card.edit")} title=${t("card.edit")} onClick=${() => setEditing(true)}><${Icon} name="pencil" /></button>`}</div>
    ${editing ? html`<${Edit} card=${card} done=${finish} />` : html`<dl class="kv">
      <${Fact} label=${t("card.email")}>${card.email ? html`<span title=${card.email}>${card.email}</span>` : null}<//>
      <${Fact} label=${t("card.phone")}>${card.phone ? html`<span class="num">${card.phone}</span>` : null}<//>
      ${card.locale ? html`<${Fact} label=${t("card.language")}>${languageName(card.locale)}<//>` : null}
      ${card.external_id ? html`<${Fact} label=${t("card.external_id")}><span class="num">${card.external_id}</span><//>` : null}
      ${card.last_seen_at_ms ? html`<${Fact} label=${t("card.seen")}>${current.value?.customer_present ? html`<span class="here">${t("card.here_now")}</span>` : ago(now.value - card.last_seen_at_ms)}<//>` : null}
    </dl>
    ${card.identity === "claimed" ? html`<p class="hintline"><${Icon} name="info" />${t("identity.claimed_hint")}</p>` : null}`}
  </div>`;
}

/** @param {{ s: Summary }} props */
function About({ s }) {
  const page = safeLink(s.entry_page?.url);
  const assignee = s.assignee_id ? (s.assignee_id === me.value.id ? t("you", { name: me.value.name }) : agents.value.get(s.assignee_id)?.name) : null;
  return html`<div class="sec"><h3>${t("about")}<button type="button" onClick=${() => ask({ kind: "tags", id: s.id })}>${t("edit_tags")}</button></h3>
    ${s.tags.length ? html`<div class="chips tags">${s.tags.map((name) => html`<span class="tag" key=${name}>${name}<button type="button" aria-label=${t("tag.remove", { tag: name })} onClick=${() => tag(s.id, { remove: [name] })}><${Icon} name="x" /></button></span>`)}</div>` : null}
    <dl class="kv">
      <${Fact} label=${t("about.assignee")}>${assignee}<//>
      ${s.team_id ? html`<${Fact} label=${t("about.team")}>${teams.value.find((team) => team.id === s.team_id)?.name}<//>` : null}
      <${Fact} label=${t("about.started")}>${ago(now.value - s.opened_at_ms)}<//>
      ${s.session_no > 1 ? html`<${Fact} label=${t("about.sessions")}>${s.session_no}<//>` : null}
      ${s.entry_page ? html`<${Fact} label=${t("about.page")}>${page ? html`<a href=${page} target="_blank" rel="noopener noreferrer" title=${s.entry_page.url}>${s.entry_page.title || s.entry_page.url}</a>` : s.entry_page.title}<//>` : null}
      ${s.rating ? html`<${Fact} label=${t("rating")}>${t("rating.of", { score: s.rating })}<//>` : null}
    </dl></div>`;
}

/** @param {{ card: Card }} props */
function Past({ card }) {
  const others = card.conversations.filter((other) => other.id !== currentId.value);
  return html`<div class="sec"><h3>${t("past")}${card.conversation_count > 1 ? html` <span class="n">· ${card.conversation_count - 1}</span>` : null}</h3>
    ${others.length ? html`<ul class="hist">${others.map((other) => html`<li key=${other.id}><a href=${`#c-${encodeURIComponent(other.id)}`} onClick=${(/** @type {MouseEvent} */ e) => {
      if (e.metaKey || e.ctrlKey || e.shiftKey || e.button) return;
      e.preventDefault();
      sideOpen.value = false;
      route(other.id);
    }}><${Icon} name="message-circle" /><span><span class="pv">${other.preview || t("no_message")}</span>
      <small>${shortDate(other.opened_at_ms, now.peek())}${other.assignee_name ? ` · ${other.assignee_name}` : ""} · ${tn("messages", other.messages)}</small></span>
      ${other.rating ? html`<span class=${`st ${other.rating > 3 ? "ok" : other.rating < 3 ? "danger" : ""}`}><${Icon} name="star" /><span class="sr">${t("rating")} </span>${other.rating}</span>` : html`<span class="st">${t(`status.${other.status}`)}</span>`}</a></li>`)}</ul>`
    : html`<p class="none">${t("past.none")}</p>`}</div>`;
}

export function Customer() {
  const s = current.value;
  const open = thread.value;
  if (!s || open?.state === "failed") return html`<aside class="side blank" aria-label=${t("customer")}></aside>`;
  const card = open?.card;
  return html`<aside id="side" class=${`side ${sideOpen.value ? "shown" : ""}`} aria-label=${t("customer")} tabindex="0"
      onKeyDown=${(/** @type {KeyboardEvent} */ e) => { if (e.key === "Escape" && !e.defaultPrevented && sideOpen.value) toggleSide(); }}>
    <div class="sidehead"><b>${t("details")}</b><${IconButton} icon="x" name=${t("close")} cls="quiet" onClick=${toggleSide} /></div>
    ${card ? html`<${Identity} card=${card} key=${card.id} />` : html`<div class="skeletons" aria-hidden="true"><div class="skeleton"><i></i><b></b><b></b></div></div>`}
    <${About} s=${s} />
    ${card ? html`<${Past} card=${card} />` : null}
  </aside>`;
}
