/**
 * A mail as it was sent, in a frame without scripts, forms and origin; pictures that are elsewhere only when asked for.
 * @typedef {import("./types.js").Block} Block
 */
import { html, useState } from "./vendor.js";
import { Icon } from "./late_icon.js";
import { t, tn } from "./words.js";

/** How high the frame is: its page has no script that could tell. @param {number} lines */
const size = (lines) => (lines < 8 ? "small" : lines < 24 ? "middle" : "large");

/** @param {{ block: Block }} props */
export function MailCard({ block }) {
  const [open, setOpen] = useState(false);
  const [all, setAll] = useState(false);
  const address = `/mails/${block.id}`;
  const frame = open && html`<div class=${`sheet ${size(block.lines ?? 0)}`}><iframe src=${all ? `${address}?pictures=all` : address} title=${t("mail.sheet")}
      sandbox="allow-popups allow-popups-to-escape-sandbox" referrerpolicy="no-referrer"></iframe></div>`;
  return html`<div class="mail-sheet"><button type="button" class="btn quiet" aria-expanded=${open} onClick=${() => setOpen(!open)}><${Icon} name="mail" />${t("mail.sheet")}</button>
    ${open ? html`<p>${block.remote && !all ? html`${tn("mail.remote", block.remote)} <button type="button" class="btn" onClick=${() => setAll(true)}>${t("mail.load")}</button> ` : null}<a href=${address} target="_blank" rel="noopener">${t("mail.alone")}</a></p>` : null}${frame}</div>`;
}
