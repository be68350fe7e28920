// The page /places: how many patients of a list a doctor could take, in two presses.
"use strict";
(async () => {
  if (!door.token) return door.show("wrong", false);
  const form = document.getElementById("places-form");

  function said(places) {
    return places === 0 ? "aucun pour l’instant" : `${places} patient${places > 1 ? "s" : ""}`;
  }

  function body() {
    const given = new FormData(form);
    const sent = { places: Number(given.get("places")), declines: given.getAll("declines") };
    if (given.get("from")) sent.from = given.get("from");
    if (given.get("until")) sent.until = given.get("until");
    return sent;
  }

  async function confirm() {
    const sent = body();
    const buttons = document.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    const answer = await door.post("places", sent);
    for (const button of buttons) button.disabled = false;
    if (!door.good(answer)) return;
    if (answer.status === 202 || answer.body.held) return door.show("held");
    door.fill("count", said(sent.places));
    door.show("answered");
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.confirm) { confirm(); return; }
    if (button?.dataset.go === "sure") {
      if (!form.reportValidity()) return;
      door.fill("count", said(body().places));
    }
    if (button?.dataset.go) { door.trouble(""); door.show(button.dataset.go); }
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  const opened = await door.post("open");
  if (!door.good(opened)) {
    if (![404, 410].includes(opened.status)) document.querySelector('[data-view="loading"]').hidden = true;
    return;
  }
  const view = opened.body;
  door.office(view.territory);
  if (view.purpose !== "list") { location.replace(`/r#${door.token}`); return; }
  door.fill("doctor", view.doctor.name);
  door.fill("text", view.text);
  if (view.places !== undefined) {
    document.getElementById("places").value = view.places;
    document.getElementById("from").value = view.from || "";
    document.getElementById("until").value = view.until || "";
    for (const tick of form.querySelectorAll('input[name="declines"]')) tick.checked = (view.declines || []).includes(tick.value);
    door.fill("count", said(view.places));
  }
  door.show(view.state, false);
})();
