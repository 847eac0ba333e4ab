// Limits: at most so many points, times or pieces, or so much money, for whom, in which period. It turns the list over in place and tells its host.
"use strict";

// `options`: limits() the list as it is, program() with its currency, choices of each select, the most there may be, words,
// changed(more), left() when the focus leaves a new row.
RuleParts.limits = (host, options) => {
    const { el, select, iconButton, quietButton, redraw } = Conditions;
    const { program, words, choices, most, changed, left } = options;

    function draw(focus) {
        const limits = options.limits();
        const add = quietButton(`+ ${words.add_limit}`, () => {
            const made = { per: "member", period: "day", of: "points", most: "" };
            Conditions.faults.fresh.add(made);
            limits.push(made);
            turned(`limits/${limits.length - 1}/most`);
        }, { "data-at": "limits:add" });
        redraw(host, [...limits.map(row), ...(limits.length < most ? [add] : []), el("p", { class: "studio-hint" }, words.limit_hint)], focus);
    }

    function turned(focus) { draw(focus); changed({ at: focus }); }

    function row(limit, number) {
        const at = `limits/${number}`;
        const put = (name) => (value, more) => { limit[name] = value; changed(more || { at: `${at}/${name}` }); };
        const choose = (name, offered = choices[name], chosen = put(name)) => select(words[`limit_${name}`], offered, limit[name], chosen, { "data-at": `${at}/${name}` });
        // For one event there is no period, and no number of times.
        const isOfEvent = limit.per === "event";
        const redrawn = (name) => (value) => {
            limit[name] = value;
            if (limit.per === "event") limit.period = "ever";
            if (limit.per === "event" && limit.of === "times") limit.of = "points";
            turned(`${at}/${name}`);
        };
        const remove = iconButton("close", words.remove_limit, () => { options.limits().splice(number, 1); turned("limits:add"); });
        const made = el("div", { class: "studio-effect", "data-path": at }, el("div", { class: "studio-tree-row" },
            el("div", { class: "studio-tree-cells" }, el("span", {}, words.at_most),
                ["amount", "cost"].includes(limit.of) ? el("span", { class: "studio-unit" }, program().currency) : null,
                RuleParts.figure(words.most, limit.most, `${at}/most`, put("most"), { inputmode: "decimal", size: 10 }),
                choose("of", choices.of.filter(([of]) => !(isOfEvent && of === "times")), redrawn("of")),
                isOfEvent ? null : choose("period"), choose("per", choices.per, redrawn("per"))),
            remove));
        Conditions.faults.watch(made, limit, left);
        return made;
    }

    return { draw };
};
