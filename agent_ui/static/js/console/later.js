/** What is loaded when it is first needed: the dialogs, and with the first conversation the customer panel and what helps to write. */
import { html, signal, useEffect, useState } from "./vendor.js";
import { currentId } from "./store.js";
import { aid } from "./composer.js";
import { toastError } from "./toasts.js";
import { addWords, page, t } from "./words.js";

/** Sentences and styles that the list does without. @param {"card"|"dialogs"|"aid"} name @returns {Promise<void>} */
async function fetchFiles(name) {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL(`../../css/${name}.css`, import.meta.url).href;
  const styled = new Promise((resolve, reject) => {
    style.onload = resolve;
    style.onerror = reject;
  });
  document.head.append(style);
  // Together: a failure that nobody waits for is an error of the page.
  const [words] = await Promise.all([fetch(new URL(`../../words/${name}.${page.locale}.json`, import.meta.url)), styled]);
  if (!words.ok) throw new Error("no words");
  addWords(await words.json());
}

/** @typedef {{ kind: "transfer"|"snooze"|"tags"|"spam"|"ticket", id: string } | { kind: "help"|"palette"|"articles" }} Question */
/** Which dialog is open. */
const asked = signal(/** @type {Question | null} */ (null));

/** Opens a dialog. @param {Question} question */
export function ask(question) {
  asked.value = question;
}

/** Whether a dialog is open, or on its way: what is typed meanwhile is meant for it. */
export const asking = () => asked.peek() !== null;

/** Closes it, or only this one: an answer may come when another is open already. @param {Question} [question] */
export function close(question) {
  if (!question || asked.peek() === question) asked.value = null;
}

export function Dialogs() {
  const [loaded, setLoaded] = useState(/** @type {typeof import("./dialogs.js") | null} */ (null));
  const question = asked.value;
  const wanted = Boolean(question && !loaded);
  useEffect(() => {
    if (!wanted) return;
    Promise.all([import("./dialogs.js"), fetchFiles("dialogs")]).then(([module]) => setLoaded(module), () => {
      close();
      toastError("offline");
    });
  }, [wanted]);
  return question && loaded ? html`<${loaded.Question} question=${question} />` : null;
}

/** Whether the panel is shown where it has no column of its own. */
export const sideOpen = signal(false);
/** @type {HTMLElement | null} */
let opener = null;
export function toggleSide() {
  sideOpen.value = !sideOpen.value;
  if (sideOpen.value) {
    opener = /** @type {HTMLElement | null} */ (document.activeElement);
    requestAnimationFrame(() => document.getElementById("side")?.focus());
  } else if (opener?.isConnected) opener.focus();
}

export function Side() {
  const [loaded, setLoaded] = useState(/** @type {typeof import("./customer.js") | null} */ (null));
  const [tries, setTries] = useState(0);
  const wanted = Boolean(currentId.value && !loaded);
  useEffect(() => {
    if (wanted) Promise.all([import("./customer.js"), import("./aid.js"), fetchFiles("card"), fetchFiles("aid")]).then(([module, help]) => { aid.value = help; setLoaded(module); }, () => setTimeout(() => setTries(tries + 1), Math.min(60_000, 1000 * 2 ** tries)));
  }, [wanted, tries]);
  return loaded ? html`<${loaded.Customer} />` : html`<aside class="side blank" aria-label=${t("customer")}></aside>`;
}
