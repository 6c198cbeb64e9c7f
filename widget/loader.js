/*
 * Shopbell launcher: the one script that a shop embeds.
 *
 *   <script src="https://desk.example/widget/loader.js" data-site="SITE_KEY" async></script>
 *
 * data-locale zh|en   data-theme auto|light|dark   data-color #rrggbb   data-label "Ask us"
 * data-side right|left   data-offset 24   data-z-index 2147483000   data-hide-launcher
 *
 * Calls made before the script has arrived are kept when the page has either stub:
 *   window.Shopbell = window.Shopbell || [];   Shopbell.push(["open"]);
 *   window.Shopbell = window.Shopbell || function () { (Shopbell.q = Shopbell.q || []).push(arguments); };
 *
 * Afterwards Shopbell is a function whose commands are methods too, and push still works:
 *   Shopbell("open")  ==  Shopbell.open()  ==  Shopbell.push(["open"])
 *
 * open() close() toggle()      the panel            show() hide()     the launcher button
 * identify(token) logout()     signed identity      setLocale("zh") setTheme("dark")
 * page({product, cart, order}) kept, and sent with the shopper's next message; by itself only once they agreed
 * consent({analytics, profiling, marketing_email, marketing_sms}) what your own consent tool was told
 * record("search", {term}) record("checkout")
 * sendProduct(card)            opens the chat and sends {title, sku?, price?, price_minor?, currency?, url?, image_url?}
 * prefill(text)                text for the input when it is still empty
 * on(name, fn)                 ready|open|close|message|unread|csat|consent; returns a function that ends it
 */
