// Sends the one form of a page on which there is nothing to decide; without a script its button does.
"use strict";
document.querySelector("form[data-forward]").requestSubmit();
