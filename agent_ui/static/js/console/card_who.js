/**
 * The head of the card: who it is, how sure that is, what to mind before anything else, how to reach them.
 * @typedef {import("./types.js").Card} Card
 * @typedef {import("./types.js").ContactLine} ContactLine
 */
import { html, useState } from "./vendor.js";
import { CommandError, command } from "./connection.js";
import { currentId, me, putCard } from "./store.js";
import { now } from "./clock.js";
import { act, updateCustomer } from "./actions.js";
import { ago, customerName, language, shortDate, t } from "./words.js";
import { Avatar, Segment } from "./ui.js";
import { Icon } from "./late_icon.js";
import { toast, toastError } from "./toasts.js";

const month = new Intl.DateTimeFormat(language, { year: "numeric", month: "short" });
const IDENTITY_ICONS = { verified: "shield-check", claimed: "circle-help", anonymous: "user-round" };
const PURPOSES = ["service", "analytics", "marketing_email", "marketing_sms", "profiling"];

/** Sends a command about the customer and shows the card it answers with. @param {string} name @param {object} payload @returns {Promise<any | null>} */
export async function change(name, payload) {
  const id = currentId.value;
  const reply = await act(name, payload);
  if (reply?.customer && id) putCard(id, reply.customer);
  return reply;
}

/** @param {string} text @param {string} what */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t("card.copied"));
  } catch {
    toast(`${t("card.copy_failed")} ${what}: ${text}`, { icon: "triangle-alert" });
  }
}

/**
 * Puts focus on what takes a form's place, or comes next in it, once that is drawn; not where somebody has gone on to
 * something else, perhaps in another conversation, while an answer was on its way.
 * @param {string} id @param {string} form which form, as a selector
 */
export function focusAfter(id, form) {
  const left = document.querySelector(form);
  const at = document.activeElement;
  if (left && (left.contains(at) || at === document.body)) requestAnimationFrame(() => document.getElementById(id)?.focus());
}

/** A small button beside a value. @param {{ icon: string, name: string, onClick: () => void }} props */
export const Mini = ({ icon, name, onClick }) => html`<button type="button" class="mini" aria-label=${name} title=${name} onClick=${onClick}><${Icon} name=${icon} /></button>`;

/** @param {{ label: string, wrap?: boolean, children?: import("./vendor.js").Child }} props */
export const Fact = ({ label, wrap, children }) => html`<dt>${label}</dt><dd class=${wrap ? "wrap" : ""}>${children || html`<span class="none">—</span>`}</dd>`;

/** @param {{ tone?: string, icon: string, children?: import("./vendor.js").Child }} props */
export const Note = ({ tone = "", icon, children }) => html`<div class=${`banner-line ${tone}`}><${Icon} name=${icon} /><div>${children}</div></div>`;

/** What a form begins with: the next letter is for it, and no command. @param {HTMLElement | null} field */
const beginsHere = (field) => field?.focus();

/** @param {{ card: Card, done: () => void }} props */
function Edit({ card, done }) {
  const [busy, setBusy] = useState(false);
  const masked = (/** @type {"email"|"phone"} */ kind) => card.contacts.find((line) => line.kind === kind)?.masked;
  const submit = async (/** @type {SubmitEvent} */ e) => {
    e.preventDefault();
    if (busy) return;
    setBusy(true);
    const form = new FormData(/** @type {HTMLFormElement} */ (e.target));
    /** @type {Record<string, string>} */
    const said = {};
    for (const name of /** @type {const} */ (["name", "email", "phone"])) {
      const value = String(form.get(name) ?? "").trim();
      if (name === "name" || value || !masked(name)) said[name] = value;
    }
    const ok = await updateCustomer(card.id, said); // what is left out stays as it is
    setBusy(false);
    if (ok) done();
  };
  const field = (/** @type {"email"|"phone"} */ kind, /** @type {string} */ type) => html`<label class="field"><span>${t(`card.${kind}`)}</span><input class="input" name=${kind} type=${type}
    defaultValue=${masked(kind) ? "" : card[kind] ?? ""} placeholder=${masked(kind) ? `${card[kind]} · ${t("card.unmasked_hint")}` : undefined} maxlength=${kind === "email" ? 254 : 40} autocomplete="off" /></label>`;
  return html`<form class="edit" onSubmit=${submit} onKeyDown=${(/** @type {KeyboardEvent} */ e) => { if (e.key === "Escape" && !e.isComposing) { e.preventDefault(); done(); } }}>
    <label class="field"><span>${t("card.name")}</span><input class="input" name="name" ref=${beginsHere} defaultValue=${card.name ?? ""} maxlength="200" autocomplete="off" /></label>
    ${field("email", "email")}${field("phone", "tel")}
    <div class="act"><button class="btn primary" disabled=${busy}>${t("save")}</button><button type="button" class="btn" onClick=${done}>${t("cancel")}</button></div>
  </form>`;
}

