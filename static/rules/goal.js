// What a rule gathers before it gives: a goal reached once, or a step reached again and again.
"use strict";

// A box for a text, with what was seen before on the browser's own list.
RuleParts.offered = (label, value, at, put, seen) => {
    const list = seen.length ? `studio-seen-${at.replaceAll("/", "-")}` : null;
    const box = RuleParts.figure(label, value, at, put, { class: "studio-input", inputmode: "text", placeholder: label, size: 14, maxlength: 60, list });
    return list ? Conditions.el("span", { class: "studio-tree-pair" }, box, Conditions.values.offers(list, seen)) : box;
};

// `options`: goal() as it is, put(it), program() with its currency and units, catalogue, choices of each select, seen, words,
// left(), changed(more).
RuleParts.goal = (host, options) => {
    const { el, select, redraw } = Conditions;
    const { program, words, choices, put, changed } = options;
    const FRESH = { of: "events", at: "10", fires: "goal", period: "ever", lines: null, attribute: "" };
    const OF_LINES = ["amount", "pieces", "articles", "categories"];
    const OF_ATTRIBUTES = ["attribute_sum", "attribute_values"];

    function draw(focus) {
        const goal = options.goal();
        redraw(host, [goal ? card(goal) : el("div", { class: "studio-effect" }, el("div", { class: "studio-tree-cells" }, fires(null))),
            ...(goal ? [el("p", { class: "studio-hint" }, words.goal_hint)] : [])], focus);
    }

    function turned(focus) { draw(focus); changed({ at: focus }); }

    function fires(goal) {
        return select(words.goal_fires, choices.fires, goal?.fires || "", (chosen) => {
            put(chosen ? { ...(goal || FRESH), fires: chosen } : null);
            turned("accumulator/fires");
        }, { "data-at": "accumulator/fires" });
    }

    function card(goal) {
        const at = (name) => `accumulator/${name}`;
        const set = (name) => (value, more) => { goal[name] = value; changed(more || { at: at(name) }); };
        const choose = (name, chosen = set(name)) => select(words[`goal_${name}`], choices[name], goal[name], chosen, { "data-at": at(name) });
        const of = choose("of", (value) => {
            goal.of = value;
            if (!OF_LINES.includes(value)) goal.lines = null;
            if (!OF_ATTRIBUTES.includes(value)) goal.attribute = "";
            turned(at("of"));
        });
        const lines = () => select(words.lines, [["all", words.all_lines], ["some", words.some_lines]], goal.lines ? "some" : "all", (chosen) => {
            goal.lines = chosen === "some" ? { all: [{ field: "line.category", op: "in", value: [] }] } : null;
            turned(at("lines"));
        }, { "data-at": at("lines") });
        const row = el("div", { class: "studio-tree-cells" }, fires(goal),
            goal.of === "amount" ? el("span", { class: "studio-unit" }, program().currency) : null,
            RuleParts.figure(words.goal_at, goal.at, at("at"), set("at")), of,
            OF_ATTRIBUTES.includes(goal.of) ? RuleParts.offered(words.goal_attribute, goal.attribute, at("attribute"), set("attribute"), options.seen["event.attributes."] || []) : null,
            choose("period"), OF_LINES.includes(goal.of) ? lines() : null);
        const made = el("div", { class: "studio-effect", "data-path": "accumulator" }, row);
        if (goal.lines) {
            const below = el("div", { class: "studio-tree-where" });
            made.append(below);
            Conditions.builder(below, { tree: goal.lines, path: ["accumulator", "lines"], catalogue: options.catalogue.line, units: program().units, seen: options.seen, left: options.left,
                changed: (tree, more) => { goal.lines = tree; changed(more); } });
        }
        return made;
    }

    return { draw };
};

// A tag for the member: its text, from when on, and how long. `put(name)` sets a part of the effect, `turned(focus)` draws it anew.
RuleParts.tag = (effect, at, { words, choices, seen, put, turned }) => {
    const { el, select } = Conditions;
    const set = (name, value) => { effect[name] = value; turned(`${at}/${name}`); };
    const hasDays = effect.days !== null && effect.days !== undefined;
    const lasting = [["", effect.start === "now" ? words.tag_for_ever : words.tag_whole_period], ["days", words.tag_days]];
    return [
        RuleParts.offered(words.tag, effect.tag, `${at}/tag`, put("tag"), seen["member.tags"] || []),
        select(words.tag_start, choices.start, effect.start, (value) => set("start", value), { "data-at": `${at}/start` }),
        select(words.tag_lasts, lasting, hasDays ? "days" : "", (chosen) => set("days", chosen ? "30" : null), { "data-at": hasDays ? `${at}/lasts` : `${at}/days` }),
        hasDays ? el("span", { class: "studio-figure-pair" }, RuleParts.figure(words.validity_days, effect.days, `${at}/days`, put("days"), { inputmode: "numeric", size: 4 }), el("span", {}, words.days)) : null,
    ];
};
