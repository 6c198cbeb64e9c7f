/** The demo checkout: it shows the sum, places a made-up order and says that nothing was paid. */

import { articlesInCart, emptyCart, onCartChange, readCart } from "./cart.js";
import { signIn } from "./account.js";
import { desk } from "./desk.js";
import { money, totals } from "./money.js";
import "./shop.js";

const page = /** @type {HTMLElement} */ (document.querySelector("[data-checkout-page]"));

/** @param {string} name */
function part(name) {
  return /** @type {HTMLElement} */ (page.querySelector(`[data-${name}]`));
}

/** @type {Record<string, number>} */
const prices = JSON.parse(page.dataset.prices ?? "{}");

/** What is ordered is what is in the cart by then: another tab may have changed it. */
function show() {
  const lines = Object.entries(readCart()).map(([sku, quantity]) => ({ priceMinor: prices[sku] ?? 0, quantity }));
  part("count").textContent = String(articlesInCart());
  part("total").textContent = money(totals(lines).totalMinor);
}

onCartChange(show);
show();
if (articlesInCart()) desk("record", "checkout");
part("place").addEventListener("click", async () => {
  const button = /** @type {HTMLButtonElement} */ (part("place"));
  button.disabled = true;
  const placed = await place();
  button.disabled = false;
  if (placed) {
    emptyCart();
    part("told").textContent = (part("told").dataset.placed ?? "").replace("{number}", placed.number);
    signIn(placed.identity);
  }
  part("before").hidden = true;
  part("after").hidden = false;
  part("after").focus();
});

/**
 * The order as the shop's system has taken it, null when it could not: `identity` signs its shopper
 * in to the chat, as a shop's own account does.
 *
 * @returns {Promise<{ number: string, identity: string } | null>}
 */
async function place() {
  try {
    const answer = await fetch(page.dataset.placeAt ?? "", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ lines: readCart() }),
    });
    const told = await answer.json();
    return told.ok ? told : null;
  } catch {
    return null;
  }
}
