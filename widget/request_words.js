import { tag } from "./i18n.js";

/** As many characters as a message may have. */
export const WORDS_MAX = 8000;

/** A day and time as people say it. @param {number} ms @param {Locale} locale */
export const moment = (ms, locale) =>
  new Intl.DateTimeFormat(tag(locale), { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(ms);

/** The state, and by when we act; a time that has gone by is said to be one. @param {RequestShown} it @param {Say} say @param {Locale} locale */
export const standing = (it, say, locale) =>
  [it.state, it.late ? say("late") : it.promised_at_ms ? say("promised", { time: moment(it.promised_at_ms, locale) }) : ""].filter(Boolean).join(" · ");
