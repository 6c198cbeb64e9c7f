import { action, drawing, element } from "./element.js";
import { CLIP, TAKEN, onDrop } from "./taken.js";

const CAMERA = "M14.5 4h-5L7 7H4a2 2 0 0 0-2 2v9a2 2 0 0 0 2 2h16a2 2 0 0 0 2-2V9a2 2 0 0 0-2-2h-3zM12 17a4 4 0 1 0 0-8 4 4 0 0 0 0 8";
/** What the shop takes; asked once. @type {Promise<{most_files: number, most_bytes: number}> | undefined} */
let limits;

/**
 * The place of a form where files are added: chosen, taken with the phone's camera, pasted, dropped. What is kept under
 * a name in the vault is there again after a reload.
 * @param {RequestTools} tools
 * @param {{keep: string, input: HTMLTextAreaElement}} parts input: where files are pasted, too
 */
export function filesField({ say, shell, vault, uploads }, { keep, input }) {
  const tray = element("ul", { class: "tray", "aria-label": say("files"), hidden: true });
  const hint = element("small", { id: keep.replace(/\W/g, "") + "hint" });
  const status = element("small", { role: "status" });
  const pick = element("input", { type: "file", multiple: true, accept: TAKEN, hidden: true, tabindex: -1, "aria-hidden": "true" });
  const shoot = element("input", { type: "file", accept: "image/*", capture: "environment", hidden: true, tabindex: -1, "aria-hidden": "true" });
  const add = action("", () => pick.click(), { class: "adder", "aria-describedby": hint.id });
  add.append(drawing(CLIP, "clip"), say("addFiles"));
  const camera = action("", () => shoot.click(), { class: "adder" });
  camera.append(drawing(CAMERA, "camera"), say("takePhoto"));
  const phone = matchMedia("(pointer: coarse)").matches;
  const node = element("div", { class: "field adding" }, element("div", { class: "row" }, add, phone && camera), pick, shoot, tray, status, hint);
  /** What is done once all files are there. @type {(() => void) | null} */
  let wanted = null;

  const save = () => {
    const blocks = mine.blocks();
    if (blocks.length) vault.set(keep, JSON.stringify(blocks));
    else vault.drop(keep);
  };

  const mine = uploads({
    tray,
    changed() {
      save();
      add.disabled = camera.disabled = mine.full;
      if (mine.refused) wanted = null;
      else if (!mine.busy || !wanted) status.textContent = "";
      if (!wanted || mine.busy) return;
      const go = wanted;
      wanted = null;
      go();
    },
    focus: () => add.focus(),
  });

  /** @param {FileList | null | undefined} given */
  const take = (given) => {
    if (given?.length) mine.add([...given]);
  };
  for (const one of [pick, shoot]) {
    one.addEventListener("change", () => {
      take(one.files);
      one.value = "";
    });
  }
  input.addEventListener("paste", (event) => {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    take(event.clipboardData.files);
  });

  /** The whole page takes what is dropped on it. @param {HTMLElement} over */
  const dropOn = (over) => onDrop(over, take);

  limits ||= fetch(new URL("/visitor/files", shell.base)).then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.statusText))));
  limits.then(
    ({ most_files, most_bytes }) => (hint.textContent = say(phone ? "filesHint" : "filesHintDrop", { n: most_files, mb: Math.floor(most_bytes / 1048576) })),
    () => (limits = undefined),
  );
  try {
    const before = JSON.parse(vault.get(keep) || "[]");
    if (before.length) mine.restore(before);
  } catch {
    vault.drop(keep);
  }

  return {
    node,
    dropOn,
    restore: mine.restore,
    save,
    /** They wait with what they belong to; the form need not keep them. */
    leave: () => vault.drop(keep),
    get size() {
      return mine.size;
    },
    blocks: mine.blocks,
    ids: () => mine.blocks().map((block) => String(block.id)),
    /** Does it as soon as every file is there; false where one of them was refused. @param {() => void} go */
    when(go) {
      if (mine.refused) {
        status.textContent = say("filesFirst");
        tray.querySelector("button")?.focus();
        return false;
      }
      if (!mine.busy) go();
      else {
        wanted = go;
        status.textContent = say("filesWait");
      }
      return true;
    },
    /** There is a connection again. */
    again: mine.again,
    clear: mine.clear,
  };
}
