import { createChat } from "./chat.js";
import { createComposer } from "./composer.js";
import { action, avatar, element, icon } from "./element.js";
import { createHome } from "./home.js";
import { phrases } from "./i18n.js";
import { isOver } from "./store.js";
import { createThread } from "./thread.js";
import { createVault } from "./vault.js";

const NARROW = "(max-width: 480px)";

/**
 * Builds the panel into the launcher's shadow root and gives back what the shop's page may ask of it.
 * @param {Shell} shell
 */
export async function start(shell) {
  /** @param {string} file */
  const dressIn = async (file) => {
    const response = await fetch(new URL(file, import.meta.url));
    if (!response.ok) throw new Error(file);
    shell.style(await response.text(), file);
  };
  await dressIn("panel.css");

  const vault = createVault(shell.options.prefix);
  const narrow = matchMedia(NARROW);
  const announcer = element("div", { class: "unseen", role: "status", "aria-live": "polite" });
  const badge = element("span", { class: "badge", "aria-hidden": "true", hidden: true });
  const panel = element("div", { class: "panel", role: "dialog", tabindex: -1, hidden: true });
  shell.button.append(badge);
  shell.button.setAttribute("aria-haspopup", "dialog");
  shell.frame.append(panel, announcer);

  let open = false;
  let started = false;
  let restored = false;
  let view = "home";
  /** @type {Element | null} */
  let opener = null;
  let saidTypingAt = 0;
  /** @type {ReturnType<typeof build>} */
  let ui;

  const chat = createChat({
    shell,
    vault,
    onChange: render,
    onForget: () => ui.composer.clear(),
    onIncoming(message, conversation) {
      loadExtras(); // now, as the line may be gone when the panel is opened
      announce(`${message.author.name || ui.say("ourShop")}: ${message.body}`);
      shell.emit("message", { conversation_id: conversation.id, id: message.id, body: message.body, author: message.author, at_ms: message.at_ms });
    },
  });

  /** @type {typeof import("./extras.js").createExtras | undefined} */
  let makeExtras;
  /** @type {Extras | null} */
  let madeExtras = null;
  /** @type {Promise<Extras | null> | undefined} */
  let loadingExtras;

  /** What most conversations begin without; null when it cannot be had now. */
  function loadExtras() {
    return (loadingExtras ||= Promise.all([import("./extras.js"), dressIn("extras.css")]).then(
      ([module]) => {
        makeExtras = module.createExtras;
        render();
        return extras();
      },
      () => {
        setTimeout(() => (loadingExtras = undefined), 3000);
        return null;
      },
    ));
  }

  const extras = () => {
    if (!makeExtras) loadExtras();
    else madeExtras ||= makeExtras({ locale: ui.locale, chat, shell, vault, ui });
    return madeExtras;
  };

  /** Says a text once to those who listen to the page. @param {string} text */
  function announce(text) {
    announcer.replaceChildren(element("p", {}, text));
  }

  const seen = () => {
    if (open && view === "chat" && document.visibilityState === "visible") chat.read();
  };

  /** Everything that has words, made anew when the language changes. @param {Locale} locale @param {Say} say */
  function build(locale, say) {
    const home = createHome({
      chat, say, locale, extras,
      onChat: (id) => {
        chat.show(id);
        show("chat", true);
      },
      onClose: close,
    });
    const thread = createThread({ chat, say, locale, onSeen: seen, extras });
    const composer = createComposer({
      say, vault,
      onSend: (text) => {
        chat.post(text);
        thread.toEnd();
      },
      onType: chat.type,
    });

    const face = element("span", { class: "face" });
    const title = element("h2");
    const presence = element("p");
    const end = action(say("end"), () => ask(true), { icon: "leave", class: "tool", title: say("end") });
    const header = element(
      "header", { class: "head" },
      action(say("back"), () => show("home", true), { icon: "back", class: "tool" }),
      face,
      element("div", { class: "who" }, title, presence),
      end,
      action(say("close"), close, { icon: "close", class: "tool" }),
    );
    /** @type {HTMLElement | null} */
    let question = null;
    const offers = element("div", { class: "offers" });
    const status = element("p", { class: "banner", role: "status" });
    const footer = element("footer");
    const chatView = element("div", { class: "chat" }, header, thread.log, thread.below, offers, ...composer.nodes);
    panel.replaceChildren(home.node, chatView, footer);

    /** Asks whether the chat shall end, or takes the question away. @param {boolean} shown */
    async function ask(shown) {
      const more = shown ? await loadExtras() : null;
      question?.remove();
      question = more && more.endBox(() => ask(false));
      if (question) header.after(question);
      /** @type {HTMLElement} */ (question?.querySelector("button") || composer.input).focus();
    }

    const words = () => {
      const { name, error } = chat.state;
      return name === "online" || name === "idle" ? "" : say(name === "refused" && error?.details?.reason !== "origin" ? "refusedSite" : name);
    };

    const drawFooter = () => {
      if (!chat.welcome || footer.firstChild) return;
      const { retention_months: months, privacy_url: link } = chat.welcome.shop;
      const href = /^https?:/.test(link || "") && link;
      footer.append(
        months ? say("kept", { n: months }) + " " : "",
        href ? element("a", { href, target: "_blank", rel: "noopener noreferrer" }, say("privacy")) : "",
      );
    };

    const drawHeader = () => {
      const shop = chat.welcome?.shop;
      const who = chat.shown?.agent?.name || shop?.name || say("ourShop");
      const linked = chat.state.name === "online"; // without a line nobody knows whether the shop is away
      const there = linked && Boolean(shop?.agents_online);
      const said = shop && [who === shop.name ? "" : shop.name, linked ? say(there ? "shopOnline" : "shopAway") : ""].filter(Boolean).join(" · ");
      title.textContent = who;
      presence.replaceChildren(element("i", { class: there ? "dot on" : "dot" }), element("span", {}, said || ""));
      presence.hidden = !said;
      face.replaceChildren(avatar(who));
      panel.setAttribute("aria-label", say("dialog", { shop: shop?.name || say("ourShop") }));
    };

    return {
      say, locale, composer, home,
      /** True when something smaller than the panel was open and is closed now. */
      closeInner() {
        if (!question) return false;
        ask(false);
        return true;
      },
      draw() {
        drawHeader();
        drawFooter();
        const text = words();
        if (status.textContent !== text) status.replaceChildren(...(text ? [icon(chat.state.name === "refused" ? "alert" : "clock"), text] : []));
        const before = view === "home" ? home.cards.firstElementChild : thread.log;
        if (before !== status && before?.previousSibling !== status) before?.before(status);
        const it = chat.shown;
        const over = Boolean(it && isOver(it));
        if (shell.options.page?.product || offers.firstChild) extras()?.offer(offers, over);
        end.hidden = !it || over;
        for (const node of composer.nodes) node.classList.toggle("gone", it?.status === "closed" || chat.state.name === "refused");
        composer.setOver(over);
        home.node.hidden = view !== "home";
        chatView.hidden = view !== "chat";
        if (view === "home") home.render();
        else thread.render();
      },
    };
  }

  let drawing = false;
  /** Draws once for all that happened in this turn. */
  function render() {
    if (drawing) return;
    drawing = true;
    queueMicrotask(() => {
      drawing = false;
      const count = chat.store.unread() + (chat.welcome?.requests?.unread || 0);
      badge.textContent = count > 99 ? "99+" : String(count);
      badge.hidden = !count || open;
      if (count !== shell.options.unread) {
        shell.options.unread = count;
        shell.emit("unread", count);
        shell.refresh();
      }
      const shop = chat.welcome?.shop;
      if (vault.get("asks") || (open ? shop?.page_events || shop?.articles || chat.welcome?.requests : shop?.page_events && vault.get("consent"))) extras()?.visit();
      if (!open) return;
      if (restored && shop) {
        restored = false;
        if (!(shell.root.activeElement || chat.shownId || chat.pending().length || ui.composer.input.value)) view = "home";
      }
      ui.draw();
      const typing = chat.shown?.typing;
      if (view === "chat" && typing && Date.now() - saidTypingAt > 5000) {
        saidTypingAt = Date.now();
        announce(extras()?.say("typing", { name: typing.name || ui.say("ourShop") }) || "");
      }
    });
  }

  /** @param {string} next @param {boolean} [focus] */
  function show(next, focus = false) {
    restored = false;
    view = next;
    if (open) vault.set("open", view);
    render();
    queueMicrotask(() => {
      ui.composer.measure();
      if (!focus) return;
      if (view === "home") ui.home.heading.focus();
      else if (narrow.matches) panel.focus(); // no keyboard over half of the screen before it is asked for
      else ui.composer.input.focus();
    });
  }

  const connect = () => {
    started ||= (chat.start(), true);
  };

  /** What is done once the rest has come. @param {"consent" | "record" | "send"} name */
  const later = (name) => async (/** @type {any[]} */ ...args) => {
    connect();
    // @ts-expect-error the page may give whatever it likes
    (await loadExtras())?.[name](...args);
  };

  const dress = () => {
    if (shell.options.color) shell.frame.dataset.tinted = "";
    panel.setAttribute("aria-modal", String(narrow.matches));
  };

  const rebuild = async () => {
    const locale = shell.language();
    const { words } = await (locale === "zh" ? import("./locales/zh.js") : import("./locales/en.js"));
    // Changed once more meanwhile: the words that come last need not be the ones asked for last.
    if (locale !== shell.language()) return rebuild();
    ui = build(locale, phrases(words));
    madeExtras = null;
    dress();
    render();
  };

  /** @param {boolean} focus */
  const unfold = (focus) => {
    if (open) return;
    const active = document.activeElement;
    opener = active === shell.root.host ? shell.root.activeElement : active;
    open = true;
    connect();
    panel.hidden = false;
    shell.frame.dataset.open = "";
    shell.options.expanded = true;
    shell.refresh();
    shell.emit("open");
    if (chat.ongoing() || chat.pending().length || ui.composer.input.value || chat.store.unread()) view = "chat";
    const unread = chat.store.all().find((it) => it.unread);
    if (unread && chat.shownId !== unread.id) chat.show(unread.id);
    show(view, focus);
    fit();
  };

  function close() {
    if (!open) return;
    open = false;
    vault.drop("open");
    panel.hidden = true;
    delete shell.frame.dataset.open;
    shell.options.expanded = false;
    shell.refresh();
    shell.emit("close");
    render();
    if (!shell.button.hidden) shell.button.focus();
    else if (opener instanceof HTMLElement) opener.focus();
  }

  /** On a phone the panel is as high as what the keyboard leaves free. */
  function fit() {
    const seenPart = window.visualViewport;
    if (!open || !narrow.matches || !seenPart) return;
    shell.look("--seen", `${Math.round(seenPart.height)}px`);
    shell.look("--seen-top", `${Math.round(seenPart.offsetTop)}px`);
  }

  shell.frame.addEventListener("keydown", (event) => {
    if (!open || event.isComposing) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      if (!ui.closeInner()) close();
    } else if (event.key === "Tab" && narrow.matches) {
      const all = /** @type {HTMLElement[]} */ ([...panel.querySelectorAll("button:enabled, textarea, input, a, [tabindex='0']")]);
      const stops = all.filter((node) => node.getClientRects().length);
      const here = shell.root.activeElement;
      const edge = event.shiftKey ? stops[0] : stops.at(-1);
      if (here !== edge && here !== panel) return;
      event.preventDefault();
      (event.shiftKey ? stops.at(-1) : stops[0])?.focus();
    }
  });
  narrow.addEventListener("change", dress);
  window.visualViewport?.addEventListener("resize", fit);
  window.visualViewport?.addEventListener("scroll", fit);
  document.addEventListener("visibilitychange", () => {
    if (open) render();
  });

  await rebuild();
  const remembered = vault.get("token") || vault.names().some((name) => name.startsWith("out."));
  // The page before this one had the chat open. A phone's whole screen is not taken unasked.
  const before = vault.get("open");
  if (before && !narrow.matches) {
    view = before;
    unfold(false);
    restored = true;
  } else if (remembered) connect();

  return {
    open: () => unfold(true),
    close,
    toggle: () => (open ? close() : unfold(true)),
    /** @param {string} token */
    identify(token) {
      if (typeof token === "string") chat.identify(token);
    },
    logout: chat.logout,
    /** The language, the theme or the page's context has changed. */
    refresh() {
      if (ui.locale !== shell.language()) rebuild();
      dress();
      render();
    },
    /** @param {unknown} card */
    sendProduct(card) {
      unfold(true);
      show("chat", true);
      later("send")(card);
    },
    consent: later("consent"),
    record: later("record"),
    /** @param {unknown} text */
    prefill(text) {
      ui.composer.prefill(String(text ?? ""));
    },
  };
}
