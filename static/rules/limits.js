// Limits: at most so many points or times, for whom, in which period. It turns the list over in place and tells its host.
"use strict";

// `options`: limits() the list as it is, choices of each select, words, changed(more).
RuleParts.limits = (host, options) => {
    const { el, select, iconButton, quietButton, focusAt } = Conditions;
    const { words, choices, changed } = options;
    const MOST = 5;

    function draw(focus) {
        const was = host.contains(document.activeElement) ? document.activeElement.dataset.at : null;
        const limits = options.limits();
        const add = quietButton(`+ ${words.add_limit}`, () => {
            limits.push({ per: "member", period: "day", of: "points", most: "" });
            turned(`limits/${limits.length - 1}/most`);
        }, { "data-at": "limits:add" });
        host.replaceChildren(...limits.map(row), ...(limits.length < MOST ? [add] : []), el("p", { class: "studio-hint" }, words.limit_hint));
        focusAt(host, focus || was);
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
