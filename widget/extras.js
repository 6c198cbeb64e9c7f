import { createAnswers } from "./answers.js";
import { createAsks } from "./asks.js";
import { createAttach } from "./attach.js";
import { productBlock } from "./blocks.js";
import { action } from "./element.js";
import { consentLine } from "./consent.js";
import { endBox } from "./ending.js";
import { createGuide } from "./guide.js";
import { phrases } from "./i18n.js";
import { enWords } from "./locales/en.extras.js";
import { zhWords } from "./locales/zh.extras.js";
import { pastCard } from "./past.js";
import { createVisits } from "./visits.js";

/**
 * What a conversation comes to need when the shop answers; the first message goes out without.
 * @param {{
 *   locale: Locale,
 *   chat: ReturnType<typeof import("./chat.js").createChat>,
 *   shell: Shell,
 *   vault: Vault,
 *   ui: Ui,
 * }} parts
 */
export function createExtras({ locale, chat, shell, vault, ui }) {
  const say = phrases(locale === "zh" ? zhWords : enWords);
  const visits = (shell.visits ||= createVisits({ shell, vault, chat }));
  const line = consentLine({ say, chat, visits });
  const guide = createGuide({ say, locale, chat, shell, ui });
  const attach = createAttach({ say, chat, shell, vault, ui });
  const asks = createAsks({ say, locale, chat, shell, vault, ui, attach });
  let offered = "";
  let stood = "";
  return {
    say,
    /** Sends a product's card. @param {unknown} card */
    send(card) {
      const block = productBlock(card);
      if (block) chat.post(block.title || "", [block]);
    },
    /** The offer to send the product of the page. @param {HTMLElement} box @param {boolean} over */
    offer(box, over) {
      const { product } = shell.options.page || {};
      const offer = JSON.stringify(product);
      const block = product && offer !== offered && !over ? productBlock(product) : null;
      const mark = block ? offer : "";
      if (mark === box.dataset.mark) return;
      box.dataset.mark = mark;
      const send = () => {
        offered = offer;
        this.send(product);
      };
      box.replaceChildren(block ? action(say("sendProduct", { title: block.title || "" }), send, { class: "chip" }) : "");
    },
    /** Tells what is due, draws the line about consent and the answers that shoppers find themselves. */
    visit() {
      if (stood !== chat.state.name && chat.state.name === "online") attach.again();
      stood = chat.state.name;
      asks.draw();
      if (chat.welcome?.shop.articles) guide.draw();
      if (!chat.welcome?.shop.page_events) return;
      visits.tell();
      if (!line.node.isConnected) ui.home.cards.append(line.node);
      line.draw();
    },
    consent: visits.consent,
    record: visits.record,
    answers: createAnswers({ say, locale, chat, file: attach.card }),
    /** @param {() => void} onDone */
    endBox: (onDone) => endBox({ say, end: () => chat.end(chat.shownId || ""), onDone }),
    /** @param {Conversation[]} conversations @param {(id: string) => void} onChat @param {HTMLElement | void} box made before */
    pastCard: (conversations, onChat, box) => pastCard({ conversations, say, locale, onChat, box }),
  };
}
