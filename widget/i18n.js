/**
 * A function that says a key in the language. `{name}` is replaced by a value; a key with `.one` beside it is
 * the plural, chosen by the value `n`.
 * @param {Words} words
 * @returns {Say}
 */
export const phrases =
  (words) =>
  (key, values = {}) => {
    const text = (values.n === 1 && words[key + ".one"]) || words[key];
    return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  };

/** The language as the browser's formats know it. @param {Locale} locale */
export const tag = (locale) => (locale === "zh" ? "zh-CN" : "en-GB");

/** Hour and minute. @param {number} ms @param {Locale} locale */
export const clock = (ms, locale) =>
  new Intl.DateTimeFormat(tag(locale), { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(ms);

/** The day as people say it: today, yesterday, or the date. @param {number} ms @param {Locale} locale */
export function day(ms, locale) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const ago = Math.round((midnight - new Date(ms).setHours(0, 0, 0, 0)) / 86_400_000);
  if (ago < 2) {
    const said = new Intl.RelativeTimeFormat(tag(locale), { numeric: "auto" }).format(-ago, "day");
    return said[0].toUpperCase() + said.slice(1);
  }
  const year = new Date(ms).getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return new Intl.DateTimeFormat(tag(locale), { day: "numeric", month: "long", year }).format(ms);
}
