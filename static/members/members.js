// Personal data leaves the screen when its time is over.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const shown = document.querySelector("[data-members-shown-for]");
    if (shown) setTimeout(() => location.reload(), Number(shown.dataset.membersShownFor) * 1000);
});
