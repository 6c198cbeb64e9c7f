/** The dialogs: transfer, snooze until, tags, spam, help. One at a time. */
import { html, useState } from "./vendor.js";
import { agents, conversations, me, revision, teams } from "./store.js";
import { markSpam, snooze, snoozeChoices, tag, transfer } from "./actions.js";
import { serverNow } from "./clock.js";
import { customerName, moment, t } from "./words.js";
import { Avatar, Dialog, Icon } from "./ui.js";
import { Palette } from "./palette.js";
import { Library } from "./library.js";
import { MakeTicket } from "./ticket.js";
import { KEYS } from "./key_list.js";
import { close } from "./later.js";
import "./focus_kept.js";

/** @typedef {{ id: string, close: () => void }} Of the conversation, and what closes this dialog */

/** @param {Of} props */
function Transfer({ id, close }) {
  revision.value; // a colleague may take it meanwhile
  const [to, setTo] = useState("");
  const [query, setQuery] = useState("");
  const [busy, setBusy] = useState(false);
  const s = conversations.get(id);
  const rank = { online: 0, busy: 1, away: 2, offline: 3 };
  const match = (/** @type {string} */ name) => name.toLowerCase().includes(query.trim().toLowerCase());
  const people = [...agents.value.values()].filter((agent) => agent.id !== s?.assignee_id && match(agent.name))
    .sort((a, b) => rank[a.status] - rank[b.status] || a.load / (a.capacity || 1) - b.load / (b.capacity || 1));
  const groups = teams.value.filter((team) => team.id !== s?.team_id && match(team.name));
  const submit = async (/** @type {SubmitEvent} */ e) => {
    e.preventDefault();
    const [kind, target] = to.split(":");
    if (!target || busy) return;
    setBusy(true);
    const note = String(new FormData(/** @type {HTMLFormElement} */ (e.target)).get("note") ?? "").trim();
    const name = (kind === "agent" ? agents.value.get(target)?.name : teams.value.find((team) => team.id === target)?.name) ?? "";
    const ok = await transfer(id, { [kind === "agent" ? "agent_id" : "team_id"]: target, ...(note ? { note } : {}) }, name);
    setBusy(false);
    if (ok) close();
  };
  /** @param {string} value @param {import("./vendor.js").Child} face @param {string} name @param {string} more */
  const choice = (value, face, name, more) => html`<label class="pick" key=${value}><input type="radio" name="to" value=${value} checked=${to === value} onChange=${() => setTo(value)} />${face}<span>${name}</span><small class="num">${more}</small></label>`;
  return html`<${Dialog} title=${t("transfer.title", { name: s ? customerName(s.customer) : "" })} onClose=${close}>
    <form class="stack" id="transfer" onSubmit=${submit}>
      <label class="field"><span>${t("transfer.find")}</span><input class="input" type="search" autofocus autocomplete="off" value=${query} onInput=${(/** @type {any} an input's event */ e) => setQuery(e.target.value)} /></label>
      <fieldset class="picks"><legend class="sr">${t("transfer.to")}</legend>
        ${people.map((agent) => choice(`agent:${agent.id}`, html`<${Avatar} id=${agent.id} name=${agent.name} size="sm" here=${agent.status} />`, agent.id === me.value.id ? t("you", { name: agent.name }) : agent.name, `${t(`presence.${agent.status}`)} · ${agent.load}/${agent.capacity}`))}
        ${groups.map((team) => choice(`team:${team.id}`, html`<span class="av sm" aria-hidden="true"><${Icon} name="users-round" /></span>`, team.name, t("team")))}
        ${people.length + groups.length ? null : html`<p class="none">${t("transfer.none")}</p>`}</fieldset>
      <label class="field"><span>${t("transfer.note")}</span><textarea class="input" name="note" rows="2" maxlength="2000" placeholder=${t("transfer.note_hint")}></textarea></label>
      <div class="act end"><button type="button" class="btn" onClick=${close}>${t("cancel")}</button><button class="btn primary" disabled=${!to || busy}><${Icon} name="arrow-right" />${t("transfer")}</button></div>
    </form><//>`;
}

