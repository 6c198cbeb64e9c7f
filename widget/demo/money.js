/** Prices as the page's language writes them, and the sums of a cart. */

const FREE_POSTAGE_FROM_MINOR = 19900;
const POSTAGE_MINOR = 1200;

const format = new Intl.NumberFormat(document.documentElement.lang === "en" ? "en" : "zh-CN", {
  style: "currency",
  currency: "CNY",
  currencyDisplay: "narrowSymbol",
  minimumFractionDigits: 0,
});

/** @param {number} minor */
export function money(minor) {
  return format.format(minor / 100);
}

/** @param {{ priceMinor: number, quantity: number }[]} lines */
export function totals(lines) {
  const goodsMinor = lines.reduce((sum, line) => sum + line.priceMinor * line.quantity, 0);
  const articles = lines.reduce((sum, line) => sum + line.quantity, 0);
  const postageMinor = goodsMinor === 0 || goodsMinor >= FREE_POSTAGE_FROM_MINOR ? 0 : POSTAGE_MINOR;
  return { articles, goodsMinor, postageMinor, totalMinor: goodsMinor + postageMinor };
}
