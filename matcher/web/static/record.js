// The page /dossier: code, record, receipt, PDF, giving up. Every value is put in as text, never as markup.
"use strict";
(async () => {
  // Pro Santé Connect sends the browser back without the token: it waited in this tab, and nowhere else.
  const back = new URLSearchParams(location.search);
  const returned = location.pathname !== "/dossier";
  if (returned) {
    door.token = sessionStorage.getItem("dossier") || "";
    history.replaceState(null, "", "/dossier");
  }
  sessionStorage.removeItem("dossier");
  if (!door.token) return door.show("wrong", false);
  const said = JSON.parse(document.getElementById("said").textContent);
  const $ = (id) => document.getElementById(id);
  let session = "";

  function words(name, value) {
    if (value === true) return "oui";
    if (value === false) return "non";
    if (Array.isArray(value)) return value.map((one) => words(name, one)).join("\n");
    if (value && typeof value === "object") {
      return Object.entries(value).filter(([key]) => key !== "content")
        .map(([key, one]) => `${said.labels[key] || key}\u00a0: ${words(key, one)}`).join("\n");
    }
    // 1950-03-02, 1950-03 or 1950, as people write them.
    if (name === "birth_date" || name.endsWith("_on")) return String(value).split("-").reverse().join("/");
    return said.values[name]?.[value] || String(value);
  }

  function add(parent, tag, text) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  }

  function draw(record) {
    const named = new Set(said.groups.flatMap(([, fields]) => fields));
    const rest = Object.keys(record).filter((field) => !named.has(field));
    $("record").replaceChildren();
    for (const [title, fields] of [...said.groups, ["Autres renseignements", rest]]) {
      const filled = fields.filter((field) => record[field] !== undefined && record[field] !== "");
      if (!filled.length) continue;
      const section = add($("record"), "section");
      section.className = "card";
      add(section, "h2", title);
      const list = add(section, "dl");
      list.className = "wide";
      for (const field of filled) {
        add(list, "dt", said.labels[field] || field);
        add(list, "dd", words(field, record[field]));
      }
    }
    for (const one of record.attachments || []) attachment(one);
  }

  function note(notes) {
    $("notes").replaceChildren();
    for (const one of notes || []) add($("notes"), "p", one);
    $("notes").hidden = !notes?.length;
  }

  function appointed(on) {
    const [year, month, day] = on.split("-").map(Number);
    $("on").value = on;
    $("appointment-on").textContent = new Date(year, month - 1, day)
      .toLocaleDateString("fr-FR", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
    $("appointment").hidden = false;
  }

  // What needs the session of the code: after a quarter of an hour it is over.
  function inSession(answer) {
    if (answer.status !== 403) return door.good(answer);
    door.trouble("Le quart d’heure ouvert par le code est passé. Rouvrez le lien du mail et demandez un nouveau code.");
    return false;
  }

  function save(blob, name) {
    const link = add(document.body, "a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  function attachment(one) {
    if (!one.content) return;
    const button = add($("record"), "button", `Enregistrer « ${one.name} »`);
    button.className = "noprint";
    button.addEventListener("click", () => {
      const bytes = Uint8Array.from(atob(one.content), (sign) => sign.charCodeAt(0));
      save(new Blob([bytes], { type: one.media_type }), one.name);
    });
  }

  function receipt() {
    $("acknowledge").hidden = true;
    $("acknowledged").hidden = false;
  }

  function opened(answer) {
    session = answer.body.session;
    draw(answer.body.record);
    note(answer.body.notes);
    door.show("record");
  }

  $("sms").addEventListener("click", async () => {
    $("sms-sent").hidden = $("sms-failed").hidden = true;
    const answer = await door.post("sms");
    if (answer.status === 429) {
      door.trouble("Un SMS vient de partir. Attendez une minute avant d’en demander un autre.");
      return;
    }
    if (!door.good(answer)) return;
    $("sms-sent").hidden = !answer.body.sent;
    $("sms-failed").hidden = answer.body.sent;
    // The office was asked to call: asking again says nothing new.
    if (!answer.body.sent) $("call-me").hidden = true;
    if (answer.body.sent) $("code").focus();
  });

  $("card").addEventListener("click", async () => {
    const answer = await door.post("card");
    if (!door.good(answer)) return;
    sessionStorage.setItem("dossier", door.token);
    location.assign(answer.body.url);
  });

  $("code-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    $("code-fault").hidden = true;
    const answer = await door.post("record", { code: $("code").value.replace(/\s/g, "") });
    if (answer.status === 403) {
      $("code-fault").textContent = "Ce code n’est pas valable : il a pu expirer ou déjà servir. Vérifiez-le, ou demandez-en un autre.";
      $("code-fault").hidden = false;
      $("code").setAttribute("aria-invalid", "true");
      $("code").setAttribute("aria-describedby", "code-fault");
      $("code").focus();
      return;
    }
    if (door.good(answer)) opened(answer);
  });

  $("call-me").addEventListener("click", async () => {
    if (!door.good(await door.post("call-me"))) return;
    $("call-me").hidden = true;
    $("called").hidden = false;
  });

  $("acknowledge").addEventListener("click", async () => {
    if (inSession(await door.post("acknowledge", { session }))) receipt();
  });

  $("appointment-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await door.post("appointment", { session, on: $("on").value });
    const fault = answer.status === 400 && answer.body.fields?.on;
    $("on-fault").textContent = fault || "";
    $("on-fault").hidden = !fault;
    if (fault) { $("on").setAttribute("aria-describedby", "on-fault"); $("on").focus(); return; }
    if (inSession(answer)) appointed(answer.body.appointment.on);
  });

  $("document").addEventListener("click", async () => {
    const answer = await door.post("document", { session });
    if (answer.blob) save(answer.blob, "fiche.pdf");
    else inSession(answer);
  });

  $("desist-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!door.good(await door.post("desist", { reason: $("reason").value }))) return;
    $("give-up").hidden = true;
    $("record").replaceChildren();
    session = "";
    door.show("desisted");
  });

  const found = await door.post("open");
  if (!door.good(found)) {
    if (![404, 410, 423].includes(found.status)) document.querySelector('[data-view="loading"]').hidden = true;
    return;
  }
  const view = found.body;
  door.office(view.territory);
  if (view.purpose !== "record") { location.replace(`/r#${door.token}`); return; }
  door.fill("doctor", view.doctor?.name || view.doctor);
  door.fill("mobile", view.mobile);
  door.fill("office_hours", view.office_hours);
  for (const part of document.querySelectorAll("[data-kind]")) {
    part.hidden = !part.dataset.kind.split(" ").includes(view.second_factor);
  }
  // With a card the code is the way round, and does not look like the way in.
  $("open-record").classList.toggle("main", view.second_factor !== "psc");
  document.querySelector(`[data-office="${view.office_open === false ? "closed" : "open"}"]`).hidden = false;
  if (view.called_back) { $("call-me").hidden = true; $("called").hidden = false; }
  if (view.acknowledged) receipt();
  if (view.appointment?.state === "planned") appointed(view.appointment.on);
  $("give-up").hidden = view.state !== "chosen";
  door.show(view.state, false);
  if (!returned || view.state !== "chosen") return;
  const sent = { code: back.get("code") || "", state: back.get("state") || "" };
  if (!sent.code || !sent.state) return door.trouble("Pro Santé Connect n’a pas confirmé votre identité. Vous pouvez recommencer.");
  const answer = await door.post("record", { card: sent });
  if (answer.status === 403) {
    door.trouble(answer.body.code === "not_proven"
      ? answer.body.detail
      : "La carte présentée n’est pas celle du médecin choisi. Recommencez avec la vôtre, ou demandez un code à la CPTS.");
  } else if (door.good(answer)) opened(answer);
})();
