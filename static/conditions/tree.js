// The editor of a condition tree. It works on the tree's own JSON, so what it shows is what is stored, and a fault's
// path leads to its row. `ConditionTree(host, options)` draws `options.tree` and calls `options.changed(tree)`.
"use strict";

window.ConditionTree = (() => {
    const MODES = { all: ["all"], any: ["any"], "not any": ["not", "any"], "not all": ["not", "all"] };

    function el(tag, attributes, ...children) {
        const node = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes || {})) {
            if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
            else if (value === true) node.setAttribute(name, "");
            else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
        }
        node.append(...children.flat().filter((child) => child || child === 0));
        return node;
    }

    function select(label, options, chosen, change, extra) {
        const box = el("select", { "aria-label": label, class: "studio-input", onchange: () => change(box.value), ...extra });
        const groups = new Map();
        for (const [value, text, group] of options) {
            if (group && !groups.has(group)) {
                groups.set(group, el("optgroup", { label: group }));
                box.append(groups.get(group));
            }
            (group ? groups.get(group) : box).append(el("option", { value, selected: String(value) === String(chosen) }, text));
        }
        return box;
    }

    function iconButton(icon, label, press) {
        return el("button", { type: "button", class: "studio-icon-button", "aria-label": label, title: label, onclick: press },
            el("span", { class: "material-symbols-outlined md-18", "aria-hidden": "true" }, icon));
    }

    const splitValues = (text) => text.split(/[,，、;；\n]/).map((part) => part.trim()).filter(Boolean);

    // A group's mode and where its children stand: {"not": {"any": […]}} is "not any".
    function modeOf(node) {
        for (const [mode, keys] of Object.entries(MODES)) {
            let inner = node;
            for (const key of keys) inner = inner && typeof inner === "object" ? inner[key] : undefined;
            if (Array.isArray(inner)) return { mode, children: inner, keys };
        }
        return null;
    }

    const built = (mode, children) => MODES[mode].reduceRight((inner, key) => ({ [key]: inner }), children);

    // Any tree as a group, so that the uppermost row is always one.
    function asGroup(tree) {
        if (modeOf(tree)) return tree;
        if (tree && tree.not) return built("not any", [tree.not]);
        return tree && typeof tree === "object" && Object.keys(tree).length ? { all: [tree] } : { all: [] };
    }

    class Editor {
        constructor(host, options) {
            Object.assign(this, { host, ...options });
            this.tree = asGroup(options.tree);
            this.path = options.path || [];
            this.draw();
        }

        // Draws everything anew, with the focus where it was; `focus` names a control to go to instead.
        draw(focus) {
            const wanted = focus || document.activeElement?.dataset?.at;
            this.host.replaceChildren(this.group(this.tree, this.path, (tree) => { this.tree = tree; }, this.catalogue, 1, null));
            if (wanted) this.host.querySelector(`[data-at="${CSS.escape(wanted)}"]`)?.focus();
        }

        told() { this.changed(this.tree); }

        group(node, path, put, catalogue, depth, remove) {
            const { mode, children, keys } = modeOf(node);
            const words = catalogue.words;
            const at = path.join("/");
            const inner = [...path, ...keys];
            const change = (list, focus) => { put(built(mode, list)); this.draw(focus); this.told(); };
            const head = el("div", { class: "studio-tree-head" },
                select(words.how, catalogue.modes, mode, (chosen) => { put(built(chosen, children)); this.draw(); this.told(); }, { "data-at": `${at}:mode` }),
                remove && iconButton("close", words.remove_group, remove));
            const list = el("ul", { class: "studio-tree-rows" });
            children.forEach((child, number) => {
                const place = [...inner, number];
                const set = (value) => { children[number] = value; };
                const drop = () => change(children.filter((_, other) => other !== number), `${at}:add`);
                let row;
                if (modeOf(child) || child.not) {
                    if (!modeOf(child)) { children[number] = asGroup(child); }
                    row = this.group(children[number], place, set, catalogue, depth + 1, drop);
                } else row = this.leaf(child, place, set, catalogue, depth, drop);
                list.append(el("li", { "data-path": place.join("/") }, row));
            });
            const start = () => ({ field: catalogue.fields[0].name, op: catalogue.operators[catalogue.fields[0].type][0].code, value: "" });
            const add = (made) => change([...children, made], `${[...inner, children.length].join("/")}:field`);
            return el("div", { class: `studio-tree${depth > 1 ? " studio-tree-inner" : ""}`, role: "group", "data-path": at }, head,
                children.length ? list : el("p", { class: "studio-hint" }, words.always),
                el("div", { class: "studio-buttons" },
                    el("button", { type: "button", class: "studio-button studio-button-quiet studio-button-small", "data-at": `${at}:add`, onclick: () => add(start()) }, `+ ${words.add}`),
                    depth < 6 && el("button", { type: "button", class: "studio-button studio-button-quiet studio-button-small", onclick: () => add({ any: [start()] }) }, `+ ${words.group}`)));
        }

        leaf(node, path, put, catalogue, depth, drop) {
            const words = catalogue.words;
            const at = path.join("/");
            const change = (made, focus) => { put(made); this.draw(focus); this.told(); };
            const choices = [
                ...catalogue.fields.map((field) => [field.name, field.label, field.group]),
                ...catalogue.families.map((family) => [`${family.prefix}.`, family.label, family.group]),
                ...(catalogue.lines ? catalogue.lines.quantifiers.map(([code, label]) => [`lines ${code}`, label, catalogue.lines.label]) : []),
            ];
            const family = catalogue.families.find((each) => String(node.field).startsWith(`${each.prefix}.`));
            const chosen = node.lines ? `lines ${node.lines}${node.lines === "sum" ? ` ${node.of}` : ""}` : family ? `${family.prefix}.` : node.field;
            const pick = (name) => {
                if (!name.startsWith("lines ")) return this.fresh(name, catalogue);
                const [, quantifier, of] = name.split(" ");
                const where = { all: [] };
                if (quantifier === "count") return { lines: "count", where: null, op: "ge", value: "" };
                if (quantifier === "sum") return { lines: "sum", of, where: null, op: "ge", value: "" };
                return { lines: quantifier, where };
            };
            const row = el("div", { class: "studio-tree-cells" },
                select(words.field, choices, chosen, (name) => change(pick(name), `${at}:field`), { "data-at": `${at}:field` }));
            let below = null;
            if (node.lines) {
                if (node.op) row.append(this.operator(node, at, "number", catalogue, change), this.editor(node, at, { type: "number", choices: [] }, catalogue));
                const where = (tree) => { node.where = tree; };
                if (node.where) {
                    node.where = asGroup(node.where);
                    below = el("div", { class: "studio-tree-where" }, node.op ? el("p", { class: "studio-hint" }, words.where) : null,
                        this.group(node.where, [...path, "where"], where, catalogue.line, depth + 1, node.op ? () => change({ ...node, where: null }, `${at}:field`) : null));
                } else row.append(el("button", { type: "button", class: "studio-button studio-button-quiet studio-button-small", onclick: () => change({ ...node, where: { all: [] } }) }, words.only_where));
            } else {
                const field = family ? { type: "any", choices: [] } : catalogue.fields.find((each) => each.name === node.field);
                if (family) {
                    const key = el("input", { class: "studio-input", "aria-label": words.key, placeholder: words.key, maxlength: 60, value: node.field.slice(family.prefix.length + 1), "data-at": `${at}:key`,
                        oninput: () => { node.field = `${family.prefix}.${key.value}`; this.told(); } });
                    row.append(key);
                }
                if (field) row.append(...[this.operator(node, at, field.type, catalogue, change), this.editor(node, at, field, catalogue)].filter(Boolean));
            }
            return el("div", {}, el("div", { class: "studio-tree-row" }, row, iconButton("close", words.remove, drop)), below);
        }

        // A leaf about another field, with the first operator it takes.
        fresh(name, catalogue) {
            const field = catalogue.fields.find((each) => each.name === name);
            return this.withOperator({ field: name }, catalogue.operators[field ? field.type : "any"][0]);
        }

        withOperator(node, operator) {
            const { value: old, ...rest } = node;
            const made = { ...rest, op: operator.code };
            const many = Array.isArray(old) ? old : old === undefined || old === "" ? [] : [old];
            if (operator.shape === "one") made.value = many[0] ?? "";
            if (operator.shape === "many") made.value = many;
            if (operator.shape === "two") made.value = [many[0] ?? "", many[1] ?? ""];
            return made;
        }

        operator(node, at, type, catalogue, change) {
            const offered = catalogue.operators[type].filter((each) => !node.lines || each.shape === "one");
            return select(catalogue.words.operator, offered.map((each) => [each.code, each.label]), node.op,
                (code) => change(this.withOperator(node, offered.find((each) => each.code === code)), `${at}:op`), { "data-at": `${at}:op` });
        }

        editor(node, at, field, catalogue) {
            const words = catalogue.words;
            const shape = catalogue.operators[field.type].find((each) => each.code === node.op)?.shape;
            const put = (value) => { node.value = value; this.told(); };
            const named = this.choicesOf(field, catalogue);
            if (shape === "one") return this.one(field, named, node.value, put, words.value, `${at}:value`, words);
            if (shape === "two") {
                const pair = [...node.value];
                const half = (number, label) => this.one(field, named, pair[number], (value) => { pair[number] = value; put([...pair]); }, label, `${at}:value${number}`, words);
                return el("span", { class: "studio-tree-pair" }, half(0, words.low), el("span", { "aria-hidden": "true" }, words.and), half(1, words.high));
            }
            if (shape !== "many") return null;
            if (named) return this.chips(node, named, at, catalogue);
            const box = el("input", { class: "studio-input studio-grow", "aria-label": words.value, placeholder: words.commas, title: words.commas, value: (node.value || []).join(", "), "data-at": `${at}:value`,
                oninput: () => put(splitValues(box.value).map((part) => (field.type === "integer" && part !== "" ? Number(part) : part))) });
            return box;
        }

        choicesOf(field, catalogue) {
            if (field.type === "unit") return this.units;
            if (field.type === "weekday") return catalogue.weekdays;
            if (field.type === "hour") return [...Array(24).keys()].map((hour) => [hour, `${String(hour).padStart(2, "0")}:00`]);
            return field.choices.length ? field.choices : null;
        }

        one(field, named, value, put, label, at, words) {
            const isNumber = field.type === "weekday" || field.type === "hour";
            if (named) return select(label, [["", words.choose], ...named], value, (chosen) => put(isNumber && chosen !== "" ? Number(chosen) : chosen), { "data-at": at });
            const kind = { date: { type: "date" }, number: { inputmode: "decimal", size: 10 }, integer: { inputmode: "numeric", size: 10 } }[field.type] || {};
            const box = el("input", { class: "studio-input", "aria-label": label, placeholder: field.type === "date" ? null : label, value: value ?? "", autocomplete: "off", "data-at": at, ...kind, oninput: () => put(box.value) });
            return box;
        }

        // Several of a list: what is chosen as chips, and a list to add from.
        chips(node, named, at, catalogue) {
            const words = catalogue.words;
            const values = Array.isArray(node.value) ? node.value : [];
            const put = (list) => { node.value = list; this.draw(`${at}:value`); this.told(); };
            const text = (value) => (named.find(([code]) => code === value) || [value, value])[1];
            const left = named.filter(([code]) => !values.includes(code));
            return el("span", { class: "studio-tree-chips" },
                values.map((value) => el("span", { class: "studio-chip" }, String(text(value)).trim(), iconButton("close", `${words.remove}: ${String(text(value)).trim()}`, () => put(values.filter((other) => other !== value))))),
                left.length ? select(words.value, [["", `+ ${words.choose}`], ...left], "", (chosen) => put([...values, left.find(([code]) => String(code) === chosen)[0]]), { "data-at": `${at}:value` }) : null);
        }
    }

    const make = (host, options) => new Editor(host, options);
    return Object.assign(make, { el, select, iconButton });
})();
