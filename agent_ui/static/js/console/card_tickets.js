/**
 * The open tickets of a customer: what each is about, where it stands, by when somebody has to act.
 * @typedef {import("./types.js").Card} Card
 * @typedef {import("./types.js").TicketOnCard} TicketOnCard
 */
import { html } from "./vendor.js";
import { now } from "./clock.js";
import { moment, page, t, tn } from "./words.js";
import { Icon } from "./late_icon.js";

const TONES = /** @type {Record<string, string>} */ ({ new: "info", open: "info", pending_customer: "warn" });

/** @param {{ ticket: TicketOnCard }} props */
function Ticket({ ticket }) {
  const { due_at_ms: due, number, state, status } = ticket;
  const late = due !== null && due < now.value;
  return html`<li><a href=${`/tickets/${encodeURIComponent(number)}`}><${Icon} name="ticket" /><span><span class="pv"><span class="mono">${number}</span> · ${ticket.type[page.locale]}</span>
    ${due === null ? null : html`<small class=${late ? "bad" : ""}>${t(late ? "tickets.late" : "tickets.due", { when: moment(due, now.value) })}</small>`}</span>
    <span class=${`st ${TONES[state] ?? ""}`}>${status ? status[page.locale] : t(`tickets.${state}`)}</span></a></li>`;
}

/** @param {{ card: Card }} props */
export function Tickets({ card }) {
  const { tickets } = card;
  if (!tickets || !(tickets.open_count || tickets.closed_count)) return null;
  const rest = tickets.open_count - tickets.open.length;
  const facts = [rest ? tn("tickets.more", rest) : "", tickets.closed_count ? tn("tickets.closed_count", tickets.closed_count, { n: tickets.complete ? tickets.closed_count : `${tickets.closed_count}+` }) : ""].filter(Boolean);
  return html`<div class="sec"><h3>${t("tickets")}${tickets.open_count ? html` <span class="n">· ${tickets.open_count}</span>` : null}</h3>
    ${tickets.open.length ? html`<ul class="hist">${tickets.open.map((ticket) => html`<${Ticket} ticket=${ticket} key=${ticket.id} />`)}</ul>` : null}
    ${facts.length ? html`<p class="small"><a href=${`/customers/${encodeURIComponent(card.person_id)}?lane=tickets#history`}>${facts.join(" · ")}</a></p>` : null}</div>`;
}
