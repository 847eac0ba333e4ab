// The editor of a policy's draft: bands as cards, each with its condition and its steps. It keeps the definition and its
// history, saves it as one writes, and shows each band as a sentence, its faults at their place, and what all cover.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const form = document.querySelector("[data-policy-editor]");
    if (!form) return;
    const { el, select, icon, iconButton, quietButton, announce, filled, focusAt, dragged } = Conditions;
    const config = JSON.parse(document.getElementById("policy-editor-config").textContent);
    const { words } = config;
    const part = (name) => document.querySelector(`[data-policy-${name}]`);
    const host = part("bands");
    const names = { ...config.names };
    let definition = whole(config.definition);
    let judged = { sentences: [], faults: [], remarks: [] };
    let isTouched = false;
    let lists = 0;

    function whole(read) {
        const made = structuredClone(read || {});
        made.bands = (made.bands || []).map((band) => ({ name: "", why: "", steps: [], ...band, when: band.when || { all: [] } }));
        for (const band of made.bands) for (const step of band.steps) step.escalate ||= [];
        return { otherwise: "at_once", ...made };
    }
    const freshStep = () => ({ parties: [{ who: { kind: "role", role: "regional_manager" }, need: "any" }], hours: null, remind: null, escalate: [] });
    const freshBand = () => ({ name: "", why: "", when: { all: [] }, steps: [freshStep()] });

    // Lists that are turned over by drag and by buttons: bands, and the steps of one band.
    function nameOf(path) {
        const number = path.at(-1) + 1;
        if (path.length > 2) return filled(words.step, { number });
        const { name } = definition.bands[path.at(-1)] || {};
        return name ? filled(words.band_named, { number, name }) : filled(words.band, { number });
    }
    const listOf = (path) => path.slice(0, -1).reduce((node, key) => node[key], definition);
    const at = (...path) => path.flat().join("/");

    function move(path, to) {
        const list = listOf(path);
        const from = path.at(-1);
        const place = Math.max(0, Math.min(list.length - 1, to));
        if (place === from) return;
        const what = nameOf(path);
        list.splice(place, 0, list.splice(from, 1)[0]);
        const now = [...path.slice(0, -1), place];
        turned(at(now, "handle"), filled(words.moved, { what, number: place + 1 }));
    }
    function drop(path) {
        const what = nameOf(path);
        const list = listOf(path);
        list.splice(path.at(-1), 1);
        const near = [...path.slice(0, -1), Math.min(path.at(-1), list.length - 1)];
        turned(list.length ? at(near, "handle") : at(path.slice(0, -1), "add"), filled(words.removed, { what }));
    }
    function add(list, made, focus) {
        list.push(made);
        turned(focus);
    }
    function copy(path) {
        const list = listOf(path);
        const made = structuredClone(list[path.at(-1)]);
        if (made.name) made.name = filled(words.copy, { name: made.name }).slice(0, 80);
        list.splice(path.at(-1) + 1, 0, made);
        turned(at(path.slice(0, -1), path.at(-1) + 1, "handle"), filled(words.added, { what: nameOf([...path.slice(0, -1), path.at(-1) + 1]) }));
    }

    const handle = (path) => iconButton("drag_indicator", `${nameOf(path)}. ${words.handle}`, () => {}, { class: "studio-icon-button studio-handle", "data-handle": true, "data-at": at(path, "handle") });
    function actions(path) {
        const what = nameOf(path);
        const count = listOf(path).length;
        const place = path.at(-1);
        const button = (name, label, press, isOff, control) => iconButton(name, filled(label, { what }), press, { "aria-disabled": String(Boolean(isOff)), "data-at": at(path, control) });
        return el("span", { class: "studio-tree-actions" },
            button("vertical_align_top", words.top, () => move(path, 0), place === 0, "top"),
            button("arrow_upward", words.up, () => move(path, place - 1), place === 0, "up"),
            button("arrow_downward", words.down, () => move(path, place + 1), place === count - 1, "down"),
            button("content_copy", words.duplicate, () => copy(path), false, "copy"),
            button("close", words.remove, () => drop(path), false, "remove"));
    }
    function movable(node, path) {
        node.dataset.moves = JSON.stringify(path);
        const slots = () => [...host.querySelectorAll("[data-moves]")].flatMap((each) => {
            const other = JSON.parse(each.dataset.moves);
            if (other.length !== path.length || at(other.slice(0, -1)) !== at(path.slice(0, -1))) return [];
            const isLast = other.at(-1) === listOf(path).length - 1;
            return [{ mark: each, edge: "top", index: other.at(-1) }, ...(isLast ? [{ mark: each, edge: "bottom", index: other.at(-1) + 1 }] : [])];
        });
        dragged(node.querySelector("[data-handle]"), node, host, { slots, drop: ({ index }) => move(path, index > path.at(-1) ? index - 1 : index) });
        return node;
    }
    host.addEventListener("keydown", (event) => {
        const card = event.target.closest("[data-moves]");
        if (!card || event.defaultPrevented || event.isComposing || event.target.closest("[data-row]")) return;
        const path = JSON.parse(card.dataset.moves);
        if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
            event.preventDefault();
            move(path, path.at(-1) + (event.key === "ArrowUp" ? -1 : 1));
        } else if (event.target.matches("[data-handle]") && (event.key === "Delete" || event.key === "Backspace")) {
            event.preventDefault();
            drop(path);
        }
    });

    // Drawing.
    function box(label, value, place, put, more) {
        const input = el("input", { class: "studio-input", "aria-label": label, value: value ?? "", autocomplete: "off", "data-at": place, ...more, oninput: () => put(input.value, { typed: place }) });
        return input;
    }
    const hoursBox = (label, node, name, path) => box(label, node[name], at(path, name), (text, more) => { node[name] = text.trim() === "" ? null : /^\d+$/.test(text.trim()) ? Number(text.trim()) : text.trim(); changed(more); }, { class: "studio-input studio-input-figure", inputmode: "numeric", size: 4 });

    const whoChoices = [...config.roles.map(([code, name]) => [`role:${code}`, name]), ["manager", words.manager], ["person", words.named]];
    const chosenOf = (who) => (who.kind === "role" ? `role:${who.role}` : who.kind);
    const whoOf = (chosen, before) => (chosen.startsWith("role:") ? { kind: "role", role: chosen.slice(5) } : chosen === "person" ? { kind: "person", person: before?.person || "" } : { kind: chosen });
    const inWords = (who) => whoChoices.find(([code]) => code === chosenOf(who))?.[1] || "";

    // A box for a person, with those found by what is typed.
    function personBox(who, place, label = words.person, put = changed) {
        const id = `policy-people-${++lists}`;
        const list = el("datalist", { id });
        const shown = el("small", { class: "studio-unit" }, names[who.person] && names[who.person] !== who.person ? names[who.person] : "");
        let timer = null;
        const input = box(label, who.person, place, (text, more) => {
            who.person = text.trim();
            shown.textContent = names[who.person] && names[who.person] !== who.person ? names[who.person] : "";
            put(more);
            clearTimeout(timer);
            if (who.person && !names[who.person]) timer = setTimeout(find, 200);
        }, { list: id, placeholder: words.person_hint, size: 16, maxlength: 150 });
        async function find() {
            const answer = await fetch(`${config.people}?term=${encodeURIComponent(who.person)}`, { headers: { Accept: "application/json" } }).catch(() => null);
            const found = answer?.ok ? (await answer.json()).people : [];
            for (const [code, name] of found) names[code] = name;
            list.replaceChildren(...found.map(([code, name, unit]) => el("option", { value: code }, `${name}, ${unit}`)));
            shown.textContent = names[who.person] && names[who.person] !== who.person ? names[who.person] : "";
        }
        return el("span", { class: "studio-tree-pair" }, input, list, shown);
    }

    function partyRow(step, path, number) {
        const party = step.parties[number];
        const place = [...path, "parties", number];
        const cells = [select(words.who, whoChoices, chosenOf(party.who), (chosen) => { party.who = whoOf(chosen, party.who); if (party.who.kind !== "role") party.need = "any"; turned(at(place, party.who.kind === "person" ? "who/person" : "who")); }, { "data-at": at(place, "who") })];
        if (party.who.kind === "person") cells.push(personBox(party.who, at(place, "who/person")));
        if (party.who.kind === "role") {
            const isCount = party.need !== "any" && party.need !== "all";
            cells.push(select(words.need, [["any", words.any], ["all", words.all], ["count", words.several]], isCount ? "count" : party.need, (chosen) => { party.need = chosen === "count" ? 2 : chosen; turned(at(place, chosen === "count" ? "need" : "need/how")); }, { "data-at": at(place, isCount ? "need/how" : "need") }));
            if (isCount) cells.push(box(words.count, party.need, at(place, "need"), (text, more) => { party.need = /^\d+$/.test(text.trim()) ? Number(text.trim()) : text; changed(more); }, { class: "studio-input studio-input-figure", inputmode: "numeric", size: 3 }));
        }
        const remove = step.parties.length > 1 ? iconButton("close", words.remove_party, () => { step.parties.splice(number, 1); turned(at(path, "parties/add")); }, { "data-at": at(place, "remove") }) : null;
        return el("li", { class: "policy-party", "data-path": at(place) }, el("div", { class: "studio-tree-cells" }, ...cells, remove));
    }

    function escalation(step, path) {
        const whos = step.escalate.map((who, number) => {
            const place = [...path, "escalate", number];
            const remove = iconButton("close", filled(words.escalate_remove, { who: inWords(who) }), () => { step.escalate.splice(number, 1); turned(at(path, "escalate/add")); });
            const chooser = select(words.escalate, whoChoices, chosenOf(who), (chosen) => { step.escalate[number] = whoOf(chosen, who); turned(at(place)); }, { "data-at": at(place) });
            return el("span", { class: "studio-tree-pair", "data-path": at(place) }, chooser, who.kind === "person" ? personBox(who, at(place, "person")) : null, remove);
        });
        const adder = select(words.escalate, [["", words.escalate_add], ...whoChoices], "", (chosen) => { if (chosen) { step.escalate.push(whoOf(chosen)); turned(at(path, "escalate", step.escalate.length - 1)); } }, { "data-at": at(path, "escalate/add") });
        return el("div", { class: "studio-tree-cells policy-terms" }, el("span", {}, words.escalate), ...whos, adder);
    }

    function stepCard(band, path) {
        const step = band.steps[path.at(-1)];
        const node = el("li", { class: "policy-step", "data-path": at(path) },
            el("div", { class: "policy-step-head" }, handle(path), el("strong", {}, nameOf(path)), actions(path)),
            el("ul", { class: "policy-parties" }, step.parties.map((_, number) => partyRow(step, path, number)),
                el("li", {}, quietButton(`+ ${words.add_party}`, () => add(step.parties, freshStep().parties[0], at(path, "parties", step.parties.length - 1, "who")), { "data-at": at(path, "parties/add") }))),
            el("div", { class: "studio-tree-cells policy-terms" },
                el("span", { class: "policy-term" }, words.hours, hoursBox(words.hours_label, step, "hours", path), words.hours_after),
                el("span", { class: "policy-term" }, words.remind, hoursBox(words.remind_label, step, "remind", path), words.hours_after)),
            step.hours || step.escalate.length ? escalation(step, path) : null);
        return movable(node, path);
    }

    function bandCard(number) {
        const band = definition.bands[number];
        const path = ["bands", number];
        const condition = el("div", {});
        const steps = el("ol", { class: "policy-steps" }, band.steps.map((_, each) => stepCard(band, [...path, "steps", each])));
        const node = el("section", { class: "policy-band", "data-path": at(path), "aria-label": nameOf(path) },
            el("h2", { class: "studio-unseen" }, nameOf(path)),
            el("div", { class: "policy-band-head" }, handle(path),
                box(words.name, band.name, at(path, "name"), (text, more) => { band.name = text; changed(more); }, { class: "studio-input policy-name", placeholder: words.name, maxlength: 80 }), actions(path)),
            el("div", { "data-faults": true }),
            el("p", { class: "policy-sentence", "data-policy-sentence": number }, judged.sentences[number] || "…"),
            box(words.why, band.why, at(path, "why"), (text, more) => { band.why = text; changed(more); }, { class: "studio-input policy-why", placeholder: words.why, maxlength: 500 }),
            el("h3", {}, words.when), condition,
            el("h3", {}, words.steps), band.steps.length ? steps : el("p", { class: "studio-hint" }, words.no_steps),
            el("div", { class: "studio-buttons" }, quietButton(`+ ${words.add_step}`, () => add(band.steps, freshStep(), at(path, "steps", band.steps.length - 1, "parties/0/who")), { "data-at": at(path, "steps/add") })));
        const builder = Conditions.builder(condition, { tree: band.when, path: [...path, "when"], catalogue: config.catalogue, units: config.units, named: {}, seen: config.seen, left: askSoon,
            changed: (tree, more) => { band.when = tree; changed(more); } });
        band.when = builder.tree;
        return movable(node, path);
    }

    function draw(focus) {
        const was = host.contains(document.activeElement) ? document.activeElement.dataset.at : null;
        host.replaceChildren(...definition.bands.map((_, number) => bandCard(number)),
            el("div", { class: "studio-buttons" }, quietButton(`+ ${words.add_band}`, () => add(definition.bands, freshBand(), at("bands", definition.bands.length - 1, "name")), { "data-at": "bands/add" })),
            el("div", { class: "policy-otherwise", "data-path": "otherwise" }, el("span", {}, words.otherwise),
                select(words.otherwise, [["at_once", words.at_once], ["refused", words.refused]], definition.otherwise, (chosen) => { definition.otherwise = chosen; changed({ at: "otherwise" }); }, { "data-at": "otherwise" })),
            el("div", { "data-path": "" }));
        focusAt(host, focus || was);
        showFaults();
    }
    function showFaults() { Conditions.faults.show(host, judged.faults); }

    // The history, the saving, and what the server says.
    const history = Conditions.history(definition);
    const travels = Conditions.historyButtons(history, form.parentElement, config.catalogue.words, ({ value, at: place }) => {
        definition = whole(value);
        draw(place);
        sent();
    });
    part("history").append(...travels.buttons);
    const text = () => JSON.stringify(definition);
    const saving = Conditions.saving({ host, form, config, note: part("saved"), changed: part("changed"), definition: text,
        adopt: (theirs) => { definition = whole(theirs); draw(); changed({}); } });

    function turned(focus, say) {
        draw(focus);
        if (say) announce(say);
        changed({ at: focus });
    }
    function changed(more) {
        history.record(definition, more || {});
        travels.refresh();
        sent();
    }
    function sent() {
        isTouched = true;
        saving.touch();
        askSoon();
    }
    let timer = null;
    let asked = 0;
    function askSoon() { clearTimeout(timer); timer = setTimeout(ask, 300); }
    function post(address, values) {
        const body = new FormData();
        body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
        for (const [name, value] of Object.entries({ definition: text(), ...values })) body.set(name, value);
        return fetch(address, { method: "POST", body, headers: { Accept: "application/json" } }).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
    }
    async function ask() {
        const number = ++asked;
        const said = await post(config.preview);
        if (number !== asked || !said) return;
        judged = said;
        for (const node of host.querySelectorAll("[data-policy-sentence]")) node.textContent = said.sentences[Number(node.dataset.policySentence)] || "…";
        document.dispatchEvent(new CustomEvent("policyread", { detail: said }));
        if (isTouched || said.faults.length) {
            showFaults();
            saving.judged(said.faults);
        }
    }
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.matches("input") && !event.ctrlKey && !event.metaKey) event.preventDefault(); });

    draw();
    window.policyEditor = { form, config, post, personBox, icon, definition: () => definition, isTouched: () => isTouched, settle: () => saving.settle() };
    ask();
});
