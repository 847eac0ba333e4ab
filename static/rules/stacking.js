// How a rule stands beside others: it adds up, or only one of its group gives points.
"use strict";

// `options`: stacking() as it is, put(it), choices, words, changed(more).
RuleParts.stacking = (host, options) => {
    const { el, select, redraw } = Conditions;
    const { words, choices, put, changed } = options;

    function draw(focus) {
        const stacking = options.stacking();
        const row = el("div", { class: "studio-tree-cells" }, select(words.how_stacking, choices, stacking?.take || "", (take) => {
            put(take ? { group: "", order: "1", ...stacking, take } : null);
            draw(take && !stacking ? "stacking/group" : "stacking/take");
            changed({ at: "stacking/take" });
        }, { "data-at": "stacking/take" }));
        if (stacking) {
            const set = (name) => (value, more) => { stacking[name] = value; changed(more); };
            row.append(el("span", {}, words.stacking_group), RuleParts.figure(words.stacking_group, stacking.group, "stacking/group", set("group"), { class: "studio-input", inputmode: "text", size: 14 }),
                el("span", {}, words.stacking_order), RuleParts.figure(words.stacking_order, stacking.order, "stacking/order", set("order"), { inputmode: "numeric", size: 4 }));
        }
        redraw(host, [el("div", { class: "studio-effect", "data-path": "stacking" }, row), ...(stacking ? [el("p", { class: "studio-hint" }, stacking.take === "sum" ? words.stacking_hint_sum : words.stacking_hint)] : [])], focus);
    }

    return { draw };
};
