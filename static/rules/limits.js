// Limits: at most so many points or times, for whom, in which period. It turns the list over in place and tells its host.
"use strict";

// `options`: limits() the list as it is, choices of each select, the most there may be, words,
// changed(more).
RuleParts.limits = (host, options) => {
    const { el, select, iconButton, quietButton, redraw } = Conditions;
    const { words, choices, most, changed } = options;

    function draw(focus) {
        const limits = options.limits();
        const add = quietButton(`+ ${words.add_limit}`, () => {
            limits.push({ per: "member", period: "day", of: "points", most: "" });
            turned(`limits/${limits.length - 1}/most`);
        }, { "data-at": "limits:add" });
        redraw(host, [...limits.map(row), ...(limits.length < most ? [add] : []), el("p", { class: "studio-hint" }, words.limit_hint)], focus);
    }

    function turned(focus) { draw(focus); changed({ at: focus }); }

    function row(limit, number) {
        const at = `limits/${number}`;
        const put = (name) => (value, more) => { limit[name] = value; changed(more || { at: `${at}/${name}` }); };
        const choose = (name) => select(words[`limit_${name}`], choices[name], limit[name], put(name), { "data-at": `${at}/${name}` });
        const remove = iconButton("close", words.remove_limit, () => { options.limits().splice(number, 1); turned("limits:add"); });
        return el("div", { class: "studio-effect", "data-path": at }, el("div", { class: "studio-tree-row" },
            el("div", { class: "studio-tree-cells" }, el("span", {}, words.at_most),
                RuleParts.figure(words.most, limit.most, `${at}/most`, put("most"), { inputmode: "numeric", size: 10 }), choose("of"), choose("period"), choose("per")),
            remove));
    }

    return { draw };
};
