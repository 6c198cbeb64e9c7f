/** @param {string} hex */
const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** A colour between two; share 0 is the first, 1 the second.
 * @param {string} a @param {string} b @param {number} share */
function mix(a, b, share) {
  const [one, two] = [parts(a), parts(b)];
  return "#" + one.map((value, at) => Math.round(value + (two[at] - value) * share).toString(16).padStart(2, "0")).join("");
}

/**
 * The panel's colours made from the shop's one: words in that colour stay readable (4.5:1) on the panel, and words
 * on that colour too.
 * @param {string} accent #rrggbb
 * @param {boolean} dark
 * @param {(hex: string) => number} luminance
 * @returns {Record<string, string>}
 */
export function palette(accent, dark, luminance) {
  const [paper, ink] = dark ? ["#141b18", "#ffffff"] : ["#ffffff", "#000000"];
  const contrast = (/** @type {string} */ a, /** @type {string} */ b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const weak = mix(paper, accent, 0.13);
  let text = accent;
  for (let share = 0.1; contrast(text, weak) < 4.7 && share < 1; share += 0.1) text = mix(accent, ink, share);
  let deep = accent;
  for (let share = 0.1; contrast(deep, "#ffffff") < 4.7 && share < 1; share += 0.1) deep = mix(accent, "#000000", share);
  return {
    "--accent-text": text,
    "--accent-weak": weak,
    "--accent-line": mix(paper, accent, 0.4),
    "--bubble-out": dark ? mix(deep, "#000000", 0.25) : deep,
    "--on-bubble-out": "#ffffff",
    "--hero": deep,
    "--hero-end": mix(deep, "#000000", 0.4),
  };
}
