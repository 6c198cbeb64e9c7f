/** Makes a ticket out of the open chat: subject, type and order are suggested, one press makes it. */
import { html, useEffect, useState } from "./vendor.js";
import { thread } from "./store.js";
import { act } from "./actions.js";
import { toast } from "./toasts.js";
import { page, t } from "./words.js";
import { Dialog } from "./ui.js";
import { newId } from "./outbox.js";

/** @typedef {{ value: string, name: { en: string, zh: string } }} Choice */
/** @typedef {{ key: string, kind: string, name: { en: string, zh: string }, required: boolean, choices: Choice[] }} Field */
/** @typedef {{ id: string, name: { en: string, zh: string }, fields: Field[] }} Type */

/** What a shopper may mean, the first that fits; types of the shop's own are chosen by hand. @type {[string, RegExp][]} */
const MEANT = [
  ["complaint", /complain|unacceptable|投诉|差评|太差/i],
  ["refund", /refund|money back|退款|退钱/i],
  ["exchange", /exchange|swap|换货|换一个|更换/i],
  ["return", /return|send (it )?back|退货|退回/i],
  ["repair", /repair|warranty|维修|修理|保修/i],
  ["defect", /broken|defect|does(n't| not) work|damaged|坏了|损坏|故障|质量/i],
  ["delivery", /deliver|parcel|tracking|shipping|arriv|物流|快递|发货|没收到|签收/i],
  ["price", /price|quote|discount|多少钱|报价|优惠|价格/i],
];
const ABOUT_AN_ORDER = new Set(["complaint", "refund", "exchange", "return", "repair", "defect", "delivery"]);

/** What the shopper has written here, the latest last. @param {import("./types.js").Thread | null} open @returns {string[]} */
function said(open) {
  return (open?.events ?? []).filter((e) => e.kind === "message.posted" && e.data.message.author.kind === "customer").map((e) => e.data.message.body).filter(Boolean);
}

/** @param {string[]} texts @param {Type[]} types */
function suggestedType(texts, types) {
  const text = texts.join("\n");
  const found = MEANT.find(([id, words]) => words.test(text) && types.some((type) => type.id === id));
  return found?.[0] ?? types[0]?.id ?? "";
}

/** @param {{ field: Field }} props */
function TypeField({ field }) {
  const label = html`<span>${field.name[page.locale]}${field.required ? " *" : ""}</span>`;
  if (field.kind === "choice") {
    return html`<label class="field">${label}<select class="input" name=${`field.${field.key}`} required=${field.required}><option value=""></option>${field.choices.map((choice) => html`<option value=${choice.value}>${choice.name[page.locale]}</option>`)}</select></label>`;
  }
  return html`<label class="field">${label}<input class="input" name=${`field.${field.key}`} maxlength="300" required=${field.required} type=${field.kind === "date" ? "date" : "text"} /></label>`;
}

/** @param {{ id: string, close: () => void }} props the conversation, and what closes the dialog */
export function MakeTicket({ id, close }) {
  const [types, setTypes] = useState(/** @type {Type[]} */ ([]));
  const [picked, setPicked] = useState(/** @type {{ type?: string, order?: string }} */ ({}));
  const [suggested, setSuggested] = useState("");
  const [busy, setBusy] = useState(false);
  const [clientId] = useState(newId);
  const open = thread.value?.id === id ? thread.value : null;
  const texts = said(open);
  const orders = /** @type {{ id: string, number: string, lines: { title: string }[] }[]} */ (/** @type {any} the card as it came */ (open?.card)?.orders?.items ?? []);
  const named = orders.find((order) => texts.some((text) => text.includes(order.number)));
  useEffect(() => {
    act("ticket.types", {}).then((reply) => {
      if (!reply) return close();
      setTypes(reply.items);
    });
  }, []);
  // The dialog may be open before the chat has come; once suggested, a type stays as it is while fields are filled in.
  const known = types.length > 0 && open?.state !== "loading";
  useEffect(() => {
    if (known) setSuggested(suggestedType(texts, types));
  }, [known]);
  const chosen = picked.type ?? suggested;
  const type = types.find((one) => one.id === chosen);
  const order = picked.order ?? (named ?? (ABOUT_AN_ORDER.has(chosen) ? orders[0] : undefined))?.id ?? "";
  const submit = async (/** @type {SubmitEvent} */ e) => {
    e.preventDefault();
    if (busy || !type) return;
    const form = new FormData(/** @type {HTMLFormElement} */ (e.target));
    const text = (/** @type {string} */ name) => String(form.get(name) ?? "").trim();
    /** @type {Record<string, string>} */
    const fields = {};
    for (const field of type.fields) if (text(`field.${field.key}`)) fields[field.key] = text(`field.${field.key}`);
    setBusy(true);
    const reply = await act("ticket.create", {
      type: type.id, subject: text("subject"), conversation_id: id, client_id: clientId, fields,
      ...(text("order") ? { order_id: text("order") } : {}), ...(text("body") ? { body: text("body") } : {}),
    });
    setBusy(false);
    if (!reply) return;
    close();
    toast(t(reply.alike.length ? "ticket.made_alike" : "ticket.made", { number: reply.number, others: reply.alike.join(", ") }), { action: { text: t("ticket.open"), run: () => location.assign(`/tickets/${reply.number}`) } });
  };
  const subject = (texts[0] ?? "").replace(/\s+/g, " ").slice(0, 120);
  return html`<${Dialog} title=${t("ticket.title")} onClose=${close}>
    <form class="stack" onSubmit=${submit}>
      <label class="field"><span>${t("ticket.subject")}</span><input class="input" name="subject" required maxlength="200" autofocus defaultValue=${subject} /></label>
      <label class="field"><span>${t("ticket.type")}</span><select class="input" name="type" value=${chosen} onChange=${(/** @type {any} a select's event */ e) => setPicked({ ...picked, type: e.target.value })}>${types.map((one) => html`<option value=${one.id}>${one.name[page.locale]}</option>`)}</select></label>
      ${type?.fields.map((field) => html`<${TypeField} key=${`${type.id}.${field.key}`} field=${field} />`)}
      ${orders.length ? html`<label class="field"><span>${t("ticket.order")}</span><select class="input" name="order" value=${order} onChange=${(/** @type {any} a select's event */ e) => setPicked({ ...picked, order: e.target.value })}><option value="">${t("ticket.no_order")}</option>${orders.map((one) => html`<option value=${one.id}>${one.number} · ${one.lines[0]?.title ?? ""}</option>`)}</select></label>` : null}
      <label class="field"><span>${t("ticket.body")}</span><textarea class="input" name="body" rows="2" maxlength="2000"></textarea></label>
      <div class="act end"><button type="button" class="btn" onClick=${close}>${t("cancel")}</button><button class="btn primary" disabled=${busy || !type}>${t("ticket.make")}</button></div>
    </form><//>`;
}
