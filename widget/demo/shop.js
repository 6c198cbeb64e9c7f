/** What every page of the shop does: the cart's count, and the buttons that add and that ask. */

import { offerSignOut } from "./account.js";
import { addToCart, articlesInCart, onCartChange, readCart } from "./cart.js";
import "./consent.js";
import { desk } from "./desk.js";
import { totals } from "./money.js";

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

offerSignOut(say);

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

/** What the page shows, for the chat: the widget passes it on with a message, or once the shopper agreed. */
function tellDesk() {
  /** @type {Record<string, [string, number]>} */
  const articles = JSON.parse(document.body.dataset.articles ?? "{}");
  const lines = Object.entries(readCart())
    .filter(([sku]) => sku in articles)
    .map(([sku, quantity]) => ({ sku, title: articles[sku][0], quantity, price_minor: articles[sku][1] }));
  const sum = totals(lines.map((line) => ({ priceMinor: line.price_minor, quantity: line.quantity })));
  const cart = { currency: "CNY", total_minor: sum.totalMinor, lines };
  desk("page", product ? { product: productCard(product), cart } : { cart });
}

onCartChange(() => {
  showCount();
  tellDesk();
});
showCount();
tellDesk();
