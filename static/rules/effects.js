// What members earn: one card per effect of a rule's draft. It turns the effects over in place and tells its host.
"use strict";

window.RuleParts = {};

// A box for a figure; what is typed into it is one step to undo.
RuleParts.figure = (label, value, at, put, more) => {
    const box = Conditions.el("input", {
        class: "studio-input studio-input-figure", "aria-label": label, value: value ?? "", autocomplete: "off", inputmode: "decimal", size: 6, "data-at": at, ...more,
        oninput: () => put(box.value.trim(), { typed: at }),
    });
    return box;
};

// `options`: effects() the list as it is, program() with its kinds and units, catalogue, words, choices, most of each
// list, changed(more).
RuleParts.effects = (host, options) => {
    const { el, select, iconButton, quietButton, redraw } = Conditions;
    const { words, choices, program, changed } = options;
    const { figure } = RuleParts;
    const FRESH = {
        points_per_amount: { points: "1", per: "1", rounding: "down", lines: null },
        points_per_quantity: { points: "1", per: "1", rounding: "down", lines: null },
        fixed_points: { points: "" },
        multiply: { times: "2", of: "base", rounding: "down" },
        table: { hit: "first", rounding: "down", rows: [] },
        tag: { tag: "", start: "now", days: null },
        hold_for_review: { reason: "" },
    };
    // What a rate may leave out of what was paid.
    const LEAVES_OUT = { points_per_amount: ["tax", "shipping"], points_per_quantity: ["shipping"], table: ["tax", "shipping"] };
    // What gives no points has no kind of them.
    const WITHOUT_KIND = ["tag", "hold_for_review"];
    // What may carry its remainder on to the next event.
    const CARRIES = ["points_per_amount", "points_per_quantity"];
    const opened = new Set(); // cards whose further choices are shown
    const firstKind = () => (program().kinds[0] || [""])[0];
    const isKind = (code) => program().kinds.some(([each]) => each === code);

    // An effect of another kind, with what the two have in common.
    function fresh(kind, before = {}) {
        const parts = structuredClone(FRESH[kind]);
        for (const name of Object.keys(parts)) if (before[name]) parts[name] = before[name];
        if (parts.rounding === "carry" && !CARRIES.includes(kind)) parts.rounding = "down";
        const left = before.without?.filter((part) => LEAVES_OUT[kind]?.includes(part));
        if (left?.length) parts.without = left;
        if (LEAVES_OUT[kind] && before.each) parts.each = before.each;
        if (kind === "table" && !parts.rows.length) parts.rows.push(RuleParts.tableRow());
        const made = { effect: kind, ...(WITHOUT_KIND.includes(kind) ? {} : { point_type: before.point_type || firstKind() }), ...parts };
        Conditions.faults.fresh.add(made);
        return made;
    }

    function draw(focus) {
        const effects = options.effects();
        for (const effect of effects) if (!WITHOUT_KIND.includes(effect.effect)) effect.point_type ||= firstKind();
        const add = quietButton(`+ ${words.add_effect}`, () => {
            effects.push(fresh("fixed_points"));
            turned(`effects/${effects.length - 1}/effect`);
        }, { "data-at": "effects:add" });
        redraw(host, [...effects.map(card), ...(effects.length < options.most.effects ? [add] : [])], focus);
    }

    function turned(focus) { draw(focus); changed({ at: focus }); }

    function card(effect, number) {
        const at = `effects/${number}`;
        const put = (name) => (value, more) => { effect[name] = value; changed(more || { at: `${at}/${name}` }); };
        const box = (name, label) => figure(label, effect[name], `${at}/${name}`, put(name));
        const choose = (name, label, offered) => select(label, offered, effect[name], put(name), { "data-at": `${at}/${name}` });
        const rounding = () => choose("rounding", words.rounding, choices.rounding.filter(([code]) => code !== "carry" || CARRIES.includes(effect.effect)));
        const lines = () => select(words.lines, [["all", words.all_lines], ["some", words.some_lines]], effect.lines ? "some" : "all", (chosen) => {
            effect.lines = chosen === "some" ? { all: [{ field: "line.category", op: "in", value: [] }] } : null;
            turned(`${at}/lines`);
        }, { "data-at": `${at}/lines` });
        const parts = {
            fixed_points: () => [box("points", words.points)],
            points_per_amount: () => [box("points", words.points), el("span", {}, words.points_for_each), el("span", { class: "studio-unit" }, program().currency), box("per", words.amount), el("span", {}, words.spent), rounding(), lines()],
            points_per_quantity: () => [box("points", words.points), el("span", {}, words.points_for_pieces), box("per", words.quantity), el("span", {}, words.pieces), rounding(), lines()],
            multiply: () => [box("times", words.times), el("span", {}, words.times_what), choose("of", words.multiplied, choices.of), rounding()],
            tag: () => RuleParts.tag(effect, at, { words, choices, seen: options.seen, put, turned }),
            hold_for_review: () => [el("span", {}, words.held_because), figure(words.held_because, effect.reason, `${at}/reason`, put("reason"), { class: "studio-input", inputmode: "text", size: 32, maxlength: 200 })],
            table: () => [choose("hit", words.hit, choices.hit), effect.rows.some((row) => row.per) ? rounding() : null],
        };
        const isUsed = Boolean(effect.without?.length || effect.each);
        const more = () => {
            const offered = choices.without.filter(([code]) => !code || code.split(" ").every((part) => LEAVES_OUT[effect.effect].includes(part)));
            const made = el("details", { class: "studio-more", open: isUsed || opened.has(at) },
                el("summary", {}, words.more),
                el("div", { class: "studio-tree-cells" },
                    select(words.without, offered, (effect.without || []).join(" "), (chosen) => put("without")(chosen ? chosen.split(" ") : undefined), { "data-at": `${at}/without` }),
                    select(words.each, choices.each, effect.each || "", (chosen) => put("each")(chosen || undefined), { "data-at": `${at}/each` })));
            made.addEventListener("toggle", () => (made.open ? opened.add(at) : opened.delete(at)));
            return made;
        };
        const hasMore = LEAVES_OUT[effect.effect] && (isUsed || effect.effect !== "table" || effect.rows.some((each) => each.per));
        const { kinds } = program();
        const row = el("div", { class: "studio-tree-cells" },
            select(words.how, choices.effect, effect.effect, (kind) => { options.effects()[number] = fresh(kind, effect); turned(`${at}/effect`); }, { "data-at": `${at}/effect` }),
            parts[effect.effect]?.() || [],
            !WITHOUT_KIND.includes(effect.effect) && (kinds.length > 1 || !isKind(effect.point_type)) ? choose("point_type", words.kind, kinds) : null);
        const remove = iconButton("close", words.remove_effect, () => { options.effects().splice(number, 1); turned("effects:add"); });
        const made = el("div", { class: "studio-effect", "data-path": at }, el("div", { class: "studio-tree-row" }, row, remove));
        Conditions.faults.watch(made, effect, options.left);
        if (hasMore) made.append(more());
        if (effect.lines) {
            const below = el("div", { class: "studio-tree-where" });
            made.append(below);
            Conditions.builder(below, { tree: effect.lines, path: ["effects", number, "lines"], catalogue: options.catalogue.line, units: program().units, seen: options.seen, left: options.left,
                changed: (tree, more) => { effect.lines = tree; changed(more); } });
        }
        if (effect.effect === "table") made.append(RuleParts.table({ ...options, effect, number, turned }));
        return made;
    }

    // In another programme its own kinds of points are given.
    function moved() { for (const effect of options.effects()) if (!WITHOUT_KIND.includes(effect.effect) && !isKind(effect.point_type)) effect.point_type = firstKind(); }

    return { draw, moved };
};
