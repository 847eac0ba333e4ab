// The card of long work, asked for anew every moment; when the work has ended, the page shows what came of it.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const job = document.querySelector("[data-studio-poll]");
    if (!job) return;

    async function refresh() {
        try {
            const answer = await fetch(job.dataset.studioPoll, { redirect: "error" });
            if (!answer.ok) return;
            const card = document.createElement("template");
            card.innerHTML = await answer.text();
            if (!card.content.querySelector("[data-studio-running]")) {
                location.reload();
                return;
            }
            const held = job.contains(document.activeElement) && document.activeElement.tagName === "BUTTON";
            job.replaceChildren(card.content);
            if (held) job.querySelector("button")?.focus();
        } catch { /* The server may be away for a moment; it is asked again. */ }
        setTimeout(refresh, 1500);
    }
    setTimeout(refresh, 1000);
});
