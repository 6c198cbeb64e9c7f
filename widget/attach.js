import { action, drawing, element } from "./element.js";
import { createFiles } from "./files.js";
import { CLIP, TAKEN, onDrop } from "./taken.js";

const PAPER = "M14 2H6a2 2 0 0 0-2 2v16a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2V8zM14 2v6h6";
/** How large a file is, for people. @param {number} [bytes] */
const weightOf = (bytes = 0) => (bytes < 1048576 ? `${Math.max(1, Math.ceil(bytes / 1024))} KB` : `${(bytes / 1048576).toFixed(1)} MB`);

/**
 * The ways to add files to a message: the clip, pasting, dropping. What does the work is here with them: words that are
 * sent while it were still on its way would go without their files.
 * @param {{say: Say, chat: ReturnType<typeof import("./chat.js").createChat>, shell: Shell, vault: Vault, ui: Ui}} parts
 */
export function createAttach({ say, chat, shell, vault, ui }) {
  const { input } = ui.composer;
  const form = /** @type {HTMLFormElement} */ (input.closest("form"));
  const view = /** @type {HTMLElement} */ (form.parentElement);
  const tray = element("ul", { class: "tray", "aria-label": say("files"), hidden: true });
  const pick = element("input", { type: "file", multiple: true, accept: TAKEN, hidden: true });
  const clip = action("", () => pick.click(), { class: "clip", "aria-label": say("attach"), title: say("attach") });
  clip.append(drawing(CLIP, "clip"));
  form.prepend(clip, pick);
  form.before(tray);

  const files = createFiles({ say, chat, shell, vault, input, form, tray, clip });
  const { measure, clear } = ui.composer;
  // The composer knows of words alone.
  ui.composer.measure = () => {
    measure();
    files.settle();
  };
  ui.composer.clear = () => {
    clear();
    files.clear();
  };

  /** @param {FileList | null | undefined} given */
  const add = (given) => {
    if (given?.length) files.add([...given]);
  };
  pick.addEventListener("change", () => {
    add(pick.files);
    pick.value = "";
  });
  input.addEventListener("paste", (event) => {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    add(event.clipboardData.files);
  });
  onDrop(view, add);

  return {
    /** Files of something else than the chat. */
    uploads: files.uploads,
    /** There is a connection: what waits for one goes. */
    again: files.again,
    /** A file in the thread; filled once the desk has said where it is. @param {Block} block */
    card(block) {
      const words = element("span", {}, element("b", {}, block.name || ""), element("small", {}, weightOf(block.bytes)));
      const box = element("span", { class: "card file" }, element("span", { class: "thumb" }, drawing(PAPER, "paper")), words);
      files.fill(box, block);
      return box;
    },
  };
}
