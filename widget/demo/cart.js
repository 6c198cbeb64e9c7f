/**
 * What is in the cart: a map from article number to quantity, kept in this browser only.
 * Another tab of the shop sees a change at once.
 */

const KEY = "mori-oak.cart";
const MOST = 99;

/** @typedef {Record<string, number>} Cart */

/** @returns {Cart} */
export function readCart() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    const lines = Object.entries(kept).filter(([, quantity]) => Number.isInteger(quantity) && quantity > 0);
    return Object.fromEntries(lines);
  } catch {
    return {}; // storage is forbidden or was written by something else: an empty cart is right
  }
}

/**
 * @param {string} sku
 * @param {number} quantity 0 takes the article out
 */
export function setQuantity(sku, quantity) {
  const cart = readCart();
  if (quantity > 0) cart[sku] = Math.min(MOST, Math.floor(quantity));
  else delete cart[sku];
  write(cart);
}

/** @param {string} sku */
export function addToCart(sku) {
  setQuantity(sku, (readCart()[sku] ?? 0) + 1);
}

export function emptyCart() {
  write({});
}

export function articlesInCart() {
  return Object.values(readCart()).reduce((sum, quantity) => sum + quantity, 0);
}

/** @param {() => void} changed called after a change, also one made in another tab */
export function onCartChange(changed) {
  addEventListener("cart-changed", changed);
  addEventListener("storage", (event) => {
    if (event.key === KEY) changed();
  });
}

/** @param {Cart} cart */
function write(cart) {
  try {
    localStorage.setItem(KEY, JSON.stringify(cart));
  } catch {
    return; // without storage the demo has no cart
  }
  dispatchEvent(new Event("cart-changed"));
}
