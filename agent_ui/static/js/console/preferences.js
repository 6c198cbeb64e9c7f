/** What a person chose in this browser: theme, sound, notices, how to send. */
import { signal } from "./vendor.js";

/** @typedef {{ sound: boolean, desktop: boolean, enter_sends: boolean, theme: "light"|"dark"|"auto" }} Preferences */

/** @type {Preferences} */
const defaults = { sound: false, desktop: false, enter_sends: true, theme: "auto" };
const KEYS = { sound: "shopbell.sound", desktop: "shopbell.desktop", enter_sends: "shopbell.enter_sends", theme: "shopbell.theme" };

/** @returns {Preferences} */
function load() {
  /** @type {any} filled key by key below */
  const chosen = { ...defaults };
  try {
    for (const [name, key] of Object.entries(KEYS)) {
      const value = localStorage.getItem(key);
      if (value !== null) chosen[name] = value === "true" ? true : value === "false" ? false : value;
    }
  } catch {
    // Storage is forbidden: the choices last as long as the page.
  }
  return chosen;
}

const preferences = signal(load());

/** @template {keyof Preferences} K @param {K} name @returns {Preferences[K]} */
export const preference = (name) => preferences.value[name];

/** @template {keyof Preferences} K @param {K} name @param {Preferences[K]} value */
export function prefer(name, value) {
  preferences.value = { ...preferences.value, [name]: value };
  try {
    localStorage.setItem(KEYS[name], String(value));
  } catch {
    // As above.
  }
  if (name === "theme") showTheme();
}

/** Puts the chosen theme on the page, and into the cookie by which the server draws its pages. */
export function showTheme() {
  const { theme } = preferences.value;
  document.documentElement.dataset.theme = theme;
  document.cookie = `shopbell.theme=${theme};path=/;max-age=31536000;samesite=lax`;
}
