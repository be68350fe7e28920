// The page /mes-reponses: what is kept of a doctor. It reads, and does nothing else.
"use strict";
(async () => {
  if (!door.token) return door.show("wrong", false);
  const answer = await door.post("data");
  if (!door.good(answer)) {
    if (![404, 410].includes(answer.status)) document.querySelector('[data-view="loading"]').hidden = true;
    return;
  }
  const told = answer.body;
  const day = new Intl.DateTimeFormat("fr-FR", { dateStyle: "long", timeZone: "Europe/Paris" });
  const hour = new Intl.DateTimeFormat("fr-FR", { hour: "numeric", minute: "2-digit", timeZone: "Europe/Paris" });
  const moment = (at) => `${day.format(at)} à ${hour.format(at).replace(":", "\u00a0h\u00a0")}`;
  const language = new Intl.DisplayNames("fr", { type: "language" });
  const said = { mails: ["mail reçu", "mails reçus"], calls: ["appel", "appels"], yes: ["oui", "oui"], no: ["non", "non"], chosen: ["fois choisi·e", "fois choisi·e"], gave_up: ["renoncement", "renoncements"] };

  function words(value) {
    if (value === true) return "oui";
    if (value === false) return "non";
    if (Array.isArray(value)) return value.join(", ");
    return value === undefined ? "" : String(value);
  }

  door.office(told.territory);
  document.querySelector("[data-mail]").href = `mailto:${told.territory.mail}`;
  door.fill("doctor", told.doctor.name);
  door.fill("kept", told.kept);
  door.fill("journal", told.journal_kept);
  door.fill("counts", Object.keys(said).filter((name) => told.counts[name]).map((name) => `${told.counts[name]} ${said[name][told.counts[name] > 1 ? 1 : 0]}`).join(" · "));
  const { address, postcode, city, languages, away_until, do_not_call, ...others } = told.directory;
  for (const [name, value] of Object.entries(others)) door.fill(name, words(value));
  door.fill("languages", words(languages?.map((one) => language.of(one))));
  door.fill("place", [address, [postcode, city].filter(Boolean).join(" ")].filter(Boolean).join(", "));
  door.fill("away_until", away_until ? day.format(new Date(`${away_until}T12:00:00`)) : "");
  door.fill("do_not_call", do_not_call ? "oui" : "");
  door.fill("offers", told.offers.map((one) => one.left).join(", "));
  const list = document.getElementById("items");
  for (const one of told.items) {
    const line = document.createElement("li"), time = document.createElement("time");
    time.dateTime = one.at;
    time.textContent = moment(new Date(one.at));
    line.append(time, one.text);
    list.append(line);
  }
  document.getElementById("none").hidden = told.items.length > 0;
  door.show("data", false);
})();
