/**
 * Files beside a reply or note: chosen, pasted or dropped, sent at once, named by the message; and how they are shown.
 * @typedef {import("./types.js").Block} Block
 */
import { html, signal, useEffect, useState } from "./vendor.js";
import { currentId } from "./store.js";
import { focusComposer, write, writingOf } from "./composer.js";
import { Icon } from "./late_icon.js";
import { page, t } from "./words.js";

const MOST = 5;
const ASK_AGAIN_MS = 10_000;
const SERVED = new Set(["clean", "unscanned"]);
const WHY = new Set(["file_type", "file_picture", "file_empty", "file_large", "file_infected", "files_hour", "files_day", "disk_full"]);

/** @typedef {{ conversation_id: string, file: File, part: number, why: string | null, request: XMLHttpRequest | null }} Upload */
/** What is on its way or was refused. @type {{ value: Upload[] }} */
const uploads = signal(/** @type {Upload[]} */ ([]));
/** The conversation for which sending has to wait. */
const held = signal(/** @type {string | null} */ (null));

/** @param {Upload} upload @param {Partial<Upload>} change */
function update(upload, change) {
  Object.assign(upload, change);
  uploads.value = [...uploads.value];
}

/** @param {Upload} upload */
function drop(upload) {
  uploads.value = uploads.value.filter((other) => other !== upload);
  upload.request?.abort();
}

/** @param {string} id */
const of = (id) => uploads.value.filter((upload) => upload.conversation_id === id);

/** How large a file is, for people. @param {number} [bytes] */
const weight = (bytes = 0) => (bytes < 1048576 ? `${Math.max(1, Math.ceil(bytes / 1024))} KB` : `${(bytes / 1048576).toFixed(1)} MB`);

/** Whether the message may not go out yet. @param {string} id */
export function filesHold(id) {
  const waits = of(id).some((upload) => !upload.why);
  held.value = waits ? id : null;
  return waits;
}

/** @param {Upload} upload */
function send(upload) {
  const request = new XMLHttpRequest();
  request.open("POST", "/console/files");
  request.setRequestHeader("X-CSRF-Token", page.csrf);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.setRequestHeader("X-File-Name", encodeURIComponent(upload.file.name || "image.png"));
  request.upload.onprogress = ({ loaded, total }) => update(upload, { part: total ? loaded / total : 0 });
  request.onerror = () => update(upload, { why: "offline", request: null });
  request.onload = () => {
    let answer;
    try {
      answer = JSON.parse(request.responseText);
    } catch {
      answer = {};
    }
    if (request.status !== 201) {
      const reason = answer.error?.details?.reason;
      return update(upload, { why: WHY.has(reason) ? reason : "offline", request: null });
    }
    const id = upload.conversation_id;
    upload.request = null;
    drop(upload);
    if (held.value === id) held.value = null;
    write(id, { blocks: [...(writingOf(id).blocks ?? []), { ...answer, title: answer.name }] });
  };
  update(upload, { request, why: null, part: 0 });
  request.send(upload.file);
}

/** @param {string} id @param {FileList | File[] | null | undefined} given */
export function attach(id, given) {
  const files = [...(given ?? [])];
  const room = MOST - of(id).length - (writingOf(id).blocks ?? []).filter((block) => block.type === "file").length;
  for (const file of files.slice(0, Math.max(0, room))) {
    const upload = { conversation_id: id, file, part: 0, why: null, request: null };
    uploads.value = [...uploads.value, upload];
    send(upload);
  }
  if (files.length) focusComposer();
}

/** What the field of the message takes besides words. @param {string} id */
export const takesFiles = (id) => ({
  onPaste: (/** @type {ClipboardEvent} */ e) => {
    if (!e.clipboardData?.files.length) return;
    e.preventDefault();
    attach(id, e.clipboardData.files);
  },
});

