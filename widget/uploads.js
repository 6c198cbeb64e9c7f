import { action, element } from "./element.js";

const FILES_MOST = 5;
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
const PASSES = /^file(Offline|NoRoom|Later)$/;
/** Photos of a phone are larger than anybody needs to see what is broken. */
const SHRINK_BYTES = 2_500_000;
const SHRINK_PX = 2560;
const SIGN_PX = 36;
const MEGABYTE = 1048576;

/** @typedef {{name: string, file: File | null, node: HTMLElement, sign: HTMLElement | null, request: XMLHttpRequest | null, block: Block | null, why: string}} Item */

/**
 * Files on their way up. Each is sent at once, by itself, and goes with what is written by its id.
 * @param {UploadParts & {say: Say, shell: Shell, vault: Vault, know: (block: Block) => void, ask: (id: string) => Promise<any>}} parts
 * @returns {Uploads}
 */
export function createUploads({ say, shell, vault, tray, know, ask, changed, focus }) {
  /** @type {Set<Item>} */
  const items = new Set();
  const note = element("li", { class: "much", role: "status" });
  let most = 0;

  const change = () => {
    tray.hidden = !items.size;
    changed();
  };

  /** @param {Item} item @param {...(Node | null)} more */
  const show = (item, ...more) =>
    item.node.replaceChildren(
      ...[item.sign, element("b", { dir: "auto" }, item.name), ...more].filter((part) => part !== null),
      action(say("fileRemove", { name: item.name }), () => remove(item), { icon: "close", class: "tool" }),
    );

  /** @param {Item} item */
  function remove(item) {
    items.delete(item);
    item.request?.abort();
    item.node.remove();
    note.remove();
    change();
    focus();
  }

  /** @param {Item} item @param {string} why @param {number} [limit] */
  function fail(item, why, limit) {
    item.request = null;
    item.why = why;
    const again = PASSES.test(why) ? action(say("retry"), () => upload(item), { class: "quiet" }) : null;
    const words = limit ? say("fileLargeMost", { n: Math.floor(limit / MEGABYTE) }) : say(why);
    show(item, element("span", { class: "error", role: "alert" }, words), again);
    change();
    if (why === "fileOffline") addEventListener("online", () => items.has(item) && item.why === "fileOffline" && upload(item), { once: true });
  }

  /** @param {Item} item */
  function ready(item) {
    show(item, element("small", {}, say("fileReady")));
    change();
  }

  /** @param {Item} item */
  async function upload(item) {
    const bar = element("progress", { max: 100, value: 0, "aria-label": say("fileSending", { name: item.name }) });
    item.why = "";
    show(item, bar);
    change();
    const given = /** @type {File} */ (item.file);
    const content = await smaller(given);
    if (!items.has(item)) return;
    if (!vault.get("token")) return fail(item, "fileOffline");
    if (most && content.size > most) return fail(item, "fileLarge", most);
    const request = (item.request = new XMLHttpRequest());
    request.open("POST", new URL("/visitor/files", shell.base).href);
    request.setRequestHeader("Authorization", `Bearer ${vault.get("token")}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-File-Name", encodeURIComponent(given.name || "image.png"));
    request.upload.onprogress = ({ loaded, total }) => (bar.value = total ? (loaded / total) * 100 : 0);
    request.onerror = () => fail(item, "fileOffline");
    request.onload = () => {
      let answer;
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        answer = {};
      }
      const { reason, limit } = answer.error?.details || {};
      if (reason === "file_large") most = limit || 0;
      if (request.status !== 201) return fail(item, WHY[reason] || "fileOffline", most && reason === "file_large" ? most : undefined);
      const { type, id, name, media_type, bytes, width, height, state } = answer;
      item.request = null;
      item.block = { type, id, name, media_type, bytes, width, height, state };
      know(answer);
      ready(item);
    };
    request.send(content);
  }

  /** A photo with fewer pixels when that is much less to send; everything else as it is.
   * @param {File} file @returns {Promise<Blob>} */
  async function smaller(file) {
    if (file.type !== "image/jpeg" || file.size < SHRINK_BYTES) return file;
    try {
      const drawn = await createImageBitmap(file);
      const scale = Math.min(1, SHRINK_PX / Math.max(drawn.width, drawn.height));
      const canvas = element("canvas", { width: Math.round(drawn.width * scale), height: Math.round(drawn.height * scale) });
      canvas.getContext("2d")?.drawImage(drawn, 0, 0, canvas.width, canvas.height);
      drawn.close();
      const made = await new Promise((/** @type {(made: Blob | null) => void} */ done) => canvas.toBlob(done, "image/jpeg", 0.86));
      return made && made.size < file.size ? made : file;
    } catch {
      return file;
    }
  }

  /** A small picture before the name. @param {Item} item */
  async function picture(item) {
    if (!/^image\/(jpeg|png|gif|webp)$/.test(item.file?.type || "")) return;
    const drawn = await createImageBitmap(/** @type {File} */ (item.file)).catch(() => null);
    if (!drawn || !drawn.width) return;
    const side = Math.min(drawn.width, drawn.height);
    const canvas = element("canvas", { width: SIGN_PX, height: SIGN_PX, class: "sign", "aria-hidden": "true" });
    canvas.getContext("2d")?.drawImage(drawn, (drawn.width - side) / 2, (drawn.height - side) / 2, side, side, 0, 0, SIGN_PX, SIGN_PX);
    drawn.close();
    item.sign = canvas;
    item.node.prepend(canvas);
  }

  /** @param {Item} item */
  const put = (item) => {
    items.add(item);
    tray.append(item.node);
  };

  return {
    get full() {
      return items.size >= FILES_MOST;
    },
    get size() {
      return items.size;
    },
    get busy() {
      return [...items].some((item) => !item.block && (!item.why || PASSES.test(item.why)));
    },
    get refused() {
      return [...items].some((item) => item.why && !PASSES.test(item.why));
    },
    blocks: () => [...items].flatMap((item) => item.block || []),
    add(files) {
      const room = FILES_MOST - items.size;
      note.remove();
      for (const file of files.slice(0, room)) {
        /** @type {Item} */
        const item = { name: file.name || say("image"), file, node: element("li", {}), sign: null, request: null, block: null, why: "" };
        put(item);
        upload(item);
        picture(item);
      }
      if (files.length > room) {
        note.textContent = say("fileMany");
        tray.append(note);
      }
      change();
    },
    /** Files that were sent before the page was left; those that the desk has forgotten go. @param {Block[]} blocks */
    restore(blocks) {
      for (const block of blocks.slice(0, FILES_MOST)) {
        /** @type {Item} */
        const item = { name: block.name || "", file: null, node: element("li", {}), sign: null, request: null, block, why: "" };
        put(item);
        ready(item);
        ask(String(block.id)).then((known) => {
          if (known.id || !items.delete(item)) return;
          item.node.remove();
          change();
        }, () => {});
      }
    },
    /** Sends once more what the connection has stopped. */
    again() {
      for (const item of items) if (item.why === "fileOffline") upload(item);
    },
    clear() {
      for (const item of items) item.request?.abort();
      items.clear();
      tray.replaceChildren();
      change();
    },
  };
}
