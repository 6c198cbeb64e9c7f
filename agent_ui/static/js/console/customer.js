/**
 * The panel on the right: the customer card in its blocks, and this conversation.
 * @typedef {import("./types.js").Summary} Summary
 */
import { html } from "./vendor.js";
import { agents, current, me, teams, thread } from "./store.js";
import { now } from "./clock.js";
import { tag } from "./actions.js";
import { ago, safeLink, t } from "./words.js";
import { IconButton } from "./ui.js";
import { Icon } from "./late_icon.js";
import { ask, sideOpen, toggleSide } from "./later.js";
import { Fact, Reach, Who } from "./card_who.js";
import { Worth } from "./card_worth.js";
import { Purchases } from "./card_orders.js";
import { Tickets } from "./card_tickets.js";
import { Kept, Likes, Past } from "./card_kept.js";

/** @param {{ s: Summary, card: import("./types.js").Card | null | undefined }} props */
function About({ s, card }) {
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
      ${card?.last_seen_at_ms ? html`<${Fact} label=${t("card.seen")}>${s.customer_present ? html`<span class="here">${t("card.here_now")}</span>` : ago(now.value - card.last_seen_at_ms)}<//>` : null}
      ${s.rating ? html`<${Fact} label=${t("rating")}>${t("rating.of", { score: s.rating })}<//>` : null}
    </dl></div>`;
}

/** How old what is shown may be; sources that are late stand at the top. @param {{ card: import("./types.js").Card }} props */
function Foot({ card }) {
  const fresh = card.fresh.filter((source) => !source.stale && source.last_at_ms !== null);
  return html`<div class="sec foot"><a href=${`/customers/${encodeURIComponent(card.person_id)}`}>${t("card.profile")}</a>
    ${fresh.map(({ source, last_at_ms }) => html`<p class="small" key=${source}>${t("card.fresh", { source, age: ago(now.value - (last_at_ms ?? 0)) })}</p>`)}</div>`;
}

export function Customer() {
  const s = current.value;
  const open = thread.value;
  if (!s || open?.state === "failed") return html`<aside class="side blank" aria-label=${t("customer")}></aside>`;
  const card = open?.card;
  return html`<aside id="side" class=${`side ${sideOpen.value ? "shown" : ""}`} aria-label=${t("customer")} aria-busy=${!card} tabindex="0"
      onKeyDown=${(/** @type {KeyboardEvent} */ e) => { if (e.key === "Escape" && !e.defaultPrevented && sideOpen.value) toggleSide(); }}>
    <div class="sidehead"><b>${t("details")}</b><${IconButton} icon="x" name=${t("close")} cls="quiet" onClick=${toggleSide} /></div>
    ${card ? html`<${Who} card=${card} key=${`who ${card.id}`} /><${Worth} card=${card} /><${Reach} card=${card} key=${`reach ${card.id}`} />
      <${Tickets} card=${card} /><${Purchases} s=${s} card=${card} /><${Likes} card=${card} /><${Kept} card=${card} key=${`kept ${card.id}`} />`
      : html`<div class="skeletons" aria-hidden="true"><div class="skeleton"><i></i><b></b><b></b></div><div class="skeleton wide"><b></b><b></b><b></b></div></div>`}
    <${About} s=${s} card=${card} />
    ${card ? html`<${Past} card=${card} /><${Foot} card=${card} />` : null}
  </aside>`;
}
