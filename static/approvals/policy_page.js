// A policy's page round the editor: dialogs, what the draft covers, the trial of a request, and of past ones; and, on the
// page of a new policy, which ways to begin fit what is asked for.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const editor = window.policyEditor;
    for (const button of document.querySelectorAll("[data-opens]")) {
        button.addEventListener("click", async () => {
            const dialog = document.getElementById(button.dataset.opens);
            // What is published is what was saved: what is being written is saved first, then read.
            if (dialog.id !== "publish-dialog" || !editor?.isTouched()) { dialog.showModal(); return; }
            if (await editor.settle()) location.search = "?opens=publish";
            else document.querySelector("[data-policy-editor] .studio-fault")?.scrollIntoView({ block: "center" });
        });
    }
    if (new URLSearchParams(location.search).get("opens") === "publish") document.getElementById("publish-dialog")?.showModal();
    for (const button of document.querySelectorAll("[data-closes]")) button.addEventListener("click", () => button.closest("dialog").close());

    const starts = document.getElementById("policy-starts");
    if (starts) {
        const { says, fits } = JSON.parse(starts.textContent);
        const kind = document.querySelector("select[name=kind]");
        const ways = [...document.querySelectorAll("input[name=start]")];
        for (const way of ways) way.closest("label").append(Conditions.el("small", {}, says[way.value]));
        const show = () => {
            const fitting = ways.filter((way) => (fits[kind.value] || []).includes(way.value));
            for (const way of ways) way.closest("label").hidden = !fitting.includes(way);
            if (!fitting.some((way) => way.checked) && fitting[0]) fitting[0].checked = true;
        };
        kind.addEventListener("change", show);
        show();
    }

    if (!editor) return;
    const { el, select, quietButton } = Conditions;
    const { config } = editor;
    const { words } = config;
    const part = (name) => document.querySelector(`[data-policy-${name}]`);
    const fragment = (html) => document.createRange().createContextualFragment(html);
    const fault = (text) => el("p", { class: "studio-fault" }, text);

    // What the bands cover; each finding has an example that can be tried.
    document.addEventListener("policyread", ({ detail: { remarks } }) => {
        part("remarks").replaceChildren(...remarks.map((remark) => el("li", { class: remark.warns ? "policy-warns" : "" },
            Conditions.icon(remark.warns ? "warning" : "info"), el("span", {}, remark.text, " ", remark.facts ? quietButton(words.try_one, () => tryOne(remark.facts), { class: "studio-link" }) : null))));
        drawFacts();
    });

    // One box for each fact that a condition asks about.
    const values = {};
    const deepest = config.within.reduce((best, each) => (!best || each[2] > best[2] ? each : best), null);
    const place = { unit: deepest?.[0] || "", requester: { person: "" } };
    let drawn = null;
    function asked() {
        const found = new Set();
        JSON.stringify(editor.definition(), (key, value) => { if (key === "field") found.add(value); return value; });
        return config.catalogue.fields.filter((field) => found.has(field.name) && field.name !== "request.unit");
    }
    const asksManager = () => JSON.stringify(editor.definition()).includes('"kind":"manager"');
    function drawFacts(isForced) {
        const fields = asked();
        const sign = fields.map((field) => field.name).join() + asksManager();
        if (sign === drawn && !isForced) return;
        drawn = sign;
        const labelled = (text, control) => el("label", {}, text, control);
        const unit = select(words.unit, config.within.map(([code, name, depth]) => [code, `${"\u2003".repeat(depth)}${name}`]), place.unit, (code) => { place.unit = code; });
        part("facts").replaceChildren(...fields.map((field) => {
            const put = (value) => { values[field.name] = value; };
            const value = values[field.name];
            if (field.type === "boolean") return labelled(field.label, select(field.label, [["", words.unknown], ["true", words.yes], ["false", words.no]], value ?? "", put));
            if (field.type === "choice") return labelled(field.label, select(field.label, [["", words.unknown], ...field.choices], value ?? "", put));
            if (field.type === "unit") return labelled(field.label, select(field.label, [["", words.unknown], ...config.units.map(([code, name]) => [code, name])], value ?? "", put));
            if (field.type === "tags" && field.choices.length) return el("fieldset", { class: "policy-tags" }, el("legend", {}, field.label), field.choices.map(([code, name]) => {
                const box = el("input", { type: "checkbox", value: code, checked: (value || []).includes(code), onchange: () => put([...part("facts").querySelectorAll(`[data-of="${CSS.escape(field.name)}"]:checked`)].map((each) => each.value)), "data-of": field.name });
                return el("label", {}, box, name);
            }));
            const isNumber = ["integer", "number", "hour", "weekday"].includes(field.type);
            const box = el("input", { class: `studio-input${isNumber ? " studio-input-figure" : ""}`, "data-fact": field.name, value: value ?? "", autocomplete: "off", type: field.type === "date" ? "date" : "text", inputmode: isNumber ? "decimal" : null,
                placeholder: field.type === "tags" ? words.tags_hint : null,
                oninput: () => put(field.type === "tags" ? box.value.split(/[,，]/).map((each) => each.trim()).filter(Boolean) : box.value) });
            return labelled(field.label, box);
        }), ...(fields.length ? [] : [el("p", { class: "studio-hint" }, words.nothing_asked)]), labelled(words.unit, unit),
        ...(asksManager() ? [labelled(words.requester, editor.personBox(place.requester, "trial/requester", words.requester, () => {}))] : []));
    }
    function tryOne(facts) {
        for (const name of Object.keys(values)) delete values[name];
        for (const [name, value] of Object.entries(facts)) {
            if (name === "request.unit") { if (config.within.some(([code]) => code === value)) place.unit = value; } else values[name] = typeof value === "boolean" ? String(value) : value;
        }
        drawFacts(true);
        run();
        part("trial").scrollIntoView({ block: "nearest" });
    }
    async function run() {
        const answer = part("trial-answer");
        const known = new Set(asked().map((field) => field.name));
        const facts = Object.fromEntries(Object.entries(values).filter(([name]) => known.has(name)));
        const said = await editor.post(config.try, { facts: JSON.stringify(facts), unit: place.unit, requester: place.requester.person });
        for (const card of document.querySelectorAll(".policy-band")) card.classList.remove("policy-decides");
        if (!said) { answer.replaceChildren(fault(words.not_reached)); return; }
        if (said.refusal) { answer.replaceChildren(fault(said.refusal)); return; }
        if (said.faults) {
            const labels = Object.fromEntries(config.catalogue.fields.map((field) => [field.name, field.label]));
            answer.replaceChildren(...Object.entries(said.faults).map(([name, text]) => fault(`${labels[name]}: ${text}`)));
            return;
        }
        answer.replaceChildren(fragment(said.html));
        document.querySelector(`[data-path="bands/${said.band}"]`)?.classList.add("policy-decides");
    }
    part("try").addEventListener("click", run);
    part("trial").addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.matches("input")) { event.preventDefault(); run(); } });

    part("past").addEventListener("click", async () => {
        const answer = part("past-answer");
        const button = part("past");
        button.setAttribute("aria-busy", "true");
        const said = await editor.post(config.past);
        button.removeAttribute("aria-busy");
        answer.replaceChildren(said?.html ? fragment(said.html) : fault(said?.refusal || words.not_reached));
    });
    drawFacts();
});
