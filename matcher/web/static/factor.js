// The page /double-verification: the code of the call, what the authenticator is told, its first code.
"use strict";
(() => {
  if (!door.token) return door.show("wrong", false);
  const $ = (id) => document.getElementById(id);
  let code = "";

  function digits(name) {
    return $(name).value.replace(/\s/g, "");
  }

  function wrong(name, text) {
    $(`${name}-fault`).textContent = text;
    $(`${name}-fault`).hidden = !text;
    $(name).toggleAttribute("aria-invalid", Boolean(text));
    if (text) { $(name).setAttribute("aria-describedby", `${name}-fault`); $(name).focus(); }
  }

  function draw(picture) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    // Four modules of quiet around it: an application finds no code without them.
    svg.setAttribute("viewBox", `-4 -4 ${picture.size + 8} ${picture.size + 8}`);
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", picture.path);
    svg.append(path);
    $("picture").replaceChildren(svg);
  }

  $("called-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    wrong("code", "");
    code = digits("code");
    const answer = await door.post("factor", { code });
    if (answer.status === 403) return wrong("code", "Ce code n’est pas celui que la CPTS a lu. Vérifiez-le avec elle.");
    if (!door.good(answer)) return;
    door.office(answer.body.territory);
    door.fill("doctor", answer.body.doctor.name);
    door.fill("secret", answer.body.secret);
    $("uri").href = answer.body.uri;
    draw(answer.body.picture);
    door.show("authenticator");
  });

  $("shown-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    wrong("shown", "");
    const answer = await door.post("factor/confirm", { code, shown: digits("shown") });
    if (answer.status === 403) return wrong("shown", "Ce code n’est pas celui de l’application. Attendez le suivant et recopiez-le.");
    if (door.good(answer)) door.show("confirmed");
  });

  door.show("called", false);
})();
