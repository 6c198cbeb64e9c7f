/** What every page of the shop does: the cart's count, and the buttons that add and that ask. */

import { addToCart, articlesInCart, onCartChange } from "./cart.js";
import { desk } from "./desk.js";

const said = /** @type {HTMLElement} */ (document.querySelector("[data-said]"));
const product = /** @type {HTMLElement | null} */ (document.querySelector("[data-product]"));

/** @type {ReturnType<typeof setTimeout> | undefined} */
let silence;

/** @param {string} text */
function say(text) {
  said.textContent = text;
  clearTimeout(silence);
  silence = setTimeout(() => (said.textContent = ""), 3200);
}

function showCount() {
  const badge = /** @type {HTMLElement} */ (document.querySelector("[data-cart-count]"));
  const count = articlesInCart();
  badge.textContent = String(count);
  badge.hidden = count === 0;
}

/** @param {HTMLElement} element */
function productCard({ dataset }) {
  return {
    sku: dataset.product,
    title: dataset.title,
    price_minor: Number(dataset.priceMinor),
    currency: dataset.currency,
    url: new URL(dataset.url ?? "", location.href).href,
    image_url: new URL(dataset.image ?? "", location.href).href,
  };
}

document.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("button");
  if (!button) return;
  if (button.dataset.add) {
    addToCart(button.dataset.add);
    say(said.dataset.added ?? "");
  }
  if ("chat" in button.dataset) desk("open");
  if ("ask" in button.dataset && product) desk("sendProduct", productCard(product));
  if (button.dataset.question) {
    desk("prefill", button.dataset.question);
    desk("open");
  }
});

onCartChange(showCount);
showCount();
desk("page", product ? { product: productCard(product) } : {});
