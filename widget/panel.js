import { createChat } from "./chat.js";
import { palette } from "./color.js";
import { createComposer } from "./composer.js";
import { action, avatar, element, icon } from "./element.js";
import { createHome } from "./home.js";
import { speaker } from "./i18n.js";
import { safeUrl } from "./links.js";
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
  let view = "home";
  /** @type {Element | null} */
  let opener = null;
  /** @type {string | null} */
  let identity = null;
  let saidTypingAt = 0;
  /** @type {ReturnType<typeof build>} */
  let ui;

  const chat = createChat({
    shell,
    vault,
    onChange: () => render(),
    onIncoming(message, conversation) {
      announce(`${message.author.name || ui.say("someone")}: ${message.body}`);
      shell.emit("message", { conversation_id: conversation.id, id: message.id, body: message.body, author: message.author, at_ms: message.at_ms });
    },
  });

  /** @type {Extras | null} */
  let loadedExtras = null;
  /** @type {Promise<Extras | null> | undefined} */
  let loadingExtras;

  /** What most conversations begin without; null when it cannot be had now. */
  function loadExtras() {
    return (loadingExtras ||= Promise.all([import("./extras.js"), dressIn("extras.css")]).then(
      ([module]) => {
        loadedExtras = module.extras;
        render();
        return loadedExtras;
      },
      () => {
        loadingExtras = undefined;
        return null;
      },
    ));
  }

  const extras = () => {
    if (!loadedExtras) loadExtras();
    return loadedExtras;
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
    const goHome = () => show("home", true);
    const home = createHome({
      chat, say, locale,
      onChat: (id) => {
        chat.show(id);
        show("chat", true);
      },
      onClose: () => close(),
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
      action(say("back"), goHome, { icon: "back", class: "tool" }),
      face,
      element("div", { class: "who" }, title, presence),
      end,
      action(say("close"), () => close(), { icon: "close", class: "tool" }),
    );
    const askText = element("p", {}, say("endAsk"));
    const askBox = element(
      "div", { class: "ask", role: "alertdialog", "aria-label": say("end"), hidden: true },
      askText,
      element(
        "div", { class: "row" },
        action(say("endYes"), async () => {
          const answer = chat.shownId ? await chat.end(chat.shownId) : null;
          if (answer?.ok) ask(false);
          else askText.textContent = say("endFailed");
        }, { class: "danger" }),
        action(say("endNo"), () => ask(false), { class: "secondary" }),
      ),
    );
    const product = () => (shell.options.page?.product && extras()?.productBlock(shell.options.page.product)) || null;
    const offer = action("", () => {
      const block = product();
      if (block) chat.post(block.title || "", [block]);
      offered = JSON.stringify(block);
      render();
    }, { class: "chip" });
    const again = action(say("newChat"), () => {
      chat.show(null);
      composer.input.focus();
    }, { class: "secondary again" });
    const status = element("p", { class: "banner", role: "status" });
    const footer = element("footer");
    const chatView = element("div", { class: "chat" }, header, askBox, thread.log, thread.below, again, element("div", { class: "offers" }, offer), ...composer.nodes);
    panel.replaceChildren(home.node, chatView, footer);
    let offered = "";

    /** @param {boolean} shown */
    function ask(shown) {
      askText.textContent = say("endAsk");
      askBox.hidden = !shown;
      if (shown) /** @type {HTMLElement} */ (askBox.querySelector("button")).focus();
      else composer.input.focus();
    }

    const words = () => {
      const { name, error } = chat.state;
      if (name === "online" || name === "idle") return "";
      if (name === "refused") return say(error?.code === "not_found" ? "refusedSite" : "refused");
      return say(name);
    };

    let shownFooter = "";
    const drawFooter = () => {
      const { retention_months: months = null, privacy_url: link = null } = chat.welcome?.shop || {};
      const mark = `${months}/${link}`;
      if (mark === shownFooter) return;
      shownFooter = mark;
      const href = link ? safeUrl(link) : undefined;
      footer.replaceChildren(
        months ? say("kept", { n: months }) + " " : "",
        href ? element("a", { href, target: "_blank", rel: "noopener noreferrer" }, say("privacy"), element("span", { class: "unseen" }, ` (${say("opensTab")})`)) : "",
      );
    };

    let shownFace = "";
    const drawHeader = () => {
      const shop = chat.welcome?.shop;
      const who = chat.shown?.agent?.name || shop?.name || say("ourShop");
      const there = chat.state.name === "online" && Boolean(shop?.agents_online);
      title.textContent = who;
      presence.replaceChildren(element("i", { class: there ? "dot on" : "dot" }), shop ? say(there ? "shopOnline" : "shopAway", { shop: shop.name }) : "");
      presence.hidden = !shop;
      if (shownFace !== who) face.replaceChildren(avatar((shownFace = who)));
      panel.setAttribute("aria-label", say("dialog", { shop: shop?.name || say("ourShop") }));
    };

    return {
      say, locale, thread, composer, home, status, chatView,
      /** True when something smaller than the panel was open and is closed now. */
      closeInner() {
        if (askBox.hidden) return false;
        ask(false);
        return true;
      },
      draw() {
        drawHeader();
        drawFooter();
        const text = words();
        if (status.textContent !== text) status.replaceChildren(...(text ? [icon(chat.state.name === "refused" ? "alert" : "clock"), text] : []));
        const holder = view === "home" ? home.node : chatView;
        const place = view === "home" ? home.node.lastElementChild : askBox;
        if (status.parentElement !== holder) holder.insertBefore(status, place);
        const it = chat.shown;
        const block = product();
        offer.hidden = !block || JSON.stringify(block) === offered || Boolean(it && isOver(it));
        if (block && !offer.hidden) offer.replaceChildren(say("sendProduct", { title: block.title || "" }));
        end.hidden = !it || isOver(it);
        again.hidden = !it || !isOver(it);
        for (const node of composer.nodes) node.classList.toggle("gone", it?.status === "closed" || chat.state.name === "refused");
        composer.setOver(Boolean(it && isOver(it)));
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
      const count = chat.store.unread();
      badge.textContent = count > 99 ? "99+" : String(count);
      badge.hidden = !count || open;
      if (count !== shell.options.unread) {
        shell.options.unread = count;
        shell.emit("unread", count);
        shell.refresh();
      }
      if (!open) return;
      ui.draw();
      const typing = chat.shown?.typing;
      if (view === "chat" && typing && Date.now() - saidTypingAt > 5000) {
        saidTypingAt = Date.now();
        announce(ui.say("typing", { name: typing.name || ui.say("someone") }));
      }
    });
  }

  /** @param {string} next @param {boolean} [focus] */
  function show(next, focus = false) {
    view = next;
    render();
    if (!focus) return;
    queueMicrotask(() => {
      if (view === "home") ui.home.heading.focus();
      else if (narrow.matches) panel.focus(); // no keyboard over half of the screen before it is asked for
      else ui.composer.input.focus();
      ui.composer.measure();
    });
  }

  const connect = () => {
    if (started) return;
    started = true;
    chat.start(identity);
  };

  const dress = () => {
    const dark = shell.frame.dataset.theme === "dark";
    const colors = shell.options.color ? palette(shell.options.color, dark, shell.luminance) : {};
    for (const [name, value] of Object.entries(colors)) shell.look(name, value);
    panel.setAttribute("aria-modal", String(narrow.matches));
  };

  const rebuild = async () => {
    const locale = shell.language();
    ui = build(locale, await speaker(locale));
    dress();
    render();
  };

  /** @param {boolean} focus */
  const unfold = (focus) => {
    if (open) return;
    const active = document.activeElement;
    opener = active === shell.root.host ? shell.root.activeElement : active;
    open = true;
    vault.set("open", "1");
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

  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing) {
      event.stopPropagation();
      if (!ui.closeInner()) close();
    } else if (event.key === "Tab" && narrow.matches) {
      const all = /** @type {HTMLElement[]} */ ([...panel.querySelectorAll("button, textarea, input, a[href], [tabindex='0']")]);
      const stops = all.filter((node) => node.getClientRects().length && !(/** @type {any} */ (node).disabled));
      const here = shell.root.activeElement;
      const edge = event.shiftKey ? stops[0] : stops.at(-1);
      if (here !== edge && here !== panel) return;
      event.preventDefault();
      (event.shiftKey ? stops.at(-1) : stops[0])?.focus();
    }
  });
  shell.root.addEventListener("keydown", (event) => {
    if (/** @type {KeyboardEvent} */ (event).key === "Escape" && open) close();
  });
  narrow.addEventListener("change", dress);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTimeout(dress));
  window.visualViewport?.addEventListener("resize", fit);
  window.visualViewport?.addEventListener("scroll", fit);
  document.addEventListener("visibilitychange", () => {
    if (open) render();
  });

  await rebuild();
  const remembered = vault.get("token") || vault.names().some((name) => name.startsWith("out."));
  // The page before this one had the chat open. A phone's whole screen is not taken unasked.
  if (vault.get("open") && !narrow.matches) unfold(false);
  else if (remembered) connect();

  return {
    open: () => unfold(true),
    close,
    toggle: () => (open ? close() : unfold(true)),
    /** @param {string} token */
    identify(token) {
      if (typeof token !== "string") return;
      identity = token;
      if (started) chat.identify(token);
    },
    logout: chat.logout,
    /** The language, the theme or the page's context has changed. */
    refresh() {
      if (ui.locale !== shell.language()) rebuild();
      dress();
      render();
    },
    /** @param {unknown} card */
    async sendProduct(card) {
      unfold(true);
      show("chat", true);
      const block = (await loadExtras())?.productBlock(card);
      if (block) chat.post(block.title || "", [block]);
    },
    /** @param {unknown} text */
    prefill(text) {
      ui.composer.prefill(String(text ?? ""));
    },
  };
}
