/**
 * A new element. Strings become text nodes, null and false are left out; there is no way to pass markup.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [props] `on` holds listeners; true sets an empty attribute
 * @param {...(Node | string | null | false | undefined)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") for (const [event, fn] of Object.entries(value)) made.addEventListener(event, fn);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, String(value));
  }
  made.append(.../** @type {(Node | string)[]} */ (children.filter((child) => child || child === "")));
  return made;
}

/** Paths of Lucide icons (ISC licence), on a 24 x 24 grid. */
const PATHS = {
  close: "M18 6 6 18M6 6l12 12",
  leave: "m16 17 5-5-5-5M21 12H9M9 21H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h4",
  back: "m15 18-6-6 6-6",
  up: "m5 12 7-7 7 7M12 19V5",
  check: "M20 6 9 17l-5-5",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7v5l3 2",
  alert: "m21.7 18-8-14a2 2 0 0 0-3.4 0l-8 14A2 2 0 0 0 4 21h16a2 2 0 0 0 1.7-3M12 9v4M12 17h.01",
  send: "M14.5 21.7a.5.5 0 0 0 1 0l6.5-19a.5.5 0 0 0-.7-.7l-19 6.5a.5.5 0 0 0 0 1l8 3.2a2 2 0 0 1 1 1zM21.8 2.2 11 13",
};

/**
 * An icon that says nothing by itself: the control around it has the name.
 * @param {keyof typeof PATHS} name
 */
export const icon = (name) => drawing(PATHS[name], name);

/** @param {string} d @param {string} name */
export function drawing(d, name) {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon i-" + name);
  path.setAttribute("d", d);
  svg.append(path);
  return svg;
}

/**
 * A button with a name; with an icon the name is for those who hear it.
 * @param {string} label @param {() => void} act
 * @param {{icon?: keyof typeof PATHS, class?: string, [name: string]: any}} [props]
 */
export function action(label, act, { icon: shown, ...props } = {}) {
  return element(
    "button",
    { type: "button", "aria-label": shown && label, ...props, on: { click: act } },
    shown ? icon(shown) : label,
  );
}

/**
 * A round picture made from a name: two letters, or the first character of a Chinese name; the same name has
 * the same hue everywhere.
 * @param {string} name @param {string} [size]
 */
export function avatar(name, size = "") {
  const parts = name.replace(/[^\p{L}\p{N}\s]/gu, " ").trim().split(/\s+/);
  const letters = /^\p{Script=Han}/u.test(name)
    ? parts[0].slice(0, 1)
    : parts.slice(0, 2).map((part) => [...part][0] || "").join("");
  const hue = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) || 0)) % 8, 3);
  return element("span", { class: `avatar hue${hue} ${size}`, "aria-hidden": "true" }, letters.toUpperCase());
}

/**
 * Makes the children of a box equal to the rows, touching only those that changed.
 * @param {HTMLElement} box
 * @param {{key: string, mark: string, make: () => HTMLElement}[]} rows mark: what the row looks like now
 */
export function reconcile(box, rows) {
  const old = new Map([...box.children].map((child) => [/** @type {HTMLElement} */ (child).dataset.key, child]));
  /** @type {Element | null} */
  let place = box.firstElementChild;
  for (const { key, mark, make } of rows) {
    let node = /** @type {HTMLElement | undefined} */ (old.get(key));
    old.delete(key);
    if (node && node.dataset.mark === mark) {
      if (node === place) place = node.nextElementSibling;
      else box.insertBefore(node, place);
      continue;
    }
    const made = make();
    made.dataset.key = key;
    made.dataset.mark = mark;
    if (node) {
      if (node === place) place = node.nextElementSibling;
      node.remove();
    }
    box.insertBefore(made, place);
    node = made;
  }
  for (const gone of old.values()) gone.remove();
}
