// The rule's page round the editor: dialogs, and the panel that tries the draft.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-opens]")) {
        button.addEventListener("click", () => {
            const dialog = document.getElementById(button.dataset.opens);
            // What a restored version overwrites is the draft as it was typed and saved on this page.
            const typed = window.ruleEditor?.form.elements.revision?.value;
            if (typed && dialog.id.startsWith("restore-")) dialog.querySelector("[name=revision]").value = typed;
            // What is published or sent to review is what was saved: what is being written is saved first, then read.
            const isAboutDraft = dialog.id === "publish-dialog";
            if (!isAboutDraft || !window.ruleEditor?.isTouched()) { dialog.showModal(); return; }
            const form = window.ruleEditor.form;
            form.append(Conditions.el("input", { type: "hidden", name: "_opens", value: dialog.id.replace("-dialog", "") }));
            form.requestSubmit();
        });
    }
    if (new URLSearchParams(location.search).get("opens") === "publish") document.getElementById("publish-dialog")?.showModal();
    for (const button of document.querySelectorAll("[data-closes]")) {
        button.addEventListener("click", () => button.closest("dialog").close());
    }
    for (const input of document.querySelectorAll("[data-picks]")) {
        input.addEventListener("input", () => { input.form.querySelector(`[type=radio][value="${input.dataset.picks}"]`).checked = true; });
    }

    const panel = document.querySelector("[data-rule-trial]");
    if (!panel || !window.ruleEditor) return;
    const { el } = Conditions;
    const form = panel.querySelector("form");
    const answer = panel.querySelector("[data-rule-trial-answer]");
    const config = JSON.parse(document.getElementById("rule-editor-config").textContent);
    const store = form.elements.store.querySelector("[data-store]");
    if (store) store.selected = true;

    // A box offers what was seen in its field.
    function offering(box, name) {
        const id = `trial-${name}`;
        const seen = config.seen[name] || [];
        if (!seen.length) return [box];
        box.setAttribute("list", id);
        return [box, Conditions.values.offers(id, seen)];
    }
    form.elements.category.after(...offering(form.elements.category, "line.category").slice(1));

    // One box for each thing the condition asks that only a person can tell: the member's tags, the channel.
    document.addEventListener("ruleread", ({ detail: { asked } }) => {
        const boxes = [...form.querySelectorAll("[data-told]")];
        for (const box of boxes) if (!asked.some(([name]) => name === box.dataset.told)) box.remove();
        for (const [name, label] of asked) {
            if (boxes.some((box) => box.dataset.told === name)) continue;
            form.lastElementChild.before(el("label", { "data-told": name }, label, offering(el("input", { name, class: "studio-input", autocomplete: "off", size: 12, maxlength: 500 }), name)));
        }
    });

    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const body = new FormData(form);
        body.set("program", config.program);
        body.set("rule", config.rule);
        body.set("unit", window.ruleEditor.unit());
        body.set("definition", JSON.stringify(window.ruleEditor.definition()));
        const sent = await fetch(config.try, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
        if (!sent?.ok) { answer.replaceChildren(el("p", { class: "studio-fault" }, config.words.not_saved)); return; }
        show(await sent.json());
    });

    function show(said) {
        if (said.refusal) { answer.replaceChildren(el("p", { class: "studio-fault" }, said.refusal)); return; }
        const words = answer.dataset;
        const points = said.points ? (said.points === 1 ? words.pointsOne : words.pointsMany).replace("{n}", said.points.toLocaleString()) : words.nothing;
        answer.replaceChildren(
            el("p", { class: `studio-trial-points ${said.points ? "studio-plus" : "studio-zero"}` }, points),
            ...said.awards.map((line) => el("p", {}, line)),
            said.place ? el("p", { class: "studio-fault" }, said.place) : null,
            said.note ? el("p", { class: "studio-hint" }, said.note) : null,
            said.history ? el("p", { class: "studio-hint" }, said.history) : null,
            said.asked.length ? el("p", { class: "studio-hint" }, said.holds ? words.holds : words.fails) : null,
            said.asked.length ? el("ul", { class: "studio-asked" }, said.asked.map((each) => el("li", { class: each.held ? "studio-held" : "studio-failed" },
                el("span", { class: "material-symbols-outlined md-18", "aria-hidden": "true" }, each.held ? "check_circle" : "cancel"),
                el("span", {}, each.sentence, " ", el("small", {}, words.was.replace("{actual}", each.actual)))))) : null,
        );
        for (const empty of [...answer.childNodes]) if (empty.nodeType === Node.TEXT_NODE) empty.remove();
    }
});
