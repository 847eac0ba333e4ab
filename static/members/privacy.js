"use strict";

for (const button of document.querySelectorAll("[data-privacy-print]")) {
    button.addEventListener("click", () => window.print());
}
