// The form that asks to move points: the reasons that fit what is chosen, and what sending it would do, asked for while
// somebody types.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const form = document.querySelector("form[data-preview]");
    if (!form) return;
    const shown = form.querySelector("[data-studio-preview]");
    const names = form.dataset.previewFields.split(" ");
    const evidence = form.querySelector('[name="evidence"]');
    let waiting, asking;

    function fitReasons() {
        const reasons = form.elements.reason_code;
        if (!reasons) return;
        const program = form.elements.point_type.selectedOptions[0]?.dataset.program;
        const points = Number(form.elements.points.value);
        const wanted = points < 0 ? "take" : points > 0 ? "add" : "";
        for (const option of reasons.options) {
            const { program: of, direction } = option.dataset;
            const fits = !of || (of === program && (!wanted || direction === "both" || direction === wanted));
            option.hidden = option.disabled = !fits;
            if (!fits && option.selected) reasons.value = "";
        }
        const needs = Boolean(reasons.selectedOptions[0]?.dataset.evidence);
        if (evidence) evidence.toggleAttribute("aria-required", needs);
        const label = evidence && form.querySelector(`label[for="${evidence.id}"]`);
        if (label) label.classList.toggle("studio-needed", needs);
    }

    async function preview() {
        asking?.abort();
        asking = new AbortController();
        const query = new URLSearchParams();
        for (const name of names) {
            if (form.elements[name]) query.set(name, form.elements[name].value);
        }
        if (form.dataset.previewAgain) query.set("request", form.dataset.previewAgain);
        shown.setAttribute("aria-busy", "true");
        try {
            const answer = await fetch(`${form.dataset.preview}?${query}`, { redirect: "error", signal: asking.signal });
            if (answer.ok) shown.innerHTML = await answer.text();
            shown.removeAttribute("aria-busy");
        } catch (error) {
            if (error.name !== "AbortError") shown.removeAttribute("aria-busy");
        }
    }

    form.addEventListener("input", (event) => {
        if (!names.includes(event.target.name)) return;
        fitReasons();
        clearTimeout(waiting);
        waiting = setTimeout(preview, 300);
    });
    fitReasons();
    if (form.elements.points.value && !shown.querySelector(".approvals-plan")) preview();
});