/** @param {{ id: string }} props the button */
export const Clip = ({ id }) => html`<button type="button" class="btn quiet" aria-label=${t("file.add")} title=${t("file.add")} onClick=${() => document.getElementById("filepick")?.click()}><${Icon} name="paperclip" /></button>
  <input type="file" id="filepick" multiple hidden onChange=${(/** @type {any} an input's event */ e) => { attach(id, e.target.files); e.target.value = ""; }} />`;

/** What is on its way, and what was refused and why. @param {{ id: string }} props */
export function Tray({ id }) {
  const all = of(id);
  if (!all.length) return null;
  return html`<ul class="tray" aria-label=${t("file.tray")}>${all.map((upload) => html`<li>
    <b>${upload.file.name || t("file.picture")}</b>
    ${upload.why ? html`<span class="over" role="alert">${t(`file.why.${upload.why}`)}</span>
      ${/^(offline|disk_full|files_hour)$/.test(upload.why) ? html`<button type="button" class="btn" onClick=${() => send(upload)}><${Icon} name="refresh-cw" />${t("retry")}</button>` : null}`
    : html`<progress max="1" value=${upload.part} aria-label=${t("file.sending", { name: upload.file.name })}></progress>`}
    <button type="button" class="btn icon quiet" aria-label=${t("composer.drop", { title: upload.file.name })} onClick=${() => { drop(upload); focusComposer(); }}><${Icon} name="x" /></button></li>`)}
    ${held.value === id ? html`<li class="wait" role="status">${t("file.wait")}</li>` : null}</ul>`;
}

/** A picture in full, above everything. @param {Block} block */
function view(block) {
  const box = document.createElement("dialog");
  const picture = document.createElement("img");
  const bar = document.createElement("p");
  const save = document.createElement("a");
  const shut = document.createElement("button");
  box.className = "viewer";
  box.setAttribute("aria-label", block.name ?? "");
  picture.src = `/files/${block.id}/content`;
  picture.alt = block.name ?? "";
  save.href = picture.src;
  save.download = block.name ?? "";
  save.className = "btn";
  save.textContent = t("file.save");
  shut.type = "button";
  shut.className = "btn";
  shut.textContent = t("file.close");
  shut.onclick = () => box.close();
  bar.append(`${block.name} · ${weight(block.bytes)} `, save, shut);
  box.append(picture, bar);
  box.onclick = (e) => e.target === box && box.close();
  box.onclose = () => box.remove();
  document.body.append(box);
  box.showModal();
}

/** A file in the thread. @param {{ block: Block }} props */
export function FileCard({ block }) {
  const [now, setNow] = useState(block.state);
  useEffect(() => setNow(block.state), [block.state]);
  useEffect(() => {
    if (now !== "scanning") return;
    const timer = setInterval(async () => {
      const answer = await fetch(`/console/files/${block.id}`).catch(() => null);
      if (answer?.ok) setNow((await answer.json()).state);
    }, ASK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [now, block.id]);
  const address = `/files/${block.id}/content`;
  if (!SERVED.has(now ?? "")) {
    return html`<div class="pcard file off"><span class="ph"><${Icon} name="triangle-alert" /></span><span><b>${block.name}</b><small>${t(`file.${now === "infected" || now === "scanning" ? now : "refused"}`)}</small></span></div>`;
  }
  if (block.width) {
    return html`<button type="button" class="picture" aria-label=${t("file.look", { name: block.name ?? "" })} onClick=${() => view(block)}><img src=${`/files/${block.id}/thumb`} alt="" width=${block.width} height=${block.height} loading="lazy" /></button>`;
  }
  return html`<a class="pcard file" href=${address} download=${block.name}><span class="ph"><${Icon} name="download" /></span><span><b>${block.name}</b><small>${weight(block.bytes)}</small></span></a>`;
}

for (const name of /** @type {const} */ (["dragover", "drop"])) {
  addEventListener(name, (e) => {
    if (!currentId.value || ![...(e.dataTransfer?.types ?? [])].includes("Files") || document.querySelector("dialog[open]")) return;
    e.preventDefault(); // elsewhere the browser would leave the page for the file
    if (name === "drop") attach(currentId.value, e.dataTransfer?.files);
  });
}