/** What has to be known before a word is written. @param {{ card: Card }} props */
function Warnings({ card }) {
  const stale = card.fresh.filter((source) => source.stale);
  const { rift, service, blocked } = card;
  const late = card.orders.items.filter((order) => order.late);
  return html`
    ${rift ? html`<${Note} tone="danger" icon="triangle-alert">${t(`rift.${rift.reason}`, { score: service.csat_last, n: service.complaints })}<//>` : null}
    ${blocked ? html`<${Note} tone="danger" icon="ban">${blocked.reason ? t("card.blocked_why", { reason: blocked.reason }) : t("card.blocked")}<//>` : null}
    ${late.map(({ number, promised_at_ms }) => html`<${Note} key=${number} tone="danger" icon="triangle-alert">${number} · ${t("order.late_since", { date: shortDate(promised_at_ms ?? 0, now.peek()) })}<//>`)}
    ${stale.map(({ source, last_at_ms, reason }) => html`<${Note} key=${source} tone="warn" icon="clock">${last_at_ms === null ? t("card.stale.never", { source })
      : t(reason === "uninstalled" ? "card.stale.uninstalled" : "card.stale", { source, age: ago(now.value - last_at_ms) })}<//>`)}
    ${card.profiling_refused ? html`<${Note} icon="eye">${t("card.refused")}<//>` : null}`;
}

/** @param {{ card: Card, line: ContactLine }} props */
function Contact({ card, line }) {
  const [value, setValue] = useState("");
  const what = t(`card.${line.kind}`);
  const reveal = async () => {
    try {
      const { customer_id, kind, key_id } = line;
      setValue((await command("contact.reveal", { customer_id, kind, ...(key_id ? { key_id } : {}) })).value);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      toastError(error.code);
    }
  };
  const shown = value || line.shown;
  const level = t(`card.level.${line.level}`);
  return html`<${Fact} label=${what}><span class="num" title=${shown}>${shown}</span>
    <span class=${line.level === "verified" ? "sure" : "unsure"} title=${level}><${Icon} name=${line.level === "verified" ? "shield-check" : "circle-help"} /><span class="sr">${level}</span></span>
    ${line.masked && !value ? html`<${Mini} icon="eye" name=${t("card.reveal", { shown: line.shown })} onClick=${reveal} />`
      : html`<${Mini} icon="copy" name=${t("card.copy", { what })} onClick=${() => copy(shown, what)} />`}<//>`;
}

/** Why no code goes out. @type {Record<string, string>} */
const NO_CODE = { no_mail: "verify.no.no_mail", shared_address: "verify.no.shared_address" };

