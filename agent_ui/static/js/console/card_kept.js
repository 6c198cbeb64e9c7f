/**
 * What a customer likes, what they asked before, and what staff keep about them: tags and a note.
 * @typedef {import("./types.js").Card} Card
 * @typedef {import("./types.js").CardNote} CardNote
 */
import { html, useRef, useState } from "./vendor.js";
import { CommandError, command } from "./connection.js";
import { currentId, putCard } from "./store.js";
import { now } from "./clock.js";
import { sideOpen } from "./later.js";
import { route } from "./route.js";
import { toastError } from "./toasts.js";
import { Fact, change, focusAfter } from "./card_who.js";
import { language, languageName, money, shortDate, t, tn } from "./words.js";
import { Icon } from "./late_icon.js";

/** Monday is 0. @param {number} day */
const weekdayName = (day) => new Intl.DateTimeFormat(language, { weekday: "long", timeZone: "UTC" }).format(Date.UTC(2024, 0, 1 + day));

/** What they want: what they buy and when, their language, how to be reached. @param {{ card: Card }} props */
export function Likes({ card }) {
  const { preferences: likes, preferred_channel: channel, quiet_hours: quiet } = card;
  const currency = card.profile?.currency;
  const band = likes?.price_band_minor;
  const words = likes ? [...likes.categories, ...likes.brands] : [];
  const hour = likes?.hour == null ? "" : `${String(likes.hour).padStart(2, "0")}:00`;
  const weekday = likes?.weekday == null ? "" : weekdayName(likes.weekday);
  const when = weekday && hour ? t("likes.when", { weekday, hour }) : weekday ? t("likes.weekday", { weekday }) : hour ? t("likes.hour", { hour }) : "";
  const facts = [band && currency ? t("likes.price", { from: money(band[0], currency), to: money(band[1], currency) }) : "", when].filter(Boolean);
  const reached = [channel ? t(`channel.${channel}`) : "", quiet ? t("reach.quiet", quiet) : ""].filter(Boolean).join(" · ");
  if (!words.length && !facts.length && !reached && !card.locale) return null;
  return html`<div class="sec"><h3>${t("likes")}</h3>
    ${words.length ? html`<div class="pile">${words.map((word) => html`<span class="tag" key=${word}>${word}</span>`)}</div>` : null}
    ${facts.length ? html`<p class="small">${facts.join(" · ")}</p>` : null}
    <dl class="kv">${card.locale ? html`<${Fact} label=${t("card.language")}>${languageName(card.locale)}<//>` : null}
      ${reached ? html`<${Fact} label=${t("reach")} wrap=${true}>${reached}<//>` : null}</dl></div>`;
}

/** Their other conversations, and how much help they needed. @param {{ card: Card }} props */
export function Past({ card }) {
  const { service } = card;
  const others = card.conversations.filter((other) => other.id !== currentId.value);
  const facts = [tn("service.contacts", service.contacts_90d), service.minutes_90d ? t("service.minutes", { n: service.minutes_90d }) : "",
    service.complaints ? tn("service.complaints", service.complaints) : ""].filter(Boolean);
  return html`<div class="sec"><h3>${t("past")}${card.conversation_count > 1 ? html` <span class="n">· ${card.conversation_count - 1}</span>` : null}</h3>
    ${service.contacts_90d > 1 || service.complaints ? html`<p class=${`small ${service.complaints ? "bad" : ""}`}>${facts.join(" · ")}</p>` : null}
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

/** @param {{ card: Card }} props */
function Tags({ card }) {
  const add = async (/** @type {SubmitEvent} */ e) => {
    e.preventDefault();
    const field = /** @type {HTMLInputElement} */ (/** @type {HTMLFormElement} */ (e.target).elements.namedItem("tag"));
    const tag = field.value.trim();
    if (tag && (await change("customer.tag", { customer_id: card.id, add: [tag] })) && field.value.trim() === tag) field.value = ""; // unless the next is being written
  };
  const remove = (/** @type {string} */ tag) => change("customer.tag", { customer_id: card.id, remove: [tag] });
  return html`<form class="chips tags" onSubmit=${add}>${card.tags.map((tag) => html`<span class="tag" key=${tag}>${tag}<button type="button" aria-label=${t("kept.untag", { tag })} onClick=${() => remove(tag)}><${Icon} name="x" /></button></span>`)}
    <input name="tag" maxlength="60" autocomplete="off" enterkeyhint="done" aria-label=${t("kept.tag")} placeholder=${`+ ${t("kept.tag")}`} /></form>`;
}

/** @param {{ card: Card }} props */
function Note({ card }) {
  const [draft, setDraft] = useState(/** @type {string | null} */ (null));
  const [theirs, setTheirs] = useState(/** @type {{ note: CardNote | null } | null} */ (null));
  const [busy, setBusy] = useState(false);
  const from = useRef(0); // the version that was read when writing began
  const note = card.note;
  const done = () => {
    focusAfter("edit-note", ".notebox");
    setDraft(null);
    setTheirs(null);
  };
  const begin = () => {
    from.current = note?.version ?? 0;
    setDraft(note?.body ?? "");
    requestAnimationFrame(() => document.getElementById("note-text")?.focus());
  };
  const save = async (/** @type {number} */ version) => {
    if (busy) return;
    setBusy(true);
    const id = currentId.value;
    try {
      const reply = await command("customer.note", { customer_id: card.id, body: draft ?? "", version });
      if (id) putCard(id, reply.customer);
      done();
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (error.code === "conflict" && error.details.reason === "note_changed") setTheirs({ note: error.details.note ?? null });
      else toastError(error.code);
    } finally {
      setBusy(false);
    }
  };
  const keys = (/** @type {KeyboardEvent} */ e) => {
    if (e.isComposing) return;
    if (e.key === "Escape") {
      e.preventDefault();
      done();
    } else if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      save(from.current);
    }
  };
  if (draft === null) {
    return note ? html`<div class="mynote"><p dir="auto">${note.body}</p><footer><span>${t("kept.by", { name: note.by ?? t("kept.somebody"), date: shortDate(note.at_ms, now.peek()) })}</span>
        <button type="button" id="edit-note" class="mini" aria-label=${t("kept.edit_note")} title=${t("kept.edit_note")} onClick=${begin}><${Icon} name="pencil" /></button></footer></div>`
      : html`<button type="button" id="edit-note" class="link" onClick=${begin}>${t("kept.add_note")}</button>`;
  }
  return html`<form class="notebox" onKeyDown=${keys} onSubmit=${(/** @type {SubmitEvent} */ e) => { e.preventDefault(); save(from.current); }}>
    ${theirs ? html`<div class="mynote" role="alert"><b>${t("kept.changed", { name: theirs.note?.by ?? t("kept.somebody") })}</b><p dir="auto">${theirs.note?.body ?? "—"}</p></div>` : null}
    <textarea id="note-text" class="input" rows="4" maxlength="4000" dir="auto" aria-label=${t("kept.note")} placeholder=${t("kept.note_hint")} value=${draft} onInput=${(/** @type {any} an input's event */ e) => setDraft(e.target.value)}></textarea>
    <div class="act">${theirs ? html`<button type="button" class="btn primary" disabled=${busy} onClick=${() => save(theirs.note?.version ?? 0)}>${t("kept.overwrite")}</button><button type="button" class="btn" onClick=${done}>${t("kept.take")}</button>`
      : html`<button class="btn primary" disabled=${busy}>${t("save")}</button><button type="button" class="btn" onClick=${done}>${t("cancel")}</button>`}</div></form>`;
}

/** @param {{ card: Card }} props */
export const Kept = ({ card }) => html`<div class="sec"><h3>${t("kept")}</h3><${Tags} card=${card} /><${Note} card=${card} /></div>`;
