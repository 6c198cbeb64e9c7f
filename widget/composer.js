import { element, icon } from "./element.js";

const BODY_MAX = 8000;
const COUNT_FROM = 7600;
const HEIGHT_MAX = 132;

/** What can be sent: no control characters, no halves of a character. @param {string} text */
const clean = (text) =>
  text
    .normalize("NFC")
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "")
    .trim();

/**
 * The input. Enter sends unless an input method is composing; Shift+Enter begins a line.
 * @param {{say: Say, vault: Vault, onSend: (text: string) => void, onType: (typing: boolean) => void}} parts
 */
export function createComposer({ say, vault, onSend, onType }) {
  const input = element("textarea", {
    rows: 1,
    "aria-label": say("input"),
    "aria-describedby": "count",
    enterkeyhint: "send",
    autocomplete: "off",
  });
  const send = element("button", { class: "send", "aria-label": say("send") }, icon("up"));
  const count = element("p", { class: "count", id: "count", "aria-live": "polite" });

  const measure = () => {
    const text = clean(input.value);
    const left = BODY_MAX - [...text].length;
    count.textContent = left < 0 ? say("over", { n: -left }) : left <= BODY_MAX - COUNT_FROM ? say("left", { n: left }) : "";
    count.classList.toggle("error", left < 0);
    send.disabled = !text || left < 0;
    input.rows = 1;
    // Without a style attribute: as many lines as the text needs.
    while (input.scrollHeight > input.clientHeight && input.clientHeight < HEIGHT_MAX && input.rows < 6) input.rows += 1;
  };

  const clear = () => {
    input.value = "";
    vault.drop("draft");
    measure();
  };

  const submit = () => {
    measure();
    if (send.disabled) return input.focus();
    const text = clean(input.value);
    clear();
    onSend(text);
    input.focus();
  };

  input.addEventListener("input", () => {
    if (input.value) vault.set("draft", input.value.slice(0, BODY_MAX * 2));
    else vault.drop("draft");
    measure();
    onType(Boolean(input.value.trim()));
  });
  input.addEventListener("keydown", (event) => {
    // 229: in Safari the composition has ended when the Enter that confirmed it arrives.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  });

  const box = element("form", { class: "composer" }, input, send);
  box.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  input.value = vault.get("draft") || "";

  return {
    nodes: [count, box],
    input,
    measure,
    clear,
    /** @param {string} text */
    prefill(text) {
      if (input.value) return;
      input.value = text.slice(0, BODY_MAX);
      vault.set("draft", input.value);
      measure();
    },
    /** @param {boolean} over */
    setOver(over) {
      const words = say(over ? "placeholderEnded" : "placeholder");
      if (input.placeholder !== words) input.placeholder = words;
    },
  };
}
