// While typing: a word about a number that looks odd. Nothing here blocks; the service says the same.
"use strict";
(() => {
  const says = {
    nir(text) {
      const digits = text.replace(/[\s.\-–_]/g, "").toUpperCase();
      if (!/^[1-8]\d{4}(\d{2}|2[AB])\d{6}(\d{2})?$/.test(digits)) return "un numéro de sécurité sociale compte 13 chiffres, et deux de plus pour la clé.";
      if (digits.length < 15) return "";
      const number = BigInt(digits.slice(0, 13).replace("2A", "19").replace("2B", "18"));
      return 97n - (number % 97n) === BigInt(digits.slice(13)) ? "" : "la clé de ce numéro ne correspond pas.";
    },
    phone(text) {
      const digits = text.replace(/[^+\d]/g, "");
      return /^(0[1-9]\d{8}|\+\d{8,15}|00\d{8,15})$/.test(digits) ? "" : "un numéro de téléphone français compte dix chiffres.";
    },
    postcode(text) {
      return /^\d{5}$/.test(text.replace(/\s/g, "")) ? "" : "un code postal compte cinq chiffres.";
    },
  };
  function warn(field) {
    let place = document.getElementById(`${field.id}-avis`);
    const said = field.value.trim() ? says[field.dataset.check](field.value) : "";
    if (!place && !said) return;
    if (!place) {
      place = document.createElement("p");
      place.className = "odd";
      place.id = `${field.id}-avis`;
      place.setAttribute("role", "status");
      field.before(place);
      field.setAttribute("aria-describedby", `${field.getAttribute("aria-describedby") || ""} ${place.id}`.trim());
    }
    place.textContent = said ? `À vérifier\u202f: ${said}` : "";
    place.hidden = !said;
  }

  // In a pause of the typing, never on leaving the field: the page would move under a finger that is
  // pressing a button.
  let waiting;
  document.addEventListener("input", (event) => {
    clearTimeout(waiting);
    if (event.target.dataset?.check) waiting = setTimeout(warn, 700, event.target);
  });
  document.addEventListener("focusout", () => clearTimeout(waiting));
})();
