import { action, element } from "./element.js";

/**
 * The question whether the chat shall end.
 * @param {{say: Say, end: () => Promise<Answer>, onDone: () => void}} parts onDone: answered, either way
 */
export function endBox({ say, end, onDone }) {
  const words = element("p", {}, say("endAsk"));
  const yes = action(say("endYes"), async () => {
    const answer = await end();
    if (answer.ok) onDone();
    else words.textContent = say("endFailed");
  }, { class: "danger" });
  const no = action(say("endNo"), onDone, { class: "secondary" });
  return element("div", { class: "ask", role: "alertdialog", "aria-label": say("endYes") }, words, element("div", { class: "row" }, yes, no));
}
