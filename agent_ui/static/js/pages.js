/** Comfort for the server-rendered pages; each of them works without it. */

// A link of the language and theme menu keeps what the address already says (a report's filters).
for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("a[data-keep-query]"))) {
  const wanted = new URL(link.href);
  const here = new URL(location.href);
  for (const [name, value] of wanted.searchParams) here.searchParams.set(name, value);
  link.href = here.pathname + here.search;
}

// On a narrow screen the current entry of a menu may lie beyond its edge.
for (const current of document.querySelectorAll('nav [aria-current="page"]')) {
  current.scrollIntoView({ block: "nearest", inline: "center" });
}

// A form that was refused goes on where it is wrong, which may be far below the head of the page.
/** @type {HTMLElement | null} */ (document.querySelector('[aria-invalid="true"], .criterion.wrong input'))?.focus();

// The console reads the theme from here.
const theme = document.documentElement.dataset.theme ?? "auto";
try {
  localStorage.setItem("shopbell.theme", theme);
} catch {
  // storage is switched off: the cookie alone carries the choice
}

const menu = document.querySelector("details.who");
document.addEventListener("click", (event) => {
  if (menu && !menu.contains(/** @type {Node} */ (event.target))) menu.removeAttribute("open");
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu?.hasAttribute("open")) return;
  menu.removeAttribute("open");
  menu.querySelector("summary")?.focus();
});

// A button that copies the text of another element; without a clipboard it stays hidden.
for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("button[data-copy]"))) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  const label = button.querySelector("span");
  const before = label?.textContent ?? "";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy ?? "")?.textContent ?? "");
    if (label) label.textContent = button.dataset.copied ?? "";
    setTimeout(() => {
      if (label) label.textContent = before;
    }, 2000);
  });
}
export {};
