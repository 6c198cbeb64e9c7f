/** Icons of what comes later: some are in a sprite of their own, which the list does without. */
import { html } from "./vendor.js";
import { Icon as First } from "./ui.js";

const MORE = new Set(["info", "copy", "circle-help", "circle-dot", "truck", "shopping-cart", "sparkles", "chevron-down", "layers", "paperclip", "download", "ticket"]);

/** @param {{ name: string }} props */
export const Icon = ({ name }) => html`<${First} name=${name} late=${MORE.has(name)} />`;
