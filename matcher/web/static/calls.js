// One key, one outcome; and only the particulars that belong to the outcome are shown.
"use strict";
(() => {
  const form = document.getElementById("call");
  if (!form) return;
  const choices = [...form.querySelectorAll('input[name="outcome"]')];
  function adjust() {
    const chosen = form.querySelector('input[name="outcome"]:checked')?.value;
    for (const part of form.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(chosen);
  }
  form.addEventListener("change", adjust);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest('textarea, select, input:not([type="radio"], [type="checkbox"])');
    const choice = choices[Number(event.key) - 1];
    if (typing || event.ctrlKey || event.altKey || event.metaKey || !choice) return;
    choice.checked = true;
    choice.focus();
    adjust();
  });
  adjust();
})();
