/** The address says which conversation is open (#c-ID, or #c-ID/MESSAGE), so that links and the back button work. */
import { signal } from "./vendor.js";
import { openConversation } from "./sync.js";

/** A message that the address points at; the thread scrolls to it once. */
export const pointed = signal(/** @type {string | null} */ (null));
let steps = 0;

function read() {
  const [, id, message] = /^#c-([^/]+)(?:\/(.+))?$/.exec(location.hash) ?? [];
  const asked = id ?? new URLSearchParams(location.search).get("conversation");
  pointed.value = message ? decodeURIComponent(message) : null;
  openConversation(asked ? decodeURIComponent(asked) : null);
}

/** Opens a conversation, or closes the open one with null. @param {string | null} id */
export function route(id) {
  const address = new URL(location.href);
  address.searchParams.delete("conversation");
  address.hash = id ? `c-${encodeURIComponent(id)}` : "";
  history.pushState(null, "", address.hash ? address : address.pathname + address.search);
  steps += 1;
  read();
}

/** Goes back to the list. */
export function leave() {
  if (steps > 0) {
    steps -= 1;
    history.back();
  } else {
    route(null);
  }
}

/** Follows the address. */
export function follow() {
  addEventListener("popstate", read);
  addEventListener("hashchange", read);
  read();
}
