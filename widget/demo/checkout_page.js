/** The demo checkout: it shows the sum, empties the cart and says that nothing was bought. */

import { articlesInCart, emptyCart, readCart } from "./cart.js";
import { money, totals } from "./money.js";
import "./shop.js";

const page = /** @type {HTMLElement} */ (document.querySelector("[data-checkout-page]"));

/** @param {string} name */
function part(name) {
  return /** @type {HTMLElement} */ (page.querySelector(`[data-${name}]`));
}

/** @type {Record<string, number>} */
const prices = JSON.parse(page.dataset.prices ?? "{}");
const lines = Object.entries(readCart()).map(([sku, quantity]) => ({ priceMinor: prices[sku] ?? 0, quantity }));

part("count").textContent = String(articlesInCart());
part("total").textContent = money(totals(lines).totalMinor);
part("place").addEventListener("click", () => {
  emptyCart();
  part("before").hidden = true;
  part("after").hidden = false;
  part("after").focus();
});
