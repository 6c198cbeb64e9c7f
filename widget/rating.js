import { action, drawing, element } from "./element.js";

const SCORES = [1, 2, 3, 4, 5];
const STAR = "m12 3 2.8 5.7 6.2.9-4.5 4.4 1.1 6.2-5.6-3-5.6 3 1.1-6.2L3 9.6l6.2-.9z";

/**
 * The question how the chat was, and afterwards the answer that was given.
 * @param {{
 *   conversation: Conversation,
 *   say: Say,
 *   rate: (score: number, comment: string) => Promise<Answer>,
 * }} parts
 */
export function ratingCard({ conversation, say, rate }) {
  const box = element("div", { class: "rating" });

  const showForm = () => {
    const word = element("p", { class: "scale", "aria-live": "polite" });
    const comment = element("textarea", { rows: 2, maxlength: 2000, "aria-label": say("rateComment"), placeholder: say("rateComment") });
    const send = element("button", { type: "submit", class: "primary" }, say("rateSend"));
    const trouble = element("p", { class: "error", role: "alert", hidden: true }, say("endFailed"));
    const details = element("div", { hidden: true }, comment, send, trouble);
    let score = 0;
    const choice = (/** @type {number} */ n) =>
      element(
        "label",
        { class: "star" },
        element("input", {
          type: "radio", name: "score", value: n, "aria-label": `${say("rate", { n })}: ${say("rate" + n)}`,
          on: {
            change: () => {
              score = n;
              word.textContent = `${say("rate", { n })} · ${say("rate" + n)}`;
              details.hidden = false;
              stars.forEach((star, at) => star.classList.toggle("on", at < n));
              box.scrollIntoView({ block: "end" });
            },
          },
        }),
        drawing(STAR, "star"),
      );
    const stars = SCORES.map(choice);
    const form = element(
      "form",
      {
        on: {
          submit: async (/** @type {Event} */ event) => {
            event.preventDefault();
            send.disabled = true;
            const answer = await rate(score, comment.value.trim());
            send.disabled = false;
            trouble.hidden = answer.ok;
            if (!answer.ok) return;
            conversation.score = score;
            showScore();
          },
        },
      },
      element("fieldset", {}, element("legend", {}, say("rateAsk")), element("div", { class: "stars" }, ...stars)),
      word,
      details,
    );
    box.replaceChildren(form);
  };

  const showScore = () => {
    const n = conversation.score || 0;
    const stars = SCORES.map((at) => element("span", { class: at <= n ? "star on" : "star" }, drawing(STAR, "star")));
    box.replaceChildren(
      element("div", { class: "stars given", "aria-hidden": "true" }, ...stars),
      element("p", {}, say("rated", { n }), " ", action(say("rateChange"), showForm, { class: "quiet" })),
    );
  };

  if (conversation.score) showScore();
  else showForm();
  return box;
}
