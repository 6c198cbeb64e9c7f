/**
 * Who has placed an order is signed in, in this browser: the shop's cookie says as whom, which no
 * script can read. What is kept here only says that there is somebody to sign out.
 */

import { desk } from "./desk.js";

const KEY = "mori-oak.account";

const button = /** @type {HTMLButtonElement} */ (document.querySelector("[data-sign-out]"));
const requests = /** @type {HTMLAnchorElement} */ (document.querySelector("[data-requests]"));

/** @param {boolean} signedIn */
function show(signedIn) {
  button.hidden = !signedIn;
  requests.hidden = !signedIn;
}

/** @param {string | null} is */
function keep(is) {
  try {
    if (is) localStorage.setItem(KEY, is);
    else localStorage.removeItem(KEY);
  } catch {
    // without storage nobody is asked: the cookie lasts until the browser forgets it
  }
  show(Boolean(is));
}

function isSignedIn() {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}

/** @param {string} identity what signs the shopper in to the chat */
export function signIn(identity) {
  keep("in");
  desk("identify", identity);
}

/** @param {(text: string) => void} say */
export function offerSignOut(say) {
  show(isSignedIn());
  button.addEventListener("click", async () => {
    button.disabled = true;
    const answer = await fetch(button.dataset.signOut ?? "", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{}",
    }).catch(() => null);
    button.disabled = false;
    if (!answer?.ok) return;
    keep(null);
    desk("logout");
    say(button.dataset.done ?? "");
  });
}
