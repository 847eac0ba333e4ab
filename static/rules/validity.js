// When a rule's points expire and become spendable, where it says so itself and not the kind of points.
"use strict";

// `options`: validity() as it is, put(it), choices of each select, words, changed(more).
RuleParts.validity = (host, options) => {
    const { el, select, redraw } = Conditions;
    const { words, choices, put, changed } = options;
    const FRESH = {
        expiry: { never: { kind: "never" }, after_days: { kind: "after_days", days: "" }, end_of: { kind: "end_of", period: "year", plus_years: "1", plus_days: "0" } },
        pending: { days: { days: "14" }, until: { until: "" } },
    };
    const nameOf = { expiry: (part) => part?.kind || "", pending: (part) => (part ? ("until" in part ? "until" : "days") : "") };

    function draw(focus) {
        redraw(host, [row("expiry", expiryCells), row("pending", pendingCells),
            ...(options.validity()?.pending?.until === undefined ? [] : [el("p", { class: "studio-hint" }, words.until_hint)])], focus);
    }

    function row(name, cells) {
        const part = options.validity()?.[name] || null;
        const at = `validity/${name}`;
        const choose = (chosen) => {
            const all = { expiry: null, pending: null, ...options.validity(), [name]: chosen ? structuredClone(FRESH[name][chosen]) : null };
            put(all.expiry || all.pending ? all : null);
            draw(at);
            changed({ at });
        };
        return el("div", { class: "studio-effect", "data-path": at }, el("div", { class: "studio-tree-cells" },
            el("span", {}, words[`validity_${name}`]), select(words[`validity_${name}`], choices[name], nameOf[name](part), choose, { "data-at": at }), ...(part ? cells(part, at) : [])));
    }

    const figure = (part, name, at, label, more = {}) => RuleParts.figure(label, part[name], `${at}/${name}`,
        (value, told) => { part[name] = value; changed(told); }, { inputmode: "numeric", size: 4, ...more });

    function expiryCells(policy, at) {
        if (policy.kind === "after_days") return [figure(policy, "days", at, words.validity_days)];
        if (policy.kind !== "end_of") return [];
        const period = select(words.validity_period, choices.period, policy.period, (value) => { policy.period = value; changed({ at: `${at}/period` }); }, { "data-at": `${at}/period` });
        const more = (name, unit) => el("span", { class: "studio-figure-pair" }, el("span", {}, words.plus), figure(policy, name, at, words[name]), el("span", {}, unit));
        return [period, more("plus_years", words.years), more("plus_days", words.days)];
    }

    function pendingCells(pending, at) {
        if ("until" in pending) return [figure(pending, "until", at, words.until_kind, { inputmode: "text", size: 14, class: "studio-input" })];
        return [figure(pending, "days", at, words.validity_days)];
    }

    return { draw };
};
