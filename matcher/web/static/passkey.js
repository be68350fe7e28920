// Passkeys: asks the browser, puts its answer into the form, sends it. Nothing is kept here.
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  function question(options) {
    const asked = { ...options, challenge: bytes(options.challenge) };
    if (asked.user) asked.user = { ...asked.user, id: bytes(asked.user.id) };
    for (const name of ["allowCredentials", "excludeCredentials"]) {
      if (asked[name]) asked[name] = asked[name].map((one) => ({ ...one, id: bytes(one.id) }));
    }
    return asked;
  }

  function answer(credential) {
    const said = { id: credential.id, rawId: text(credential.rawId), type: credential.type, response: {} };
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) said.response[name] = text(credential.response[name]);
    }
    said.clientExtensionResults = credential.getClientExtensionResults();
    return said;
  }

  async function ask(form) {
    const csrf = form.elements.csrf.value;
    const reply = await fetch(form.dataset.question, { method: "POST", headers: { "X-CSRF-Token": csrf } });
    if (!reply.ok) throw new Error("refused");
    const publicKey = question(await reply.json());
    return form.dataset.passkey === "create"
      ? navigator.credentials.create({ publicKey })
      : navigator.credentials.get({ publicKey });
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!window.PublicKeyCredential) continue;
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const trouble = form.querySelector(".fault");
      trouble.hidden = true;
      try {
        form.elements.credential.value = JSON.stringify(answer(await ask(form)));
        form.submit();
      } catch {
        trouble.hidden = false;
      }
    });
  }
})();
