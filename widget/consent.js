import { action, element } from "./element.js";

/**
 * The small line on the first page that asks, and later says how it stands: giving and taking back are one tap each.
 * @param {{
 *   say: Say,
 *   chat: ReturnType<typeof import("./chat.js").createChat>,
 *   visits: ReturnType<typeof import("./visits.js").createVisits>,
 * }} parts
 */
export function consentLine({ say, chat, visits }) {
  const node = element("div", { class: "consent" });
  let drawn = "";

  /** @param {boolean} given */
  const set = (given) => {
    visits.consent({ analytics: given }, { source: "widget" });
    draw();
    /** @type {HTMLElement | null} */ (node.querySelector("button"))?.focus();
  };

  function draw() {
    const agreed = visits.agreed();
    const state = visits.signalled() ? "signal" : agreed === undefined ? "ask" : agreed ? "on" : "off";
    node.hidden = !chat.welcome;
    if (state === drawn) return;
    drawn = state;
    /** @param {string} key @param {boolean} given */
    const button = (key, given) => action(say(key), () => set(given), { class: "quiet" });
    if (state === "signal") node.replaceChildren(element("p", {}, say("consentSignal")));
    else if (state === "ask") {
      const row = element("div", { class: "row" }, button("consentYes", true), button("consentNo", false));
      node.replaceChildren(element("p", {}, say("consentAsk")), row);
    } else if (state === "on") node.replaceChildren(element("p", {}, say("consentOn")), button("consentStop", false));
    else node.replaceChildren(element("p", {}, say("consentOff")), button("consentAllow", true));
  }

  return { node, draw };
}
