/** Says when the console is not in step with the server, and what becomes of what is written meanwhile. */
import { html, useEffect, useState } from "./vendor.js";
import { link, outbox } from "./store.js";
import { t, tn } from "./words.js";
import { Icon } from "./ui.js";

/** A short blink of the line is not worth a word. */
const PATIENCE_MS = 1200;

export function Banner() {
  const state = link.value;
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (state === "online" || state === "signed_out") return;
    const timer = setTimeout(() => setLate(true), state === "restarting" ? 0 : PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const waiting = outbox.value.filter((entry) => entry.state === "waiting" || entry.state === "sending").length;
  const shown = state === "signed_out" || (late && state !== "online");
  const offline = state === "offline" && !navigator.onLine;
  return html`<div class="banner" role="status">${shown ? html`<div class=${state === "signed_out" ? "bad" : ""}>
    <${Icon} name=${state === "signed_out" ? "log-out" : offline ? "wifi-off" : "refresh-cw"} />
    <span>${t(offline ? "link.no_network" : `link.${state}`)}${waiting ? ` ${tn("link.kept", waiting)}` : ""}</span>
    ${state === "signed_out" ? html`<a class="btn" href=${`/sign-in?next=${encodeURIComponent(location.pathname + location.hash)}`}>${t("sign_in")}</a>` : null}</div>` : null}</div>`;
}