(() => {
  "use strict";
  const current = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  const script = current?.dataset.site
    ? current
    : /** @type {HTMLScriptElement | null} */ (document.querySelector('script[data-site][src*="/loader.js"]'));
  const early = window.Shopbell;
  if (!script || early?.version) return;

  const version = "__VERSION__";
  const data = script.dataset;
  const prefix = `shopbell.${data.site}.`;
  const base = new URL(version + "/", script.src);
  const words = {
    en: ["Customer chat", "Open chat", "Close chat", "unread", "The chat did not load. Try again."],
    zh: ["在线客服", "打开聊天", "关闭聊天", "条未读", "聊天加载失败，请重试。"],
  };
  const options = { site: data.site, prefix, locale: data.locale, theme: data.theme, color: "", page: {}, unread: 0, expanded: false };
  /** @type {any} */
  let panel;
  /** @type {Promise<any> | undefined} */
  let loading;
  let attempt = 0;
  let failed = false;
  /** @type {[string, unknown[]][]} */
  let kept = [];
  /** @type {Record<string, Set<Function>>} */
  const listeners = {};

  /** @type {Record<string, string>} */
  let stored = {};
  try {
    stored = localStorage;
  } catch {
    // storage is forbidden on this page: nobody was remembered
  }
  const storedKeys = () => Object.keys(stored).filter((key) => key.startsWith(prefix));

  // launcher.css holds the same rules, for browsers without constructable stylesheets.
  const css = `
:host{all:initial!important;display:contents!important}
.frame{--accent:#0b6b5d;--on-accent:#fff;position:fixed;z-index:var(--layer);right:var(--side);bottom:var(--side);font:600 15px/20px Inter,system-ui,sans-serif}
.frame[data-side=left]{right:auto;left:var(--side)}
.frame[data-theme=dark]{--accent:#4cc9b0;--on-accent:#05211b}
.launch{display:flex;align-items:center;gap:9px;height:58px;padding:0 16px;border:1px solid #0000;border-radius:29px;background:var(--accent);color:var(--on-accent);box-shadow:0 4px 14px #10241c40;font:inherit;cursor:pointer}
.launch svg{width:24px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.frame [hidden]{display:none}
`;

  /** @param {string} tag @param {string} [name] */
  const make = (tag, name = "") => Object.assign(document.createElement(tag), { className: name });
  const host = make("shopbell-chat");
  const root = host.attachShadow({ mode: "open" });
  const frame = make("section", "frame");
  const button = /** @type {HTMLButtonElement} */ (make("button", "launch"));
  const caption = make("span");
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  button.hidden = "hideLauncher" in data;
  frame.dataset.side = data.side;
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.append(path);
  button.append(svg, caption);

  /** Applies a style sheet; without constructable ones, the file that holds the same rules.
   * @param {string} text @param {string} file */
  const style = (text, file) => {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
      return sheet;
    } catch {
      root.append(Object.assign(make("link"), { rel: "stylesheet", href: base + file }));
    }
  };
  style(css, "launcher.css");
  const lookSheet = style("", "launcher.css");
  root.append(frame);
  frame.append(button);

  /** Sets custom properties of the frame, without a style attribute where the browser can.
   * @param {string} name @param {string} value */
  const look = (name, value) => {
    if (lookSheet) lookSheet.insertRule(`.frame.frame.frame{${name}:${value}}`, lookSheet.cssRules.length);
    else frame.style.setProperty(name, value);
  };

  /** Relative luminance of #rrggbb, with the usual 2.2 for the curve of sRGB (off by less than 0.004).
   * @param {string} hex */
  const luminance = (hex) =>
    [0.2126, 0.7152, 0.0722].reduce(
      (sum, weight, at) => sum + weight * (parseInt(hex.substr(1 + at * 2, 2), 16) / 255) ** 2.2, 0);

  /** @param {string | null} [hex] */
  const paint = (hex = "") => {
    if (!hex || !/^#[\da-f]{6}$/i.test(hex)) return;
    options.color = hex;
    look("--accent", hex);
    // White is readable (4.5:1) up to a luminance of 0.183; the rest is for the approximation.
    look("--on-accent", luminance(hex) < 0.178 ? "#fff" : "#05211b");
  };

  /** The language in use: the first of the shop's wish, the page and the browser that we speak. */
  const language = () =>
    [options.locale, document.documentElement.lang, ...navigator.languages, "en"]
      .map((tag) => (/** @type {"zh" | "en"} */ (tag?.slice(0, 2).toLowerCase())))
      .find((tag) => words[tag]) || "en";

  const system = matchMedia("(prefers-color-scheme: dark)");
  const refresh = () => {
    const { unread, expanded } = options;
    const said = words[language()];
    const name = failed ? said[4] : expanded ? said[2] : data.label || said[1];
    frame.lang = language() === "zh" ? "zh-CN" : "en";
    const dark = options.theme === "dark" || (options.theme !== "light" && system.matches);
    frame.dataset.theme = dark ? "dark" : "light";
    frame.ariaLabel = said[0];
    button.ariaLabel = unread ? `${name} (${unread} ${said[3]})` : name;
    button.ariaExpanded = String(expanded);
    path.setAttribute("d", expanded ? "m6 9 6 6 6-6" : "M3 16.3 2 22l5.7-1A10 10 0 1 0 3 16.3");
    caption.textContent = expanded ? "" : failed ? name : data.label || "";
    caption.hidden = !caption.textContent;
  };

  /** @param {string} name @param {unknown} [detail] */
  const emit = (name, detail) => {
    // Each on its own: a listener of the shop that throws must not stop the chat.
    for (const fn of listeners[name] || []) setTimeout(fn, 0, detail);
  };

  const shell = { options, base, root, frame, button, language, style, look, luminance, paint, refresh, emit };

  /** Commands that wait until the shopper opens the chat. @param {string} name */
  const waits = (name) => /^[ilpr]/.test(name);

  const load = () =>
    (loading ||= import(`${base}panel.js${attempt ? "?" + attempt : ""}`)
      .then((module) => module.start(shell))
      .then((started) => {
        panel = started;
        failed = false;
        refresh();
        for (const [name, args] of kept.splice(0)) panel[name](...args);
      })
      .catch(() => {
        loading = undefined;
        attempt += 1; // another address, since some browsers remember a module that failed
        failed = kept.length > 0;
        kept = kept.filter(([name]) => waits(name));
        refresh();
      }));

  /** @type {Record<string, Function>} */
  const commands = {
    show() {
      button.hidden = false;
    },
    hide() {
      button.hidden = true;
      commands.close();
    },
    /** @param {string} name @param {Function} fn */
    on(name, fn) {
      (listeners[name] ||= new Set()).add(fn);
      if (name === "ready") setTimeout(fn, 0);
      return () => listeners[name].delete(fn);
    },
    logout() {
      if (panel) return panel.logout();
      storedKeys().forEach((key) => delete stored[key]);
      kept.push(["logout", []]);
    },
  };
  for (const [command, name] of /** @type {const} */ ([["setLocale", "locale"], ["setTheme", "theme"], ["page", "page"]])) {
    commands[command] = (/** @type {any} */ value) => {
      options[name] = value;
      refresh();
      panel?.refresh();
    };
  }
  for (const name of ["open", "close", "toggle", "sendProduct", "identify", "prefill", "record", "consent"]) {
    commands[name] = (/** @type {any[]} */ ...args) => {
      if (panel) return panel[name](...args);
      kept.push([name, args]);
      // A no is told when the shopper comes to the chat: until then there is nobody to tell.
      if (!waits(name) && (name < "d" ? args[0]?.analytics : 1)) load();
    };
  }

  const Shopbell = (/** @type {any} */ name, /** @type {unknown[]} */ ...args) => commands[name]?.(...args);
  Object.assign(Shopbell, commands, { version });
  Shopbell.push = (/** @type {any[]} */ ...calls) => calls.forEach(([name, ...args]) => Shopbell(name, ...args));
  window.Shopbell = Shopbell;

  look("--layer", `${Number(data.zIndex ?? 2147483000)}`);
  look("--side", `${Number(data.offset ?? 24)}px`);
  paint(data.color || stored[prefix + "accent"]);
  refresh();
  system.onchange = () => commands.setTheme(options.theme);
  for (const hint of ["pointerenter", "focus"]) button.addEventListener(hint, load, { once: true });
  // Until the panel is there it may open by itself, as it was on the page before: who asks for it then must not close it.
  button.onclick = () => commands[panel ? "toggle" : "open"]();

  const place = () => {
    document.body.append(host);
    for (const call of early?.q || early || []) Shopbell.push(call);
    // Only who has talked to the shop before, or has a message still to send, is connected unasked.
    if (storedKeys().some((key) => /\.(token|out\.[^.]+)$/.test(key))) setTimeout(load, 300);
  };
  if (document.body) place();
  else addEventListener("DOMContentLoaded", place);
})();
