// The page /r: read the announcement, answer in two presses, come back on it.
"use strict";
(async () => {
  if (!door.token) return door.show("wrong", false);
  let said = "";

  function stand(answer) {
    said = answer.answer || "";
    for (const line of document.querySelectorAll("[data-said]")) line.hidden = line.dataset.said !== said;
    for (const part of document.querySelectorAll("[data-only]")) {
      part.hidden = (part.dataset.only === "yes") !== (said === "yes");
    }
  }

  function chosen(name) {
    return document.querySelector(`input[name="${name}"]:checked`)?.value;
  }

  function pausedUntil() {
    const choice = chosen("pause");
    if (choice === "date") return document.getElementById("pause-date").value;
    const day = new Date();
    day.setDate(day.getDate() + Number(choice));
    return `${day.getFullYear()}-${String(day.getMonth() + 1).padStart(2, "0")}-${String(day.getDate()).padStart(2, "0")}`;
  }

  function terms() {
    const given = new FormData(document.getElementById("terms"));
    const conditions = {};
    if (given.get("from")) conditions.from = given.get("from");
    if (given.get("where")) conditions.where = given.get("where");
    if (given.get("count")) conditions.count = Number(given.get("count"));
    if (given.get("once")) conditions.once = true;
    return conditions;
  }

  // What was just sent, said back: a doctor wants to see that a condition was heard.
  function repeat(sent) {
    const { from, where, count, once } = sent.conditions || {};
    const places = document.getElementById("where").options;
    const said = [
      from && `à partir du ${door.day(from)}`,
      where && [...places].find((one) => one.value === where).text,
      count && `pour ${count} ${count > 1 ? "personnes" : "personne"}`,
      once && "une seule fois",
    ].filter(Boolean);
    document.getElementById("my-terms").textContent = said.length ? `, ${said.join(", ")}` : "";
    if (sent.until) document.getElementById("my-pause").textContent = `au ${door.day(sent.until)}`;
  }

  function body(what) {
    if (what === "terms") return { answer: "yes", conditions: terms() };
    if (what === "no") return { answer: "no", reason: chosen("reason") };
    if (what === "pause") return { answer: "pause", until: pausedUntil() };
    return { answer: what };
  }

  async function confirm(what) {
    const sent = body(what);
    if (what === "pause" && !sent.until) return door.trouble("Choisissez la date de fin de la pause.");
    const buttons = document.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    const answer = await door.post("answer", sent);
    for (const button of buttons) button.disabled = false;
    if (!door.good(answer)) return;
    if (answer.status === 202 || answer.body.held) return door.show("held");
    stand({ answer: what === "undo" ? "" : sent.answer });
    repeat(sent);
    if (what === "undo") return door.show("open");
    door.show(answer.body.state === "intended_for_another" ? "intended_for_another" : "answered");
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.go) { door.trouble(""); door.show(button.dataset.go); }
    if (button?.dataset.confirm) confirm(button.dataset.confirm);
  });
  document.getElementById("terms").addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("pause-date").addEventListener("input", () => { document.getElementById("pause-other").checked = true; });

  const opened = await door.post("open");
  if (!door.good(opened)) {
    if (![404, 410].includes(opened.status)) document.querySelector('[data-view="loading"]').hidden = true;
    return;
  }
  const view = opened.body;
  door.office(view.territory);
  if (view.purpose === "record") { location.replace(`/dossier#${door.token}`); return; }
  door.fill("doctor", view.delegate ? `Vous répondez pour ${view.doctor?.name || view.doctor}.` : (view.doctor?.name || view.doctor));
  door.fill("text", view.text || view.announcement?.text || view.announcement);
  door.fill("yes_held", view.yes_held);
  document.getElementById("count-field").hidden = !view.household;
  stand(view);
  // What was pressed in the mail is the first press: its confirmation is shown, and nothing is sent yet.
  const pressed = { oui: "yes", conditions: "terms", non: "no" }[door.pressed];
  door.show(view.state === "open" && pressed ? pressed : view.state, false);
})();
