/** The cart page: every article of the shop has a line in the page, those in the cart are shown. */

import { onCartChange, readCart, setQuantity } from "./cart.js";
import { money, totals } from "./money.js";
import "./shop.js";

const page = /** @type {HTMLElement} */ (document.querySelector("[data-cart-page]"));
const lines = /** @type {HTMLElement[]} */ ([...page.querySelectorAll("[data-line]")]);

/**
 * @param {ParentNode} inside
 * @param {string} name
 */
function part(inside, name) {
  return /** @type {HTMLElement} */ (inside.querySelector(`[data-${name}]`));
}

/** @param {HTMLElement} line */
function input(line) {
  return /** @type {HTMLInputElement} */ (part(line, "quantity"));
}

function show() {
  const cart = readCart();
  for (const line of lines) {
    const quantity = cart[line.dataset.line ?? ""] ?? 0;
    line.hidden = quantity === 0;
    input(line).value = String(quantity);
    part(line, "sum").textContent = money(Number(line.dataset.priceMinor) * quantity);
  }
  const sums = totals(lines.filter((line) => !line.hidden).map(bought));
  part(page, "subtotal").textContent = money(sums.goodsMinor);
  const postage = part(page, "postage");
  postage.textContent = sums.postageMinor ? money(sums.postageMinor) : (postage.dataset.free ?? "");
  part(page, "total").textContent = money(sums.totalMinor);
  part(page, "empty").hidden = sums.articles > 0;
  part(page, "filled").hidden = sums.articles === 0;
}

/** @param {HTMLElement} line */
function bought(line) {
  return { priceMinor: Number(line.dataset.priceMinor), quantity: Number(input(line).value) };
}

/**
 * @param {HTMLElement} line
 * @param {number} quantity
 */
function change(line, quantity) {
  setQuantity(line.dataset.line ?? "", quantity);
  if (quantity > 0) return;
  const said = part(document, "said");
  said.textContent = said.dataset.removed ?? "";
  const next = lines.find((one) => !one.hidden);
  (next ? input(next) : /** @type {HTMLElement} */ (document.querySelector("main"))).focus();
}

for (const line of lines) {
  part(line, "less").addEventListener("click", () => change(line, bought(line).quantity - 1));
  part(line, "more").addEventListener("click", () => change(line, bought(line).quantity + 1));
  part(line, "drop").addEventListener("click", () => change(line, 0));
  input(line).addEventListener("change", () => change(line, Math.max(1, bought(line).quantity || 1)));
}
onCartChange(show);
show();
