/** Searching articles by words: from anywhere, with or without a conversation. */
import { html, useEffect, useRef, useState } from "./vendor.js";
import { CommandError, command } from "./connection.js";
import { current } from "./store.js";
import { isOpen } from "./waits.js";
import { plain } from "./plain.js";
import { useArticle } from "./suggest.js";
import { errorText, toast } from "./toasts.js";
import { Dialog } from "./ui.js";
import { Icon } from "./late_icon.js";
import { page, t, textLanguage, tn } from "./words.js";

const ASK_AFTER_MS = 180;
const MOST = 8;
/** Who looks for something may be shown what is only likely. */
const LEAST = 0.05;

/** @typedef {import("./suggest.js").Item} Item */

/** @param {{ close: () => void }} props */
export function Library({ close }) {
  const [query, setQuery] = useState("");
  const [items, setItems] = useState(/** @type {Item[] | null} */ (null));
  const [error, setError] = useState("");
  const [at, setAt] = useState(0);
  const latest = useRef(0);
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const text = query.trim();
  useEffect(() => {
    latest.current += 1;
    const mine = latest.current;
    if (!text) {
      setItems(null);
      return undefined;
    }
    const timer = setTimeout(async () => {
      try {
        const found = await command("article.search", { text, locale: page.locale, limit: MOST });
        if (mine !== latest.current) return;
        setItems(found.items.filter((/** @type {Item} */ item) => item.p >= LEAST));
        setError("");
      } catch (failure) {
        if (!(failure instanceof CommandError)) throw failure;
        if (mine === latest.current) setError(errorText(failure.code));
      }
    }, ASK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const s = current.value;
  const into = s && isOpen(s) ? s.id : null;
  const here = items?.[Math.min(at, items.length - 1)];
  const insert = (/** @type {Item} */ item) => {
    if (!into) return;
    close();
    setTimeout(() => useArticle(into, item)); // after the dialog has given the focus back
  };
  const copy = async (/** @type {Item} */ item) => {
    await navigator.clipboard.writeText(plain(item.body));
    toast(t("find.copied"));
  };
  const keys = (/** @type {KeyboardEvent} */ e) => {
    if (e.isComposing || !items?.length) return;
    if (e.key === "ArrowDown") setAt((at + 1) % items.length);
    else if (e.key === "ArrowUp") setAt((at + items.length - 1) % items.length);
    else if (e.key === "Enter" && here && into) insert(here);
    else return;
    e.preventDefault();
  };
  useEffect(() => list.current?.children[at]?.scrollIntoView({ block: "nearest" }), [at]);
  return html`<${Dialog} title=${t("find")} cls="palette find" bare onClose=${close}>
    <div class="pbox"><${Icon} name="search" /><input autofocus type="text" role="combobox" aria-expanded=${Boolean(items?.length)} aria-controls="find-list" aria-activedescendant=${here ? `f-${here.article_id}` : undefined} aria-autocomplete="list" autocomplete="off" maxlength="200"
      aria-label=${t("find")} placeholder=${t("find.hint")} value=${query} onInput=${(/** @type {any} an input's event */ e) => { setQuery(e.target.value); setAt(0); }} onKeyDown=${keys} /><kbd aria-hidden="true">Esc</kbd></div>
    <div class="sr" role="status">${error || (items ? tn("find.found", items.length) : "")}</div>
    <div class="fpanes">
      ${items?.length ? html`<div class="menu still" role="listbox" id="find-list" aria-label=${t("find.results")} ref=${list}>
        ${items.map((item, i) => html`<div key=${item.article_id} class="option" id=${`f-${item.article_id}`} role="option" aria-selected=${item === here} onClick=${() => setAt(i)}>
          <span class="nm" lang=${textLanguage(item.title)}>${item.title}</span><span class="more">${item.kind === "reply" ? t("find.reply") : item.category ?? ""}</span></div>`)}</div>`
      : html`<p class="none">${error || t(items ? "find.nothing" : "find.start")}</p>`}
      ${here ? html`<article class="fread" aria-label=${here.title} tabindex="0"><h3 lang=${textLanguage(here.title)}>${here.title}</h3><p lang=${textLanguage(here.body)}>${plain(here.body)}</p></article>` : null}
    </div>
    ${here ? html`<div class="act end">
      <a class="btn" href=${`/knowledge/${here.article_id}`} target="_blank" rel="noopener"><${Icon} name="arrow-right" />${t("find.open")}</a>
      <button type="button" class="btn" onClick=${() => copy(here)}><${Icon} name="copy" />${t("find.copy")}</button>
      ${into ? html`<button type="button" class="btn primary" onClick=${() => insert(here)}><${Icon} name="corner-down-left" />${t("find.insert")}</button>` : null}</div>` : null}<//>`;
}
