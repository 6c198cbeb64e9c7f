/**
 * What a customer is worth, why, and what to do: scores, life cycle, the one-line reason and the playbook.
 * @typedef {import("./types.js").Card} Card
 * @typedef {import("./types.js").Profile} Profile
 */
import { html } from "./vendor.js";
import { now } from "./clock.js";
import { language, money, page, shortDate, t, tn } from "./words.js";
import { Icon } from "./late_icon.js";

const STAGES = ["new", "active", "dormant", "lost"];
const MANY_REFUNDS = 0.3;

/** A share as people say it: 28%. @param {number} share 0..1 @param {number} [digits] */
const percent = (share, digits = 0) => new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: digits }).format(share);

/** The half of a sentence pair that is in the page's language. @param {import("./types.js").Said} said */
export const inWords = (said) => said[page.locale];

/** @param {{ label: string, value: string, more?: string | null, score: number | null, hint: string }} props */
const Tile = ({ label, value, more, score, hint }) => html`<div title=${hint}><dt>${label}</dt><dd>${value}
  ${more ? html`<small>${more}</small>` : null}
  ${score === null ? null : html`<span class="pips" aria-hidden="true">${[1, 2, 3, 4, 5].map((n) => html`<i class=${n <= score ? "on" : ""} key=${n}></i>`)}</span><span class="sr">${t("value.score", { score })}</span>`}</dd></div>`;

/** @param {{ p: Profile }} props */
function Tiles({ p }) {
  const { thresholds: limits, recency_days: days } = p;
  const date = limits ? shortDate(limits.at_ms, now.peek()) : "";
  const hints = limits ? {
    r: t("value.score_r", { score: p.r, limit: limits.r_days[3], date }),
    f: t("value.score_f", { score: p.f, limit: limits.f_classes[3] }),
    m: t("value.score_m", { score: p.m, limit: money(limits.m_minor[3], p.currency), date }),
  } : { r: "", f: "", m: "" };
  const more = p.provisional ? ` ${t("value.provisional")}` : "";
  const gap = p.usual_gap_days === null ? null : t(p.usual_gap_is_own ? "value.gap_own" : "value.gap_shop", { n: Math.round(p.usual_gap_days) });
  return html`<dl class="rfm">
    <${Tile} label=${t("value.recency")} value=${days === null ? "—" : days === 0 ? t("value.today") : tn("value.days", days)} score=${p.r} hint=${`${hints.r}${gap ? ` ${gap}.` : ""}${more}`} />
    <${Tile} label=${t("value.frequency")} value=${tn("value.orders", p.orders)} score=${p.f} hint=${hints.f + more} />
    <${Tile} label=${t("value.money")} value=${money(Math.round(p.net_minor / 100) * 100, p.currency)} score=${p.m} hint=${hints.m + more} />
  </dl>
  ${gap ? html`<p class="small">${gap}${p.coupon_orders ? ` · ${t("value.coupons", { n: p.coupon_orders, of: p.orders })}` : ""}</p>` : null}`;
}

/** @param {{ card: Card, p: Profile }} props */
function Figures({ card, p }) {
  const { csat_mean: mean, csat_last: last, csat_n: n } = card.service;
  const refunds = p.refund_share;
  return html`<dl class="stats">
    <div title=${t("value.year_hint")}><dt>${t("value.year")}</dt><dd>${p.value_band ? t(`band.${p.value_band}`) : "—"}</dd></div>
    <div><dt>${t("value.average")}</dt><dd>${p.average_minor === null ? "—" : money(Math.round(p.average_minor / 100) * 100, p.currency)}</dd></div>
    <div><dt>${t("value.returns")}</dt><dd class=${refunds > MANY_REFUNDS ? "bad" : ""}>${percent(refunds)}</dd></div>
    <div title=${n ? t("value.csat_hint", { last, n }) : undefined}><dt>${t("value.csat")}</dt><dd>${mean === null ? "—" : mean.toFixed(1)}</dd></div>
  </dl>`;
}

/** @param {{ p: Profile }} props */
function Stage({ p }) {
  const at = STAGES.indexOf(p.activity_stage);
  if (at < 0) return null;
  const relation = p.relationship_stage === "none" ? null : t(`relation.${p.relationship_stage}`);
  const trend = p.trend === "up" ? "trending-up" : p.trend === "down" ? "arrow-down" : null;
  return html`<ol class="stage" aria-label=${t("stage")}>${STAGES.map((stage, i) => html`<li key=${stage} class=${i === at ? `on ${at > 1 ? "bad" : ""}` : i < at ? "past" : ""} aria-current=${i === at ? "step" : undefined}>${t(`stage.${stage}`)}${i === at ? html`<span class="sr"> ${t("stage.now", { stage: t(`stage.${stage}`) })}</span>` : null}</li>`)}</ol>
    ${relation ? html`<p class=${`small ${p.declining ? "bad" : ""}`}><b>${relation}</b>${p.quiet ? html`<span>${t("relation.quiet")}</span>` : null}
      ${trend ? html`<span title=${t(`trend.${p.trend}`)}><${Icon} name=${trend} /><span class="sr">${t(`trend.${p.trend}`)}</span></span>` : null}
      ${p.staged_at_ms ? html`<span>${t("stage.since", { date: shortDate(p.staged_at_ms, now.peek()) })}</span>` : null}</p>` : null}`;
}

/** @param {{ card: Card }} props */
export function Worth({ card }) {
  const { profile: p, line, playbook } = card;
  if (!p) return null;
  return html`<div class="sec worth" role="group" aria-label=${t("value")}>
    ${line ? html`<p class="why">${inWords(line)}</p>` : null}
    ${p.orders ? html`<${Tiles} p=${p} /><${Figures} card=${card} p=${p} /><${Stage} p=${p} />
      ${p.top20 ? html`<p class="small one"><${Icon} name="star" /><span>${p.top20_share === null ? t("value.top20") : t("value.top20_hint", { share: percent(p.top20_share, 1) })}</span></p>` : null}
      <p class="small">${p.returns ? t("value.chance", { share: percent(p.returns.chance), n: p.returns.similar, days: p.returns.days }) : t("value.chance_none")}</p>` : null}
    ${playbook ? html`<details class="fold"><summary>${t("advice")}</summary><dl>${/** @type {const} */ (["queue", "tone", "offer", "follow_up"]).map((key) =>
      html`<dt key=${key}>${t(`advice.${key}`)}</dt><dd>${inWords(playbook[key])}</dd>`)}</dl></details>` : null}
  </div>`;
}
