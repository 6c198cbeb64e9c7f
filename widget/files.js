import { action, element } from "./element.js";
import { anchor } from "./links.js";

const MOST = 5;
const ASK_AGAIN_MS = 10_000;
/** What the desk refuses, by its own word for why. @type {Record<string, string>} */
const WHY = {
  file_type: "fileType",
  file_picture: "filePicture",
  file_empty: "fileEmpty",
  file_large: "fileLarge",
  file_infected: "fileInfected",
  files_hour: "fileLater",
  files_day: "fileLater",
  disk_full: "fileNoRoom",
};

/** @typedef {{file: File, node: HTMLElement, request: XMLHttpRequest | null, block: Block | null, failed: boolean}} Item */

/**
 * Files on their way up, and files in the thread. Each is sent at once, by itself, and goes with the message by its id.
 * @param {{
 *   say: Say, chat: ReturnType<typeof import("./chat.js").createChat>, shell: Shell, vault: Vault,
 *   input: HTMLTextAreaElement, form: HTMLFormElement, tray: HTMLElement, clip: HTMLElement,
 * }} parts
 */
export function createFiles({ say, chat, shell, vault, input, form, tray, clip }) {
  /** @type {Set<Item>} */
  const items = new Set();
  /** Sending was asked for while something was on its way. */
  let wanted = false;
  /** @type {Map<string, Promise<any>>} */
  const asked = new Map();
  const send = /** @type {HTMLButtonElement} */ (form.querySelector(".send"));
  const note = element("p", { class: "line", role: "status" });
  const headers = () => ({ Authorization: `Bearer ${vault.get("token")}` });
  /** @param {string} path */
  const at = (path) => new URL(path, shell.base).href;

  // -- going up -----------------------------------------------------------------------------------

  function draw() {
    tray.hidden = !items.size;
    if (items.size) send.disabled = false;
    clip.toggleAttribute("disabled", items.size >= MOST);
  }

  /** @param {Item} item @param {...(Node | string | null)} more */
  const show = (item, ...more) =>
    item.node.replaceChildren(
      element("b", {}, item.file.name || say("image")),
      ...more.filter((part) => part !== null),
      action(say("fileRemove", { name: item.file.name }), () => remove(item), { icon: "close", class: "tool" }),
    );

  /** @param {Item} item */
  function remove(item) {
    items.delete(item);
    item.request?.abort();
    item.node.remove();
    note.remove();
    draw();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.focus();
  }

  /** @param {Item} item @param {string} why */
  function fail(item, why) {
    item.request = null;
    item.failed = true;
    wanted = false;
    const again = /^file(Offline|NoRoom|Later)$/.test(why) ? action(say("retry"), () => upload(item), { class: "quiet" }) : null;
    show(item, element("span", { class: "error", role: "alert" }, say(why)), again);
    draw();
  }

  /** @param {Item} item */
  function upload(item) {
    const bar = element("progress", { max: 100, value: 0, "aria-label": say("fileSending", { name: item.file.name }) });
    const request = (item.request = new XMLHttpRequest());
    item.failed = false;
    show(item, bar);
    if (!vault.get("token")) return fail(item, "fileOffline");
    request.open("POST", at("/visitor/files"));
    request.setRequestHeader("Authorization", headers().Authorization);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-File-Name", encodeURIComponent(item.file.name || "image.png"));
    request.upload.onprogress = ({ loaded, total }) => (bar.value = total ? (loaded / total) * 100 : 0);
    request.onerror = () => fail(item, "fileOffline");
    request.onload = () => {
      let answer;
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        answer = {};
      }
      if (request.status !== 201) return fail(item, WHY[answer.error?.details?.reason] || "fileOffline");
      item.request = null;
      item.block = answer;
      asked.set(answer.id, Promise.resolve(answer));
      show(item, element("small", {}, say("fileReady")));
      draw();
      if (wanted) post();
    };
    request.send(item.file);
    draw();
  }

  /** Sends the message with its files; waits for those on their way. */
  function post() {
    const all = [...items];
    if (all.some((item) => item.failed)) return input.focus();
    wanted = all.some((item) => !item.block);
    if (wanted) return form.before(note), (note.textContent = say("fileWait"));
    note.remove();
    const text = input.value.normalize("NFC").replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "").trim();
    const blocks = all.map((item) => /** @type {Block} */ (item.block));
    items.clear();
    tray.replaceChildren();
    input.value = "";
    draw();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    chat.post(text, blocks.map(({ id, name, media_type, bytes, width, height, state }) => ({ type: "file", id, name, media_type, bytes, width, height, state })));
    input.focus();
  }

  /** What would send the words alone goes by here first. @param {Event} event */
  const instead = (event) => {
    if (!items.size) return;
    if (event instanceof KeyboardEvent && (event.target !== input || event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229)) return;
    event.preventDefault();
    event.stopPropagation();
    post();
  };
  const view = /** @type {HTMLElement} */ (form.parentElement);
  view.addEventListener("submit", instead, true);
  view.addEventListener("keydown", instead, true);
  form.addEventListener("input", draw);

  // -- in the thread ------------------------------------------------------------------------------

  /** What the desk says of a file now. @param {string} id @returns {Promise<any>} */
  const ask = (id) => fetch(at(`/visitor/files/${encodeURIComponent(id)}`), { headers: headers() }).then((answer) => answer.json());

  /** @param {HTMLElement} box @param {Block} block */
  async function fill(box, block) {
    const id = String(block.id);
    const known = await (asked.get(id) || ask(id)).catch(() => ({}));
    asked.delete(id);
    const words = /** @type {HTMLElement} */ (box.lastElementChild);
    const state = known.state || block.state;
    if (!known.url) {
      words.append(element("small", { class: "error" }, say(state === "infected" ? "fileInfected" : state === "scanning" ? "fileScanning" : "fileGone")));
      if (state === "scanning") setTimeout(() => box.isConnected && (words.lastChild?.remove(), fill(box, block)), ASK_AGAIN_MS);
      return;
    }
    const label = `${block.name} (${say("opensTab")})`;
    const link = /** @type {HTMLAnchorElement} */ (anchor(at(known.url), { class: "card file", "aria-label": label }, ...box.childNodes));
    let until = known.expires_at_ms;
    link.addEventListener("click", (event) => {
      if (until > Date.now() + 2000) return;
      event.preventDefault();
      ask(id).then((fresh) => {
        until = fresh.expires_at_ms;
        link.href = at(fresh.url);
        link.click();
      }, () => {});
    });
    box.replaceWith(link);
    // Drawn, not linked: the page's own policy need not let our pictures in.
    const thumb = known.thumb_url && (await fetch(at(known.thumb_url)).then((answer) => (answer.ok ? answer.blob() : null)).then((blob) => blob && createImageBitmap(blob)).catch(() => null));
    if (!thumb) return;
    const canvas = element("canvas", { width: thumb.width, height: thumb.height, "aria-hidden": "true" });
    canvas.getContext("2d")?.drawImage(thumb, 0, 0);
    link.classList.add("image");
    link.replaceChildren(canvas);
  }

  return {
    /** @param {File[]} files */
    add(files) {
      for (const file of files.slice(0, MOST - items.size)) {
        const item = { file, node: element("li", {}), request: null, block: null, failed: false };
        items.add(item);
        tray.append(item.node);
        upload(item);
      }
      if (files.length > MOST || items.size > MOST) note.textContent = say("fileMany");
      draw();
      input.focus();
    },
    fill,
  };
}
