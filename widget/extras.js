import { createAnswers } from "./answers.js";
import { productBlock } from "./blocks.js";
import { action } from "./element.js";
import { endBox } from "./ending.js";
import { phrases } from "./i18n.js";
import { enWords } from "./locales/en.extras.js";
import { zhWords } from "./locales/zh.extras.js";
import { pastCard } from "./past.js";

/**
 * What a conversation comes to need when the shop answers; the first message goes out without.
 * @param {{locale: Locale, chat: ReturnType<typeof import("./chat.js").createChat>}} parts
 */
export function createExtras({ locale, chat }) {
  const say = phrases(locale === "zh" ? zhWords : enWords);
  return {
    say,
    productBlock,
    /** The offer to send the product of the page. @param {Block} block @param {() => void} onSent */
    offer(block, onSent) {
      const send = () => {
        chat.post(block.title || "", [block]);
        onSent();
      };
      return action(say("sendProduct", { title: block.title || "" }), send, { class: "chip" });
    },
    answers: createAnswers({ say, locale, chat }),
    /** @param {() => void} onDone */
    endBox: (onDone) => endBox({ say, end: () => chat.end(chat.shownId || ""), onDone }),
    /** @param {Conversation[]} conversations @param {(id: string) => void} onChat */
    pastCard: (conversations, onChat) => pastCard({ conversations, say, locale, onChat }),
  };
}
