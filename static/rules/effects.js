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

// `options`: effects() the list as it is, program() with its kinds and units, catalogue, words, changed(more).
RuleParts.effects = (host, options) => {
    const { el, select, iconButton, quietButton, focusAt } = Conditions;
    const { words, program, changed } = options;
    const { figure } = RuleParts;
    const firstKind = () => (program().kinds[0] || [""])[0];
    const fresh = (effect) => (effect === "fixed_points"
        ? { effect, point_type: firstKind(), points: "" }
        : { effect, point_type: firstKind(), points: "1", per: "1", rounding: "down", lines: null });

    function draw(focus) {
        const was = host.contains(document.activeElement) ? document.activeElement.dataset.at : null;
        const effects = options.effects();
        for (const effect of effects) if (!program().kinds.some(([code]) => code === effect.point_type)) effect.point_type = firstKind();
        host.replaceChildren(...effects.map(card), quietButton(`+ ${words.add_effect}`, () => {
            effects.push(fresh("fixed_points"));
            turned(`effects/${effects.length - 1}/effect`);
        }, { "data-at": "effects:add" }));
        focusAt(host, focus || was);
    }

    function turned(focus) { draw(focus); changed({ at: focus }); }

    function card(effect, number) {
        const at = `effects/${number}`;
        const put = (name) => (value, more) => { effect[name] = value; changed(more || { at: `${at}/${name}` }); };
        const turn = (name) => (value) => { effect[name] = value; turned(`${at}/${name}`); };
        const row = el("div", { class: "studio-tree-cells" },
            select(words.how, [["points_per_amount", words.per_amount], ["fixed_points", words.fixed]], effect.effect, (kind) => {
                options.effects()[number] = { ...fresh(kind), point_type: effect.point_type || firstKind() };
                turned(`${at}/effect`);
            }, { "data-at": `${at}/effect` }),
            figure(words.points, effect.points, `${at}/points`, put("points")));
        if (effect.effect === "points_per_amount") {
            row.append(el("span", {}, words.points_for_each), el("span", { class: "studio-unit" }, program().currency),
                figure(words.amount, effect.per, `${at}/per`, put("per")), el("span", {}, words.spent),
                select(words.rounding, ["down", "half_up", "up"].map((each) => [each, words[each]]), effect.rounding, put("rounding"), { "data-at": `${at}/rounding` }),
                select(words.lines, [["all", words.all_lines], ["some", words.some_lines]], effect.lines ? "some" : "all",
                    (chosen) => turn("lines")(chosen === "some" ? { all: [{ field: "line.category", op: "in", value: [] }] } : null), { "data-at": `${at}/lines` }));
        }
        const { kinds } = program();
        if (kinds.length > 1) row.append(select(words.kind, kinds, effect.point_type, put("point_type"), { "data-at": `${at}/point_type` }));
        const remove = iconButton("close", words.remove_effect, () => { options.effects().splice(number, 1); turned("effects:add"); });
        const made = el("div", { class: "studio-effect", "data-path": at }, el("div", { class: "studio-tree-row" }, row, remove));
        if (effect.lines) {
            const below = el("div", { class: "studio-tree-where" });
            made.append(below);
            Conditions.builder(below, { tree: effect.lines, path: ["effects", number, "lines"], catalogue: options.catalogue.line, units: program().units, left: options.left,
                changed: (tree, more) => { effect.lines = tree; changed(more); } });
        }
        return made;
    }

    return { draw };
};