/** Somebody else may be meant: proof by an order that only its buyer knows, or by a code in their mail. @param {{ card: Card }} props */
function Claims({ card }) {
  const [open, setOpen] = useState(false);
  const [said, setSaid] = useState(/** @type {{ text: string, bad: boolean } | null} */ (null));
  const [busy, setBusy] = useState(false);
  const [mailed, setMailed] = useState("");
  const unproven = card.identity !== "verified" && card.orders.count === 0;
  if (!card.possible.length && !(open && unproven)) return null;
  const check = async (/** @type {SubmitEvent} */ e) => {
    e.preventDefault();
    if (busy) return;
    setBusy(true);
    const id = currentId.value;
    const form = new FormData(/** @type {HTMLFormElement} */ (e.target));
    const text = (/** @type {string} */ name) => String(form.get(name) ?? "").trim();
    try {
      const reply = mailed
        ? await command("customer.confirm_code", { customer_id: card.id, code: text("code") })
        : await command("customer.verify", { customer_id: card.id, order_number: text("order"), postcode: text("postcode") });
      if (reply.verified) {
        toast(t(mailed ? "verify.code.right" : "verify.right"));
        if (id) putCard(id, reply.customer);
      } else setSaid({ text: t(mailed ? "verify.code.wrong" : "verify.wrong"), bad: true });
    } catch (error) {
      failed(error);
    } finally {
      setBusy(false);
    }
  };
  const failed = (/** @type {unknown} */ error) => {
    if (!(error instanceof CommandError)) throw error;
    if (error.code === "too_many") setSaid({ text: t("verify.often", { n: Math.ceil(error.details.retry_after_s ?? 1) }), bad: true });
    else if (error.details.reason in NO_CODE) setSaid({ text: t(NO_CODE[error.details.reason]), bad: true });
    else toastError(error.code);
  };
  const address = card.contacts.find((line) => line.kind === "email" && line.level !== "verified");
  const mail = async () => {
    if (busy) return;
    setBusy(true);
    try {
      const { shown } = await command("customer.send_code", { customer_id: card.id, ...(address?.key_id ? { key_id: address.key_id } : {}) });
      setMailed(shown);
      setSaid({ text: t("verify.code.sent", { shown }), bad: false });
      focusAfter("verify-code", ".verify");
    } catch (error) {
      failed(error);
    } finally {
      setBusy(false);
    }
  };
  return html`${card.possible.map((other) => html`<${Note} key=${other.customer_id} tone="warn" icon="circle-help">
    <span>${t("possible", { shown: other.shown, name: other.name || customerName({ id: other.customer_id, name: null }) })}</span>
    ${open ? null : html`<button type="button" class="btn" onClick=${() => { setOpen(true); requestAnimationFrame(() => document.getElementById("verify-order")?.focus()); }}><${Icon} name="shield-check" />${t("verify")}</button>`}<//>`)}
    ${open ? html`<form class="verify" aria-label=${t("verify.title")} onSubmit=${check} onKeyDown=${(/** @type {KeyboardEvent} */ e) => { if (e.key === "Escape" && !e.isComposing) { e.preventDefault(); setOpen(false); } }}>
      <p class="small">${t("possible.hint")}</p>
      ${mailed ? html`<label class="field"><span>${t("verify.code")}</span><input class="input" id="verify-code" name="code" required maxlength="12" inputmode="numeric" autocomplete="off" /></label>`
        : html`<div class="pair"><label class="field"><span>${t("verify.order")}</span><input class="input" id="verify-order" name="order" required maxlength="100" autocomplete="off" /></label>
        <label class="field"><span>${t("verify.postcode")}</span><input class="input" name="postcode" required maxlength="40" autocomplete="off" /></label></div>`}
      <p class=${`small ${said?.bad ? "bad" : ""}`} role="status">${said?.text ?? ""}</p>
      <div class="act"><button class="btn primary" disabled=${busy}>${t("verify.check")}</button>${address ? html`<button type="button" class="btn" disabled=${busy} onClick=${mail}>${t(mailed ? "verify.code.again" : "verify.code.send")}</button>` : null}<button type="button" class="btn" onClick=${() => { setMailed(""); setOpen(false); }}>${t("cancel")}</button></div>
    </form>` : null}`;
}

/** @param {{ card: Card }} props */
function Joined({ card }) {
  if (!card.merged.length) return null;
  const undo = async (/** @type {string} */ link_id) => {
    const id = currentId.value;
    const reply = await change("customer.unmerge", { link_id });
    if (reply && id) toast(t("merged.undone"));
  };
  return html`<ul class="joined">${card.merged.map((link) => html`<li key=${link.link_id}><${Icon} name="link" />
    <span>${t(link.how === "session" ? "merged.session" : "merged", { date: shortDate(link.at_ms, now.peek()), name: link.name ?? customerName({ id: link.customer_id, name: null }) })}</span>
    ${link.can_undo && me.value.role !== "agent" ? html`<button type="button" class="link" onClick=${() => undo(link.link_id)}>${t("undo")}</button>` : null}</li>`)}</ul>`;
}

/** @param {{ card: Card }} props */
function Consents({ card }) {
  const said = PURPOSES.filter((purpose) => purpose !== "service" && card.consents[purpose] && card.consents[purpose].state !== "unsaid");
  const all = PURPOSES.filter((purpose) => card.consents[purpose]).map((purpose) => t(`consents.${card.consents[purpose].state}`, { what: t(`consents.${purpose}`) }));
  return html`<${Fact} label=${t("consents")} wrap=${true}>${said.length ? said.map((purpose) => {
    const { state, at_ms } = card.consents[purpose];
    const what = t(`consents.${purpose}`);
    return html`<span key=${purpose} class=${`consent ${state}`} title=${`${t(`consents.${state}`, { what })}${at_ms ? ` · ${shortDate(at_ms, now.peek())}` : ""}`}><${Icon} name=${state === "given" ? "shield-check" : "ban"} />${what}<span class="sr"> ${t(`consents.${state}`, { what })}</span></span>`;
  }) : html`<span class="consent" title=${all.join("\n")}>${t("consents.unsaid", { what: t("consents.analytics") })}</span>`}<//>`;
}

