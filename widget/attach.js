import { action, drawing, element } from "./element.js";

const CLIP = "m21.4 11.1-9.2 9.2a6 6 0 0 1-8.5-8.5l8.6-8.6a4 4 0 0 1 5.7 5.7l-8.6 8.5a2 2 0 0 1-2.8-2.8l8.5-8.5";
const PAPER = "M14 2H6a2 2 0 0 0-2 2v16a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2V8zM14 2v6h6";
const TAKEN = "image/jpeg,image/png,image/gif,image/webp,application/pdf,text/plain,.csv,.docx,.xlsx,.pptx,.odt,.ods,.zip,video/mp4,audio/*";

/** How large a file is, for people. @param {number} [bytes] */
export const weightOf = (bytes = 0) => (bytes < 1048576 ? `${Math.max(1, Math.ceil(bytes / 1024))} KB` : `${(bytes / 1048576).toFixed(1)} MB`);

/**
 * The ways to add files to a message: the clip, pasting, dropping. What does the work is loaded with the first file.
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

  /** @type {Promise<ReturnType<typeof import("./files.js").createFiles> | null> | undefined} */
  let loading;
  const load = () =>
    (loading ||= import("./files.js").then(
      ({ createFiles }) => createFiles({ say, chat, shell, vault, input, form, tray, clip }),
      () => {
        loading = undefined;
        return null;
      },
    ));

  /** @param {FileList | null | undefined} given */
  const add = async (given) => {
    const files = [...(given || [])];
    if (files.length) (await load())?.add(files);
  };
  /** @param {DragEvent} event */
  const brings = (event) => [...(event.dataTransfer?.types || [])].includes("Files");

  pick.addEventListener("change", () => {
    add(pick.files);
    pick.value = "";
  });
  input.addEventListener("paste", (event) => {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    add(event.clipboardData.files);
  });
  for (const name of /** @type {const} */ (["dragover", "dragleave", "drop"])) {
    view.addEventListener(name, (event) => {
      if (!brings(event)) return;
      event.preventDefault();
      view.classList.toggle("dropping", name === "dragover");
      if (name === "drop") add(event.dataTransfer?.files);
    });
  }

  return {
    /** A file in the thread; filled once the desk has said where it is. @param {Block} block */
    card(block) {
      const words = element("span", {}, element("b", {}, block.name || ""), element("small", {}, weightOf(block.bytes)));
      const box = element("span", { class: "card file" }, element("span", { class: "thumb" }, drawing(PAPER, "paper")), words);
      load().then((files) => files?.fill(box, block));
      return box;
    },
  };
}
