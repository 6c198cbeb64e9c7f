import { element } from "./element.js";
import { anchor } from "./links.js";

const ASK_AGAIN_MS = 10_000;

/**
 * Files in a thread: where they can be read just now, and small pictures of pictures.
 * @param {{say: Say, shell: Shell, vault: Vault}} parts
 */
export function createFileCards({ say, shell, vault }) {
  /** @type {Map<string, Promise<any>>} */
  const asked = new Map();
  /** @param {string} path */
  const at = (path) => new URL(path, shell.base).href;

  /** What the desk says of a file now. @param {string} id @returns {Promise<any>} */
  const ask = (id) =>
    fetch(at(`/visitor/files/${encodeURIComponent(id)}`), { headers: { Authorization: `Bearer ${vault.get("token")}` } }).then((answer) => answer.json());

  /** @param {HTMLElement} box @param {Block} block */
  async function fill(box, block) {
    const id = String(block.id);
    const known = await (asked.get(id) || ask(id)).catch(() => null);
    asked.delete(id);
    const words = /** @type {HTMLElement} */ (box.lastElementChild);
    // Without a line nobody knows how it stands with the file.
    if (!known) return void setTimeout(() => box.isConnected && fill(box, block), ASK_AGAIN_MS);
    const state = known.state || block.state;
    if (!known.url) {
      words.append(element("small", { class: "error" }, say(state === "infected" ? "fileInfected" : state === "scanning" ? "fileScanning" : "fileGone")));
      if (state === "scanning") setTimeout(() => box.isConnected && (words.lastChild?.remove(), fill(box, block)), ASK_AGAIN_MS);
      return;
    }
    words.append(element("span", { class: "unseen" }, ` (${say("opensTab")})`));
    const link = /** @type {HTMLAnchorElement} */ (anchor(at(known.url), { class: "card file" }, ...box.childNodes));
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
    link.setAttribute("aria-label", `${block.name} (${say("opensTab")})`);
    link.replaceChildren(canvas);
  }

  return {
    ask,
    fill,
    /** What was just sent need not be asked for. @param {any} answer */
    know: (answer) => void asked.set(answer.id, Promise.resolve(answer)),
  };
}
