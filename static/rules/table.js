// A decision table: rows of conditions and what each gives. Points are pasted as a column, or as two with the values
// that the rows ask for; a row is dragged, moved by Alt+↑ ↓, duplicated, and its points filled down.
"use strict";

// A row that asks as `like` does, or about the amount; points as `like` gives them. What is empty in a new one is no
// fault before somebody has been there.
RuleParts.tableRow = (like = {}) => {
    const amount = { all: [{ field: "event.amount", op: "ge", value: "" }] };
    const made = { when: structuredClone(like.when || amount), points: like.points || "", per: like.per || null };
    if (!like.when) for (const each of [made, ...made.when.all]) Conditions.faults.fresh.add(each);
    return made;
};

// `options` are those of the effects, with the effect, its number, and turned(focus) to draw and tell.
RuleParts.table = (options) => {
    const { el, iconButton, quietButton, announce, filled, focusAt } = Conditions;
    const { effect, number, words, catalogue, changed, turned } = options;
    const { rows } = effect;
    const MOST = options.most.rows;
    const at = (row, name) => `effects/${number}/rows/${row}${name ? `/${name}` : ""}`;
    const perWhat = filled(words.row_per, { currency: options.program().currency });
    const body = el("tbody");
    const host = el("div", { class: "studio-table" },
        el("table", {}, el("thead", {}, el("tr", {},
            el("td"), el("th", { scope: "col" }, words.row_when), el("th", { scope: "col", class: "studio-right" }, words.points),
            el("th", { scope: "col", class: "studio-right" }, perWhat))), body),
        el("div", { class: "studio-buttons" },
            rows.length < MOST ? quietButton(`+ ${words.add_row}`, () => insert(rows.length, RuleParts.tableRow()), { "data-at": `effects/${number}/rows:add` }) : null,
            el("span", { class: "studio-hint" }, words.row_paste)));
    body.append(...rows.map(line));
    host.addEventListener("keydown", pressed);
    return host;

    function insert(place, made) { rows.splice(place, 0, made); turned(at(place, "points")); }

    function move(from, to, control = "handle") {
        if (to < 0 || to >= rows.length) { announce(catalogue.words.at_border); return; }
        rows.splice(to, 0, ...rows.splice(from, 1));
        turned(at(to, control));
        announce(filled(catalogue.words.moved, { what: nameOf(to) }));
    }

    function nameOf(row) { return filled(words.row, { number: row + 1 }); }

    function line(row, place) {
        const put = (name) => (value, more) => { row[name] = name === "per" && value === "" ? null : value; changed(more); };
        const figure = (name, label) => RuleParts.figure(`${label}, ${nameOf(place)}`, row[name], at(place, name), put(name), { onpaste: (event) => paste(event, place), placeholder: name === "per" ? words.once : words.points });
        const when = el("div");
        const handle = iconButton("drag_indicator", nameOf(place), () => {}, { class: "studio-icon-button studio-handle", "data-handle": true, title: catalogue.words.handle, "data-at": at(place, "handle"), "aria-keyshortcuts": "Alt+ArrowUp Alt+ArrowDown Control+D Delete" });
        const act = (icon, label, name, press) => iconButton(icon, label, press, { "data-at": at(place, name) });
        const made = el("tr", { "data-path": at(place), "data-table-row": place },
            el("td", {}, handle),
            el("td", { class: "studio-table-when" }, when, el("div", { "data-faults": true })),
            el("td", {}, figure("points", words.points)),
            el("td", {}, figure("per", perWhat)),
            el("td", { class: "studio-table-acts" }, el("span", { class: "studio-tree-actions" },
                act("arrow_upward", catalogue.words.up, "up", () => move(place, place - 1, "up")),
                act("arrow_downward", catalogue.words.down, "down", () => move(place, place + 1, "down")),
                act("content_copy", catalogue.words.duplicate, "copy", () => copy(place)),
                act("vertical_align_bottom", words.fill_down, "fill", () => fill(place)),
                act("close", words.remove_row, "drop", () => drop(place)))));
        Conditions.builder(when, { tree: row.when, path: ["effects", number, "rows", place, "when"], catalogue, units: options.program().units, named: options.program().named, seen: options.seen, left: options.left, isSlim: true,
            changed: (tree, more) => { row.when = tree; changed(more); } });
        Conditions.faults.watch(made, row, options.left);
        Conditions.dragged(handle, made, host, { slots, drop: (slot) => { if (slot.index !== place) move(place, slot.index > place ? slot.index - 1 : slot.index); } });
        return made;
    }

    function slots() {
        const lines = [...body.children];
        return [...lines.map((mark, index) => ({ index, mark, edge: "top" })), { index: lines.length, mark: lines.at(-1), edge: "bottom" }];
    }

    function copy(place) {
        if (rows.length < MOST) insert(place + 1, structuredClone(rows[place]));
        announce(filled(catalogue.words.duplicated, { what: nameOf(place) }));
    }
    function drop(place) {
        rows.splice(place, 1);
        turned(rows.length ? at(Math.min(place, rows.length - 1), "handle") : `effects/${number}/rows:add`);
        announce(filled(catalogue.words.removed, { what: nameOf(place) }));
    }
    function fill(place) {
        for (const row of rows.slice(place + 1)) Object.assign(row, { points: rows[place].points, per: rows[place].per });
        turned(at(place, "fill"));
        announce(filled(words.filled, { n: rows.length - place - 1 }));
    }

    // A column of points; of two columns the first is what the rows ask for. Rows that are missing ask as this one does.
    function paste(event, place) {
        const lines = event.clipboardData.getData("text").split(/\r?\n/).map((each) => each.split("\t").map((cell) => cell.trim())).filter((cells) => cells.some(Boolean));
        if (lines.length < 2 && (lines[0]?.length || 0) < 2) return;
        event.preventDefault();
        const name = event.target.dataset.at.split("/").at(-1);
        const like = structuredClone(rows[place]);
        lines.slice(0, MOST - place).forEach((cells, index) => {
            rows[place + index] ??= RuleParts.tableRow(like);
            const row = rows[place + index];
            row[name] = cells.at(-1).replace(/(\d),(?=\d{3}\b)/g, "$1");
            if (cells.length > 1) row.when = asking(structuredClone(like.when), cells[0]);
        });
        turned(at(place, name));
        announce(filled(words.pasted_rows, { n: lines.length }));
    }

    // The condition with another value where it asks first.
    function asking(tree, text) {
        const find = (node) => (node.value !== undefined && node.field ? node : [...(node.all || node.any || []), node.not, node.where].filter(Boolean).map(find).find(Boolean));
        const leaf = find(tree);
        if (leaf) leaf.value = Array.isArray(leaf.value) ? text.split(/[,，、;；]/).map((each) => each.trim()).filter(Boolean) : text;
        return tree;
    }

    function pressed(event) {
        if (event.defaultPrevented || event.isComposing || event.target.closest(".studio-builder")) return;
        const row = event.target.closest("[data-table-row]");
        if (!row) return;
        const place = Number(row.dataset.tableRow);
        const control = event.target.dataset.at?.split("/").at(-1) || "handle";
        const isHandle = event.target.matches("[data-handle]");
        const by = { ArrowUp: -1, ArrowDown: 1, Enter: event.target.matches("input") ? 1 : 0 }[event.key] || 0;
        if (event.altKey && by) move(place, place + by, control);
        else if (by && !event.ctrlKey && !event.metaKey && (isHandle || event.target.matches("input"))) {
            if (rows[place + by]) focusAt(host, at(place + by, control));
        } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "d") copy(place);
        else if (isHandle && (event.key === "Delete" || event.key === "Backspace")) drop(place);
        else return;
        event.preventDefault();
    }
};