/** @param {Of} props */
function SnoozeUntil({ id, close }) {
  const local = (/** @type {number} */ ms) => new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  const [value, setValue] = useState(() => local(Math.ceil((serverNow() + 3_600_000) / 900_000) * 900_000));
  const at_ms = new Date(value).getTime();
  const past = !(at_ms > serverNow() + 30_000);
  return html`<${Dialog} title=${t("snooze.title")} onClose=${close}>
    <form class="stack" onSubmit=${(/** @type {Event} */ e) => { e.preventDefault(); if (!past) { close(); snooze(id, at_ms); } }}>
      <div class="chips" role="group" aria-label=${t("snooze.quick")}>${snoozeChoices().map((choice) => html`<button type="button" class="btn" title=${moment(choice.at_ms, serverNow())} onClick=${() => { close(); snooze(id, choice.at_ms); }}>${t(choice.key)}</button>`)}</div>
      <label class="field"><span>${t("snooze.until")}</span><input class="input" type="datetime-local" autofocus required value=${value} min=${local(serverNow())} aria-invalid=${past} onInput=${(/** @type {any} an input's event */ e) => setValue(e.target.value)} />
        ${past ? html`<small class="err">${t("snooze.past")}</small>` : html`<small>${t("snooze.hint")}</small>`}</label>
      <div class="act end"><button type="button" class="btn" onClick=${close}>${t("cancel")}</button><button class="btn primary" disabled=${past}>${t("snooze")}</button></div>
    </form><//>`;
}

/** @param {Of} props */
function Tags({ id, close }) {
  revision.value;
  const tags = conversations.get(id)?.tags ?? [];
  const known = [...new Set([...conversations.values()].flatMap((s) => s.tags))].filter((name) => !tags.includes(name)).sort().slice(0, 60);
  const add = async (/** @type {SubmitEvent} */ e) => {
    e.preventDefault();
    const field = /** @type {HTMLInputElement} */ (/** @type {HTMLFormElement} */ (e.target).elements.namedItem("tag"));
    const name = field.value.trim();
    if (name && (await tag(id, { add: [name] })) && field.value.trim() === name) field.value = ""; // unless the next is being written
  };
  return html`<${Dialog} title=${t("edit_tags")} onClose=${close}>
    <div class="chips tags">${tags.length ? tags.map((name) => html`<span class="tag" key=${name}>${name}<button type="button" aria-label=${t("tag.remove", { tag: name })} onClick=${() => tag(id, { remove: [name] })}><${Icon} name="x" /></button></span>`) : html`<p class="none">${t("tag.none")}</p>`}</div>
    <form class="inline" onSubmit=${add}><label class="field"><span>${t("tag.add")}</span><input class="input" name="tag" list="known-tags" maxlength="40" autofocus autocomplete="off" /></label>
      <datalist id="known-tags">${known.map((name) => html`<option value=${name}></option>`)}</datalist><button class="btn">${t("add")}</button></form>
    <div class="act end"><button type="button" class="btn primary" onClick=${close}>${t("ready")}</button></div><//>`;
}

/** @param {Of} props */
const Spam = ({ id, close }) => html`<${Dialog} title=${t("spam.title")} onClose=${close}><p>${t("spam.text")}</p>
  <div class="act end"><button type="button" class="btn" autofocus onClick=${close}>${t("cancel")}</button><button type="button" class="btn danger" onClick=${() => { close(); markSpam(id); }}><${Icon} name="ban" />${t("spam")}</button></div><//>`;

const Help = () => html`<${Dialog} title=${t("help")} cls="wide" onClose=${() => close()}>
  <dl class="keylist">${KEYS.map((row) => html`<div key=${row.says}><dt>${t(`key.${row.says}`)}</dt><dd>${row.keys.map((combo, i) => [i ? html`<span>${t("or")}</span>` : null, combo.map((key) => html`<kbd>${key}</kbd>`)])}</dd></div>`)}</dl>
  <p class="none">${t("help.text")}</p><//>`;

/** @param {{ question: import("./later.js").Question }} props */
export function Question({ question }) {
  const shut = () => close(question);
  if (question.kind === "help") return html`<${Help} />`;
  if (question.kind === "articles") return html`<${Library} close=${shut} />`;
  if (question.kind === "palette") return html`<${Palette} close=${shut} />`;
  if (!("id" in question)) return null;
  const Kind = { transfer: Transfer, snooze: SnoozeUntil, tags: Tags, spam: Spam, ticket: MakeTicket }[question.kind];
  return html`<${Kind} id=${question.id} close=${shut} key=${question.id} />`;
}
