// A form of the portal is sent without leaving the page, with the progress of its files; without this script it is sent like any other.
// So what was written stays when the network is away, and a mistake is no place that Back would lead to.
// The answer is the page that the browser would have shown: one that it was led to, or the form with what is wrong.
// Of a page without the form only its words are shown, so that what was written stays.

/** @param {HTMLFormElement} form @param {HTMLElement} shown */
function send(form, shown) {
  const bar = /** @type {HTMLProgressElement} */ (shown.querySelector("progress"));
  const words = /** @type {HTMLElement} */ (shown.querySelector("p"));
  const buttons = /** @type {HTMLButtonElement[]} */ ([...form.querySelectorAll("button")]);

  /** @param {"sending" | "checking" | "broken" | "large"} what @param {string} [told] */
  const say = (what, told = words.dataset[what]) => {
    const busy = what === "sending" || what === "checking";
    form.ariaBusy = String(busy);
    for (const button of buttons) button.disabled = busy;
    // What is said on the way is about files.
    shown.hidden = busy && !chosen.length;
    shown.classList.toggle("failed", !busy);
    bar.hidden = !busy;
    words.textContent = told ?? "";
  };

  const chosen = [...form.querySelectorAll("input")].flatMap((input) => [...(input.files ?? [])]);
  const sizes = chosen.map((file) => file.size / 1048576);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  if (Math.max(...sizes) > Number(shown.dataset.most) || all > Number(shown.dataset.all)) return say("large");
  const request = new XMLHttpRequest();
  request.responseType = "document";
  request.open("POST", form.action);
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) bar.value = event.loaded / event.total;
  });
  request.upload.addEventListener("load", () => {
    bar.removeAttribute("value");
    say("checking");
  });
  request.addEventListener("error", () => say("broken"));
  request.addEventListener("load", () => {
    const main = request.responseXML?.querySelector("main");
    const forms = [...(main?.querySelectorAll("form") ?? [])];
    if (request.status < 400 && request.responseURL !== form.action) location.assign(request.responseURL);
    else if (main && (request.status < 400 || forms.some((one) => one.getAttribute("action") === form.getAttribute("action")))) {
      document.querySelector("main")?.replaceWith(main);
      const problem = /** @type {HTMLElement | null} */ (document.querySelector("main [role=alert]"));
      problem?.setAttribute("tabindex", "-1");
      problem?.focus();
    } else say("broken", main?.querySelector("[role=alert] span, .portal-lead")?.textContent ?? undefined);
  });
  request.send(new FormData(form));
  say("sending");
}

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const shown = /** @type {HTMLElement | null} */ (form.querySelector(".portal-sending"));
  if (!shown) return;
  event.preventDefault();
  if (form.ariaBusy !== "true") send(form, shown);
});
