// What the two pages of doctors share: the token, the calls, and which view is shown.
"use strict";
const door = (() => {
  // The buttons of a mail write behind a dot which of them was pressed: #TOKEN.oui
  const [given, pressed = ""] = location.hash.slice(1).split(".");
  // The token leaves the address bar: neither the history nor a shoulder keeps it.
  if (given) history.replaceState(null, "", location.pathname);
  // A second link opened in the same tab changes only the fragment.
  addEventListener("hashchange", () => location.reload());

  const app = document.getElementById("app");
  app.hidden = false;

  async function post(path, body = {}) {
    trouble("");
    let response;
    try {
      response = await fetch(`/api/v1/links/${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ token: shared.token, ...body }),
      });
    } catch {
      return { status: 0, body: {} };
    }
    const type = response.headers.get("Content-Type") || "";
    if (type.startsWith("application/pdf")) return { status: response.status, blob: await response.blob(), body: {} };
    let read = {};
    try { read = await response.json(); } catch { /* an answer without words */ }
    return { status: response.status, body: read };
  }

  function show(name, focus = true) {
    const views = [...document.querySelectorAll("[data-view]")];
    const wanted = views.some((view) => view.dataset.view === name) ? name : "wrong";
    for (const view of views) view.hidden = view.dataset.view !== wanted;
    const title = document.querySelector(`[data-view="${wanted}"] h1`);
    if (focus && title) title.focus();
    scrollTo(0, 0);
  }

  function fill(name, text) {
    for (const place of document.querySelectorAll(`[data-fill="${name}"]`)) {
      place.textContent = text || "";
      place.closest("[data-has]")?.toggleAttribute("hidden", !text);
    }
  }

  function office(territory) {
    if (!territory) return;
    fill("territory", territory.name);
    for (const link of document.querySelectorAll("[data-tel]")) {
      link.href = `tel:${territory.phone.replace(/[^+\d]/g, "")}`;
      link.textContent = `${territory.name}, ${territory.phone}`;
    }
  }

  function trouble(text) {
    const place = document.getElementById("trouble");
    place.textContent = text;
    place.hidden = !text;
  }

  // « 10 décembre 2026 » for 2026-12-10.
  function day(iso) {
    return new Date(`${iso}T12:00`).toLocaleDateString("fr-FR", { day: "numeric", month: "long", year: "numeric" });
  }

  // Every refusal has its words; true where the answer is good.
  function good(answer) {
    if (answer.status === 200 || answer.status === 202) return true;
    if (answer.status === 410) show("over");
    else if (answer.status === 404) show("wrong");
    else if (answer.status === 423) show("locked");
    else if (answer.status === 409) trouble(answer.body.detail);
    else if (answer.status === 429) trouble("Trop d’essais à la suite. Attendez une minute, puis recommencez.");
    else if (answer.status === 0) trouble("La connexion a été coupée. Vérifiez votre réseau, puis recommencez : rien n’est perdu.");
    else trouble(answer.body.detail || "Cela n’a pas fonctionné. Recommencez dans un instant, ou appelez-nous.");
    return false;
  }

  const shared = { token: given, pressed, post, show, fill, office, trouble, good, day };
  return shared;
})();
