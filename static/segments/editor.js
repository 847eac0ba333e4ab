// The editor of a condition over members, in the form of a tag or a segment: it fills one hidden field with the JSON, and
// shows the condition as a sentence, its faults at their rows and how many members it holds for, while one types.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const host = document.querySelector("[data-condition-editor]");
    if (!host) return;
    const { focusAt } = Conditions;
    const config = JSON.parse(document.getElementById("condition-editor-config").textContent);
    const hidden = document.querySelector("[data-condition]");
    const form = hidden.form;
    const part = (name) => host.querySelector(`[data-condition-${name}]`);
    let tree = read();
    let isTouched = false;
    let timer = null;
    let asked = 0;

    function read() {
        try { return JSON.parse(hidden.value) || { all: [] }; } catch { return { all: [] }; }
    }
    const chosen = () => form.elements.program?.value || config.program;
    const program = () => config.programs[chosen()] || { units: [], attributes: [] };

    // The attributes of members differ from programme to programme.
    const always = config.catalogue.fields;
    const know = () => { config.catalogue.fields = [...always, ...program().attributes]; };
    know();

    const builder = Conditions.builder(part("tree"), { tree, path: [], catalogue: config.catalogue, units: program().units, named: {}, seen: config.seen, left: askSoon,
        changed: (changed, more) => { tree = changed; history.record(tree, more || {}); travels.refresh(); told(); } });
    tree = builder.tree;
    const history = Conditions.history(tree);
    const travels = Conditions.historyButtons(history, host, config.catalogue.words, ({ value, at }) => { tree = value; draw(); focusAt(host, at); told(); });
    part("history").append(...travels.buttons);

    function draw() {
        know();
        builder.units = program().units;
        builder.draw(tree);
        tree = builder.tree;
    }
    function told() {
        isTouched = true;
        hidden.value = JSON.stringify(tree);
        askSoon();
    }

    function askSoon() { clearTimeout(timer); timer = setTimeout(ask, 300); }
    async function ask() {
        const number = ++asked;
        const body = new FormData();
        body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
        body.set("program", chosen());
        body.set("condition", JSON.stringify(tree));
        const answer = await fetch(config.preview, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
        if (number !== asked || !answer?.ok) return;
        const said = await answer.json();
        for (const node of host.querySelectorAll("[data-condition-sentence]")) node.textContent = said.sentences[node.dataset.conditionSentence];
        part("count").textContent = said.count;
        if (isTouched) Conditions.faults.show(host, said.faults);
    }

    // Of a tag: whether a condition gives it. What only then makes sense goes with it.
    const given = form.elements.given;
    const row = (name) => form.elements[name]?.closest(".field-row, .form-row") || form.querySelector(`.field-${name}`);
    function fit() {
        const isGiven = !given || given.value === "condition";
        const isAbove = given?.value === "above";
        host.hidden = !isGiven;
        for (const name of ["refresh", "kept_days"]) { const node = row(name); if (node) node.hidden = !isGiven; }
        const one = row("is_exclusive");
        if (one && given) one.hidden = !isAbove;
    }
    given?.addEventListener("change", fit);
    form.elements.program?.addEventListener("change", () => { draw(); askSoon(); });

    // The key follows the label until somebody writes it.
    const { label, key } = form.elements;
    if (label && key && key.type !== "hidden" && !key.readOnly) {
        let isOwn = key.value !== "";
        key.addEventListener("input", () => { isOwn = key.value !== ""; });
        label.addEventListener("input", () => {
            if (!isOwn) key.value = label.value.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60);
        });
    }
    host.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.matches("input") && !event.ctrlKey && !event.metaKey) event.preventDefault(); });

    hidden.value = JSON.stringify(tree);
    fit();
    ask();
});
