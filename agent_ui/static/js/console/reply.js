/** Putting something into the reply that is being written: a text where the cursor stands, a card beside it. */
import { focusComposer, write, writingOf } from "./composer.js";

/** Writes something into the reply where the cursor stands, or stood last. @param {string} id @param {string} text */
export function insertText(id, text) {
  const { body, visibility } = writingOf(id);
  const field = /** @type {HTMLTextAreaElement | null} */ (document.getElementById("composer"));
  const at = visibility === "public" && field ? field.selectionStart : body.length;
  const [before, after] = [body.slice(0, at), body.slice(field && visibility === "public" ? field.selectionEnd : at)];
  const space = before && !/\s$/.test(before) ? " " : "";
  write(id, { body: before + space + text + after, visibility: "public", state: "changed" });
  focusComposer();
  const end = at + space.length + text.length;
  requestAnimationFrame(() => /** @type {HTMLTextAreaElement | null} */ (document.getElementById("composer"))?.setSelectionRange(end, end));
}

/** Puts a card beside the reply, to be sent with it. @param {string} id @param {import("./types.js").Block} block */
export function attach(id, block) {
  const blocks = (writingOf(id).blocks ?? []).filter((other) => other.sku !== block.sku);
  write(id, { blocks: [...blocks, block].slice(-10), visibility: "public" });
  focusComposer();
}
