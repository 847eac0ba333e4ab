// The editor of a rule's draft. It keeps the definition and its history, fills one hidden field with the JSON, and shows
// the rule as a sentence, and its faults at their rows, while one types.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const host = document.querySelector("[data-rule-editor]");
    if (!host) return;
    const { el, focusAt } = Conditions;
    const config = JSON.parse(document.getElementById("rule-editor-config").textContent);
    const hidden = document.querySelector("[data-rule-definition]");
    const form = hidden.form;
    const words = config.words;
    const part = (name) => host.querySelector(`[data-rule-${name}]`);
    let definition = whole(hidden.value);
    let faults = config.faults;
    let isTouched = false;

    function whole(text) {
        let read;
        try { read = JSON.parse(text); } catch { read = {}; }
        const made = { condition: { all: [] }, effects: [], limits: [], ...read };
        if (!Array.isArray(made.limits)) made.limits = [];
        made.effects = (Array.isArray(made.effects) ? made.effects : []).filter((effect) => effect && typeof effect === "object");
        return made;
    }

    const program = () => config.programs[form.elements.program?.value] || config.programs[config.program] || { kinds: [], units: [], named: {}, currency: "" };
    const unitChoice = () => form.elements.unit?.value || host.dataset.unit || "";

    // The attributes of members differ from programme to programme; every builder shares the catalogue.
    const always = config.catalogue.fields;
    const know = () => { config.catalogue.fields = [...always, ...(program().attributes || [])]; };
    know();

    // The parts, and what a change in one of them sets going.
    const shared = { program, words, catalogue: config.catalogue, seen: config.seen, left: askSoon, changed };
    const effects = RuleParts.effects(part("effects"), { ...shared, choices: config.effects, most: config.most, effects: () => definition.effects });
    effects.draw();
    const condition = Conditions.builder(part("condition"), { tree: definition.condition, path: ["condition"], catalogue: config.catalogue, units: program().units, named: program().named, seen: config.seen, left: askSoon,
        changed: (tree, more) => { definition.condition = tree; changed(more); } });
    definition.condition = condition.tree;
    const goal = RuleParts.goal(part("goal"), { ...shared, choices: config.goal, goal: () => definition.accumulator, put: (value) => { definition.accumulator = value; } });
    goal.draw();
    const limits = RuleParts.limits(part("limits"), { program, words, choices: config.limits, most: config.most.limits, limits: () => definition.limits, changed, left: askSoon });
    limits.draw();
    const stacking = RuleParts.stacking(part("stacking"), { words, choices: config.stacking, stacking: () => definition.stacking, put: (value) => { definition.stacking = value; }, changed });
    stacking.draw();
    const validity = RuleParts.validity(part("validity"), { words, choices: config.validity, validity: () => definition.validity, put: (value) => { definition.validity = value; }, changed });
    validity.draw();
    hidden.value = JSON.stringify(definition);

    const history = Conditions.history(definition);
    const travels = Conditions.historyButtons(history, host, config.catalogue.words, ({ value, at }) => {
        definition = value;
        draw();
        focusAt(host, at);
        sent();
    });
    part("history").append(...travels.buttons);

    function draw() {
        know();
        effects.draw();
        Object.assign(condition, { units: program().units, named: program().named });
        condition.draw(definition.condition);
        definition.condition = condition.tree;
        goal.draw();
        limits.draw();
        stacking.draw();
        validity.draw();
        showFaults();
    }
    function changed(more) {
        history.record(definition, more);
        travels.refresh();
        sent();
    }
    function sent() {
        isTouched = true;
        hidden.value = JSON.stringify(definition);
        saving.touch();
        askSoon();
    }

    // The draft is saved as one types; a new rule, once its name and place are there to be saved with it.
    const saving = Conditions.saving({ host, form, config, note: part("saved"), changed: part("changed"), definition: () => hidden.value, adopt: (theirs) => { definition = whole(JSON.stringify(theirs)); draw(); changed({}); } });

    function showFaults() { Conditions.faults.show(host, faults); }

    // The sentence, the faults, how many members it could reach and for which share of purchases it holds, from the
    // server, a moment after the last key.
    let timer = null;
    let asked = 0;
    function askSoon() { clearTimeout(timer); timer = setTimeout(ask, 250); }

    async function ask() {
        const number = ++asked;
        const body = new FormData();
        body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
        body.set("program", form.elements.program?.value || config.program || "");
        body.set("unit", unitChoice());
        body.set("definition", JSON.stringify(definition));
        const post = (address) => fetch(address, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
        const answer = await post(config.preview);
        if (number !== asked || !answer?.ok) return;
        const said = await answer.json();
        for (const [code, text] of Object.entries(said.sentences)) host.querySelector(`[data-rule-sentence="${code}"]`).textContent = text;
        document.dispatchEvent(new CustomEvent("ruleread", { detail: said }));
        if (isTouched || config.faults.length) {
            faults = said.faults;
            showFaults();
            saving.judged(faults);
        }
        const count = async (name) => {
            body.set("of", name);
            const counted = await post(config.count);
            if (number !== asked || !counted?.ok) return;
            const { text } = await counted.json();
            part(name).textContent = text;
            part(name).hidden = !text;
        };
        await Promise.all([count("count"), count("purchases")]);
    }

    // Enter belongs to the box one types in; Ctrl+Enter saves.
    host.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.matches("input") && !event.ctrlKey && !event.metaKey) event.preventDefault(); });

    // The sentence in the other language, one click away, and still there on the next page.
    const other = part("other");
    const otherSentence = host.querySelector("[data-rule-sentence][hidden]");
    function showOther(isShown) {
        otherSentence.hidden = !isShown;
        other.setAttribute("aria-expanded", String(isShown));
        localStorage.setItem("studioBothSentences", isShown ? "yes" : "");
    }
    other.addEventListener("click", () => showOther(otherSentence.hidden));
    showOther(localStorage.getItem("studioBothSentences") === "yes");

    // The code follows the name until somebody writes it.
    const name = form.elements.name;
    const code = form.elements.code;
    if (name && code && code.type !== "hidden" && !code.readOnly) {
        let isOwn = code.value !== "";
        code.addEventListener("input", () => { isOwn = code.value !== ""; });
        name.addEventListener("input", () => {
            if (isOwn) return;
            const plain = name.value.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60);
            code.value = plain || (name.value ? config.suggestion : "");
        });
    }
    for (const place of ["program", "unit"]) form.elements[place]?.addEventListener("change", () => { effects.moved(); draw(); changed(); });

    showFaults();
    ask();
    window.ruleEditor = { form, definition: () => definition, unit: unitChoice, isTouched: () => isTouched };
});
