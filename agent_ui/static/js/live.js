/** The live wall keeps itself new. Without this script the page reloads itself. */

const MAX_WAIT_MS = 8000;
const LOST_AFTER = 3;

const wall = /** @type {HTMLElement} */ (document.getElementById("wall"));
const lost = /** @type {HTMLElement} */ (document.getElementById("wall-lost"));
const pause = /** @type {HTMLButtonElement | null} */ (document.querySelector("button[data-pause]"));
const full = /** @type {HTMLButtonElement | null} */ (document.querySelector("button[data-full]"));
let failures = 0;
let paused = false;
// How far this machine's clock is from the server's.
let ahead_ms = Date.now() - Number(wall.dataset.atMs);

/** @param {number} ms */
function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** Timers go on between two looks. */
function tick() {
  const now = Date.now() - ahead_ms;
  for (const one of /** @type {NodeListOf<HTMLElement>} */ (wall.querySelectorAll("[data-since-ms]"))) {
    one.textContent = span(now - Number(one.dataset.sinceMs));
  }
  for (const one of /** @type {NodeListOf<HTMLElement>} */ (wall.querySelectorAll("[data-until-ms]"))) {
    one.textContent = span(Number(one.dataset.untilMs) - now);
  }
}

/** Puts what the server says now in the place of what it said before. */
async function look() {
  const answer = await fetch(location.href, { signal: AbortSignal.timeout(MAX_WAIT_MS) });
  // Signed out, or no supervisor any more: only a page of its own can say so.
  if (answer.redirected || answer.status === 401 || answer.status === 403) return location.reload();
  if (!answer.ok) throw new Error(String(answer.status));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = page.getElementById("wall");
  const at = page.getElementById("wall-at");
  if (!next || !at || paused) return;
  const focused = wall.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : null;
  wall.dataset.atMs = next.dataset.atMs;
  ahead_ms = Date.now() - Number(next.dataset.atMs);
  wall.replaceChildren(...next.childNodes);
  document.getElementById("wall-at")?.replaceChildren(...at.childNodes);
  if (focused) /** @type {HTMLElement | null} */ (wall.querySelector(`a[href="${CSS.escape(focused)}"]`))?.focus();
}

async function keep() {
  if (!paused && !document.hidden) {
    try {
      await look();
      failures = 0;
    } catch {
      failures += 1;
    }
    lost.hidden = failures < LOST_AFTER;
  }
  setTimeout(keep, Number(wall.dataset.refreshS) * 1000);
}

if (pause) {
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
  });
}
if (full && document.fullscreenEnabled) {
  full.hidden = false;
  full.addEventListener("click", () => document.documentElement.requestFullscreen());
}
setInterval(() => { if (!paused) tick(); }, 1000);
setTimeout(keep, Number(wall.dataset.refreshS) * 1000);
