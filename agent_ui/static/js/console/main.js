/** Starts the console. */
import { effect, html, render, untracked, useEffect, useState } from "./vendor.js";
import { currentId, link } from "./store.js";
import { start } from "./sync.js";
import { follow } from "./route.js";
import { listen } from "./keys.js";
import { spoken } from "./alerts.js";
import { showTheme } from "./preferences.js";
import { watchAttention } from "./attention.js";
import { saveDrafts } from "./composer.js";
import { List } from "./list.js";
import { Thread } from "./thread.js";
import { Dialogs, Side, sideOpen, toggleSide } from "./later.js";
import { PhoneBar, Rail } from "./rail.js";
import { Banner } from "./notice.js";
import { Toasts } from "./toasts.js";
import { t } from "./words.js";

/** Goes to the talk without a change of address, which says what is open. @param {Event} e */
function skip(e) {
  e.preventDefault();
  document.getElementById(currentId.value ? "log" : "list")?.focus();
}

function App() {
  const [, redraw] = useState(0);
  useEffect(() => {
    const phone = matchMedia("(max-width: 760px)"); // rows have another height there
    const change = () => redraw((n) => n + 1);
    phone.addEventListener("change", change);
    return () => phone.removeEventListener("change", change);
  }, []);
  return html`<div class=${`app ${currentId.value ? "v-chat" : "v-list"}`}>
      <a class="skip" href=${currentId.value ? "#log" : "#list"} onClick=${skip}>${t("skip")}</a>
      <${Rail} />
      <main class="main"><h1 class="sr">${t("inbox")}</h1><${Banner} /><${List} /><${Thread} /></main>
      <${Side} />
      ${sideOpen.value ? html`<div class="scrim" onClick=${toggleSide}></div>` : null}
      <${PhoneBar} />
    </div>
    <div class="sr" aria-live="polite" id="spoken">${spoken.value}</div>
    <${Toasts} /><${Dialogs} />`;
}

showTheme();
const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  render(html`<${App} />`, root);
}
follow();
listen();
watchAttention();
start();
effect(() => {
  if (link.value === "online") untracked(() => saveDrafts(["unsaved"])); // what is written is no reason to save it once more
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) saveDrafts(["changed"]);
});
