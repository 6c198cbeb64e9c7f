import { element } from "./element.js";
import { createFileCards } from "./file_cards.js";
import { createUploads } from "./uploads.js";

/**
 * Files of the chat and of requests. What is written in the chat waits for its files.
 * @param {{
 *   say: Say, chat: ReturnType<typeof import("./chat.js").createChat>, shell: Shell, vault: Vault,
 *   input: HTMLTextAreaElement, form: HTMLFormElement, tray: HTMLElement, clip: HTMLElement,
 * }} parts
 */
export function createFiles({ say, chat, shell, vault, input, form, tray, clip }) {
  const cards = createFileCards({ say, shell, vault });
  /** @param {UploadParts} parts */
  const uploads = (parts) => createUploads({ say, shell, vault, know: cards.know, ask: cards.ask, ...parts });
  const send = /** @type {HTMLButtonElement} */ (form.querySelector(".send"));
  const note = element("p", { class: "line", role: "status" });
  /** Sending was asked for while something was on its way. */
  let wanted = false;

  /** Files can go without words; nothing goes while one of them is refused. */
  const settle = () => {
    if (mine.size) send.disabled = mine.refused;
  };

  const mine = uploads({
    tray,
    changed() {
      if (mine.size) settle();
      else input.dispatchEvent(new Event("input", { bubbles: true }));
      clip.toggleAttribute("disabled", mine.full);
      if (mine.refused) wanted = false;
      if (!mine.busy) note.remove();
      if (wanted && !mine.busy) post();
    },
    focus: () => input.focus(),
  });

  /** Sends the message with its files; waits for those on their way. */
  function post() {
    if (mine.refused) return input.focus();
    wanted = mine.busy;
    if (wanted) return form.before(note), (note.textContent = say("fileWait"));
    note.remove();
    const text = input.value.normalize("NFC").replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "").trim();
    const blocks = mine.blocks();
    input.value = "";
    mine.clear();
    chat.post(text, blocks);
    input.focus();
  }

  /** What would send the words alone goes by here first. @param {Event} event */
  const instead = (event) => {
    if (!mine.size) return;
    if (event instanceof KeyboardEvent && (event.target !== input || event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229)) return;
    event.preventDefault();
    event.stopPropagation();
    post();
  };
  const view = /** @type {HTMLElement} */ (form.parentElement);
  view.addEventListener("submit", instead, true);
  view.addEventListener("keydown", instead, true);
  form.addEventListener("input", settle);

  return {
    uploads,
    settle,
    again: mine.again,
    clear: mine.clear,
    fill: cards.fill,
    /** @param {File[]} files */
    add(files) {
      mine.add(files);
      input.focus();
    },
  };
}