/** Who it is. @param {{ card: Card }} props */
export function Who({ card }) {
  const [editing, setEditing] = useState(false);
  const finish = () => {
    focusAfter("edit-customer", ".edit");
    setEditing(false);
  };
  const cell = card.profile?.value_cell;
  return html`<div class="sec head"><div class="who"><${Avatar} id=${card.id} name=${card.name} size="lg" />
      <div><h2>${customerName(card)}</h2><div class="chips">
        <${Segment} of=${card.profile ?? {}} title=${cell ? t(`cell.${cell}`) : undefined} />
        <span class=${`st ${card.identity === "verified" ? "ok" : card.identity === "claimed" ? "warn" : ""}`} title=${t(`identity.${card.identity}_hint`)}><${Icon} name=${IDENTITY_ICONS[card.identity]} />${t(`identity.${card.identity}`)}</span>
        <span class="tag">${t("card.since", { date: month.format(Math.min(card.created_at_ms, card.profile?.first_order_at_ms ?? Infinity)) })}</span></div></div>
      ${editing ? null : html`<button type="button" id="edit-customer" class="btn icon quiet" aria-label=${t("card.edit")} title=${t("card.edit")} onClick=${() => setEditing(true)}><${Icon} name="pencil" /></button>`}</div>
    <${Warnings} card=${card} />
    <${Claims} card=${card} />
    ${editing ? html`<${Edit} card=${card} done=${finish} />` : null}
    ${card.identity === "claimed" && !card.external_id && !card.possible.length ? html`<p class="hintline"><${Icon} name="info" />${t("identity.claimed_hint")}</p>` : null}
  </div>`;
}

/** How to reach them, and what they agreed to. @param {{ card: Card }} props */
export function Reach({ card }) {
  const known = /** @type {const} */ (["email", "phone"]).filter((kind) => !card.contacts.some((line) => line.kind === kind));
  return html`<div class="sec"><dl class="kv">
      ${card.contacts.map((line) => html`<${Contact} key=${`${line.key_id} ${line.shown}`} card=${card} line=${line} />`)}
      ${known.map((kind) => html`<${Fact} key=${kind} label=${t(`card.${kind}`)} />`)}
      ${card.external_id ? html`<${Fact} label=${t("card.external_id")}><span class="num">${card.external_id}</span><//>` : null}
      <${Consents} card=${card} />
    </dl>
    <${Joined} card=${card} /></div>`;
}
