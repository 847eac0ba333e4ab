// The editor of a rule's draft: what members earn, when, and the limit. It fills one hidden field with the
// definition's JSON and shows the rule as a sentence, and its faults at their rows, while one types.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const host = document.querySelector("[data-rule-editor]");
    if (!host) return;
    const { el, select, iconButton } = ConditionTree;
    const config = JSON.parse(document.getElementById("rule-editor-config").textContent);
    const hidden = document.querySelector("[data-rule-definition]");
    const form = hidden.form;
    const words = config.words;
    let definition;
    try { definition = JSON.parse(hidden.value); } catch { definition = {}; }
    definition = { condition: { all: [] }, effects: [], cap_per_member_day: null, ...definition };
    if (!Array.isArray(definition.effects)) definition.effects = [];
    definition.effects = definition.effects.filter((effect) => effect && typeof effect === "object");
    let isTouched = false;

    const program = () => config.programs[form.elements.program?.value] || config.programs[config.program] || { kinds: [], units: [], currency: "" };
    const unitChoice = () => form.elements.unit?.value || host.dataset.unit || "";

    function changed() {
        isTouched = true;
        hidden.value = JSON.stringify(definition);
        hidden.dispatchEvent(new Event("input", { bubbles: true }));
        askSoon();
    }

    // What members earn.
    function drawEffects(focus) {
        const box = host.querySelector("[data-rule-effects]");
        const wanted = focus || document.activeElement?.dataset?.at;
        box.replaceChildren(...definition.effects.map(effectCard), el("button", {
            type: "button", class: "studio-button studio-button-quiet studio-button-small", "data-at": "effects:add",
            onclick: () => { definition.effects.push(fresh("fixed_points")); drawEffects(`effects/${definition.effects.length - 1}:how`); changed(); },
        }, `+ ${words.add_effect}`));
        if (wanted) box.querySelector(`[data-at="${CSS.escape(wanted)}"]`)?.focus();
    }

    const firstKind = () => (program().kinds[0] || [""])[0];
    const fresh = (effect) => (effect === "fixed_points"
        ? { effect, point_type: firstKind(), points: "" }
        : { effect, point_type: firstKind(), points: "1", per: "1", rounding: "down", lines: null });

    function input(label, value, at, put, more) {
        const box = el("input", { class: "studio-input studio-input-figure", "aria-label": label, value: value ?? "", autocomplete: "off", inputmode: "decimal", size: 6, "data-at": at, ...more, oninput: () => { put(box.value.trim()); changed(); } });
        return box;
    }

    function effectCard(effect, number) {
        const at = `effects/${number}`;
        const redraw = () => { drawEffects(); changed(); };
        const row = el("div", { class: "studio-tree-cells" });
        row.append(select(words.how, [["points_per_amount", words.per_amount], ["fixed_points", words.fixed]], effect.effect,
            (kind) => { definition.effects[number] = { ...fresh(kind), point_type: effect.point_type || firstKind() }; redraw(); }, { "data-at": `${at}:how` }));
        row.append(input(words.points, effect.points, `${at}:points`, (value) => { effect.points = value; }));
        if (effect.effect === "points_per_amount") {
            row.append(el("span", {}, words.points_for_each), el("span", { class: "studio-unit" }, program().currency),
                input(words.amount, effect.per, `${at}:per`, (value) => { effect.per = value; }), el("span", {}, words.spent),
                select(words.rounding, ["down", "half_up", "up"].map((each) => [each, words[each]]), effect.rounding, (chosen) => { effect.rounding = chosen; changed(); }, { "data-at": `${at}:rounding` }),
                select(words.lines, [["all", words.all_lines], ["some", words.some_lines]], effect.lines ? "some" : "all",
                    (chosen) => { effect.lines = chosen === "some" ? { all: [{ field: "line.category", op: "in", value: [] }] } : null; redraw(); }, { "data-at": `${at}:lines` }));
        }
        const kinds = program().kinds;
        if (kinds.length > 1 || !kinds.some(([code]) => code === effect.point_type)) {
            row.append(select(words.kind, kinds.some(([code]) => code === effect.point_type) ? kinds : [["", `${words.kind}…`], ...kinds], effect.point_type, (chosen) => { effect.point_type = chosen; changed(); }, { "data-at": `${at}:kind` }));
        }
        const remove = iconButton("close", words.remove_effect, () => { definition.effects.splice(number, 1); drawEffects("effects:add"); changed(); });
        const card = el("div", { class: "studio-effect", "data-path": at }, el("div", { class: "studio-tree-row" }, row, remove));
        if (effect.lines) {
            const below = el("div", { class: "studio-tree-where" });
            card.append(below);
            ConditionTree(below, { tree: effect.lines, path: ["effects", number, "lines"], catalogue: config.catalogue.line, units: program().units, changed: (tree) => { effect.lines = tree; changed(); } });
        }
        return card;
    }

    function drawCondition() {
        ConditionTree(host.querySelector("[data-rule-condition]"), { tree: definition.condition, path: ["condition"], catalogue: config.catalogue, units: program().units, changed: (tree) => { definition.condition = tree; changed(); } });
    }

    function drawCap() {
        host.querySelector("[data-rule-cap]").replaceChildren(el("div", { class: "studio-effect", "data-path": "cap_per_member_day" },
            el("label", { class: "studio-tree-cells" }, el("span", {}, words.cap),
                input(words.cap, definition.cap_per_member_day, "cap", (value) => { definition.cap_per_member_day = value === "" ? null : value; }, { inputmode: "numeric", size: 10, "aria-label": null, "aria-describedby": "rule-cap-hint" })),
            el("p", { class: "studio-hint", id: "rule-cap-hint" }, words.cap_hint)));
    }

    // Faults at their rows: the row whose path leads furthest towards the fault.
    function showFaults(faults) {
        for (const old of host.querySelectorAll(".studio-fault")) old.remove();
        for (const bad of host.querySelectorAll(".studio-wrong")) bad.classList.remove("studio-wrong");
        const rows = [...host.querySelectorAll("[data-path]")];
        for (const fault of faults) {
            const path = fault.path.join("/");
            const leads = (row) => row.dataset.path === "" || path === row.dataset.path || path.startsWith(`${row.dataset.path}/`);
            const row = rows.filter(leads).reduce((best, each) => (!best || each.dataset.path.length >= best.dataset.path.length ? each : best), null);
            if (!row) continue;
            row.classList.add("studio-wrong");
            if (![...row.querySelectorAll(":scope > .studio-fault")].some((each) => each.textContent === fault.message)) row.append(el("p", { class: "studio-fault" }, fault.message));
        }
    }

    // The sentence and the faults, from the server, a moment after the last key.
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
        const answer = await fetch(config.preview, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
        if (number !== asked || !answer?.ok) return;
        const said = await answer.json();
        for (const [code, text] of Object.entries(said.sentences)) host.querySelector(`[data-rule-sentence="${code}"]`).textContent = text;
        if (isTouched || config.faults.length) showFaults(said.faults);
    }

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
    for (const place of ["program", "unit"]) {
        form.elements[place]?.addEventListener("change", () => {
            for (const effect of definition.effects) if (!program().kinds.some(([kind]) => kind === effect.point_type)) effect.point_type = firstKind();
            draw();
            changed();
        });
    }
    function draw() { drawEffects(); drawCondition(); drawCap(); }

    for (const effect of definition.effects) if (!effect.point_type) effect.point_type = firstKind();
    hidden.value = JSON.stringify(definition);
    draw();
    showFaults(config.faults);
    ask();
    window.ruleEditor = { form, definition: () => definition, unit: unitChoice, isTouched: () => isTouched };
});
