// One key, one outcome; and only the particulars that belong to the outcome are shown.
"use strict";
(() => {
  // Paper shows the whole list, also in a browser whose style sheet cannot unfold it.
  addEventListener("beforeprint", () => { for (const one of document.querySelectorAll(".unfold")) one.open = true; });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) print(); });
  const printable = () => { for (const one of document.querySelectorAll("[data-print]")) one.hidden = false; };
  printable();
  // The list may be exchanged for a newer one, see live.js.
  new MutationObserver(printable).observe(document.getElementById("contenu"), { childList: true });

  const form = document.getElementById("call");
  if (!form) return;
  const choices = [...form.querySelectorAll('input[name="outcome"]')];
  form.querySelector(".keys").hidden = false;
  function adjust() {
    const chosen = form.querySelector('input[name="outcome"]:checked')?.value;
    for (const part of form.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(chosen);
  }
  form.addEventListener("change", adjust);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest('textarea, select, input:not([type="radio"], [type="checkbox"])');
    // The place of the key, not its sign: on a French keyboard the digits of the upper row need no Shift.
    const place = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
    const choice = place && choices[Number(place[1]) - 1];
    if (typing || event.ctrlKey || event.altKey || event.metaKey || !choice) return;
    event.preventDefault();
    choice.checked = true;
    adjust();
    // A call-back needs its hour; anything else may be sent with Enter.
    const hour = document.getElementById("at");
    if (hour.closest("[data-for]").hidden) choice.focus(); else hour.focus();
    choice.scrollIntoView({ block: "nearest" });
  });
  adjust();
})();
