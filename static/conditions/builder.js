// The builder of conditions. It draws a tree, turns it over in place and tells its host, which keeps the history:
// `Conditions.builder(host, {tree, path, catalogue, units, changed})` calls `changed(tree, {at, typed})`. `path` leads
// to the tree in the host's JSON, so that a fault's path leads to its row. `draw(tree)` shows another tree. `named`
// holds what there is to choose from, as [code, name], by field, where it differs from programme to programme; `seen`
// are values to offer by field; `isSlim` leaves out what a single question needs none of.
"use strict";

Conditions.builder = (() => {
    const { el, select, iconButton, quietButton, announce, filled, focusAt } = Conditions;
    const { DEEPEST, get, modeOf, built, normal, listOf, groupOf, scopeOf, depthOf, move, step, duplicate, remove } = Conditions.tree;
    const { editor, windowOf, WINDOW, offers } = Conditions.values;
    const { fresh, watch } = Conditions.faults;
    const LINES = "lines ";

    const focusedIn = (part) => (part.contains(document.activeElement) ? document.activeElement : null);

    class Builder {
        constructor(host, options) {
            Object.assign(this, { path: [], units: [], named: {}, seen: {}, ...options, host });
            this.words = this.catalogue.words;
            host.classList.add("studio-builder");
            host.addEventListener("keydown", (event) => this.pressed(event));
            this.draw(options.tree);
        }

        // Draws everything anew, with the focus where it was, or on the control at `focus`.
        draw(tree = this.tree, focus = null) {
            const was = focusedIn(this.host)?.dataset.at;
            this.tree = normal(tree);
            this.host.replaceChildren(this.group([], this.catalogue));
            focusAt(this.host, focus || was);
        }

        at(path, name) { return [...this.path, ...path, ...(name === undefined ? [] : [name])].join("/"); }

        told(more) { this.changed(this.tree, more || {}); }

        // Draws the changed tree, says so, and tells the host.
        turned(focus, say) {
            this.draw(this.tree, focus);
            if (say) announce(say);
            this.told({ at: focus });
        }

        // Verbs on rows.

        add(list, made) {
            const rows = get(this.tree, list);
            rows.push(made);
            for (const row of [made, ...(modeOf(made)?.children || [])]) fresh.add(row);
            const inside = modeOf(made) ? [...list, rows.length - 1, ...modeOf(made).keys, 0] : [...list, rows.length - 1];
            this.turned(this.at(inside, "field"), this.words.added);
        }

        drop(path) {
            const siblings = get(this.tree, listOf(path));
            const what = this.numberOf(path);
            remove(this.tree, path);
            const next = siblings.length ? this.at([...listOf(path), Math.min(path.at(-1), siblings.length - 1)], "handle") : this.at(groupOf(path), "add");
            this.turned(next, filled(this.words.removed, { what }));
        }

        copy(path) {
            const made = duplicate(this.tree, path);
            this.turned(this.at(made, "handle"), filled(this.words.duplicated, { what: this.numberOf(made) }));
        }

        step(path, by, control) {
            const place = step(this.tree, path, by);
            if (!place) announce(this.words.at_border);
            else this.turned(this.at(place, control), filled(this.words.moved, { what: this.numberOf(place) }));
        }

        put(path, list, index) {
            const place = move(this.tree, path, list, index);
            if (place) this.turned(this.at(place, "handle"), filled(this.words.moved, { what: this.numberOf(place) }));
        }

        // A row's number as people read it: the second row of the third one is 3.2.
        numberOf(path) { return filled(this.words.row, { number: path.filter((key) => typeof key === "number").map((key) => key + 1).join(".") }); }

        pressed(event) {
            const row = event.target.closest("[data-row]");
            if (!row || event.isComposing || event.defaultPrevented) return;
            const path = JSON.parse(row.dataset.row);
            const isHandle = event.target.matches("[data-handle]");
            const control = event.target.dataset.at?.split("/").at(-1) || "handle";
            if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
                event.preventDefault();
                this.step(path, event.key === "ArrowUp" ? -1 : 1, control);
            } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "d") {
                event.preventDefault();
                this.copy(path);
            } else if (isHandle && (event.key === "Delete" || event.key === "Backspace")) {
                event.preventDefault();
                this.drop(path);
            } else if (isHandle && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
                event.preventDefault();
                const handles = [...this.host.querySelectorAll("[data-handle]")];
                handles[handles.indexOf(event.target) + (event.key === "ArrowUp" ? -1 : 1)]?.focus();
            }
        }

        // Drawing.

        group(path, catalogue, remover = () => null) {
            const { words } = this;
            const { mode, children, keys } = modeOf(get(this.tree, path));
            const list = [...path, ...keys];
            const isRow = typeof path.at(-1) === "number";
            const chooseMode = (chosen) => {
                const made = built(chosen, children);
                if (path.length) get(this.tree, listOf(path))[path.at(-1)] = made; else this.tree = made;
                const again = this.group(path, catalogue, remover);
                Object.assign(whole.dataset, again.dataset);
                whole.replaceChildren(head, ...[...again.children].slice(1));
                this.told({ typed: this.at(path, "mode") });
            };
            const begin = () => this.begin(catalogue);
            const isSlim = this.isSlim && !path.length && keys.length === 1 && children.length < 2;
            const isDeep = depthOf(list) >= DEEPEST;
            const head = el("div", { class: "studio-tree-head" }, isRow ? this.handle(path) : null,
                select(words.how, catalogue.modes, mode, chooseMode, { "data-at": this.at(path, "mode") }),
                isRow ? this.actions(path) : null, remover());
            const rows = el("ul", { class: "studio-tree-rows" }, children.map((child, number) => this.row([...list, number], child, catalogue)));
            const whole = el("div", { class: `studio-tree${path.length ? " studio-tree-inner" : ""}`, role: "group", "aria-label": isRow ? this.numberOf(path) : words.how, "data-path": this.at(path), "data-list": JSON.stringify(list) },
                isSlim ? null : head, rows, children.length ? null : el("p", { class: "studio-hint" }, words.always),
                el("div", { class: "studio-buttons" },
                    quietButton(`+ ${words.add}`, () => this.add(list, begin()), { "data-at": this.at(path, "add") }),
                    isSlim && children.length ? quietButton(words.no_condition, () => this.drop([...list, 0]), { "data-at": this.at(path, "none") }) : null,
                    isDeep || isSlim ? null : quietButton(`+ ${words.group}`, () => this.add(list, { any: [begin()] }))));
            return whole;
        }

        row(path, node, catalogue) {
            const item = el("li", { "data-row": JSON.stringify(path) });
            if (modeOf(node)) item.append(this.group(path, catalogue));
            else {
                item.dataset.path = this.at(path);
                watch(item, node, this.left);
                item.append(...this.leaf(path, node, catalogue));
            }
            const handle = item.querySelector("[data-handle]");
            if (handle) Conditions.dragged(handle, item, this.host, { slots: () => this.slots(path, item), drop: (slot) => this.put(path, slot.list, slot.index) });
            return item;
        }

        // Where a dragged row may go: before each row of its scope that is not within it, and at the end of each list.
        slots(path, item) {
            const scope = JSON.stringify(scopeOf(path));
            const lists = [...this.host.querySelectorAll("[data-list]")].filter((each) => !item.contains(each) && JSON.stringify(scopeOf([...JSON.parse(each.dataset.list), 0])) === scope);
            return lists.flatMap((each) => {
                const list = JSON.parse(each.dataset.list);
                const rows = [...each.querySelector(":scope > .studio-tree-rows").children];
                const before = rows.map((mark, index) => ({ list, index, mark, edge: "top" }));
                const end = { list, index: rows.length, mark: rows.at(-1) || each.querySelector(":scope > .studio-tree-rows"), edge: "bottom" };
                return [...before, end];
            });
        }

        handle(path) {
            const name = this.numberOf(path);
            return iconButton("drag_indicator", name, () => {}, { class: "studio-icon-button studio-handle", "data-handle": true, "data-at": this.at(path, "handle"), title: this.words.handle, "aria-keyshortcuts": "Alt+ArrowUp Alt+ArrowDown Control+D Delete" });
        }

        actions(path) {
            const { words } = this;
            return el("span", { class: "studio-tree-actions" },
                iconButton("arrow_upward", words.up, () => this.step(path, -1, "up"), { "data-at": this.at(path, "up") }),
                iconButton("arrow_downward", words.down, () => this.step(path, 1, "down"), { "data-at": this.at(path, "down") }),
                iconButton("content_copy", words.duplicate, () => this.copy(path), { "data-at": this.at(path, "copy") }),
                iconButton("close", modeOf(get(this.tree, path)) ? words.remove_group : words.remove, () => this.drop(path), { "data-at": this.at(path, "drop") }));
        }

        leaf(path, node, catalogue) {
            const { words } = this;
            const known = catalogue.fields.find((each) => each.name === node.field);
            const family = known ? null : catalogue.families.find((each) => String(node.field).startsWith(`${each.prefix}.`));
            const field = node.lines ? { type: "number", choices: [] } : family ? { type: "any", choices: [] } : known;
            const become = (made, focus) => {
                for (const key of Object.keys(node)) delete node[key];
                Object.assign(node, made);
                const control = focusedIn(this.host);
                if (control?.matches("select") && control.dataset.at === this.at(path, focus)) this.leafAgain(path, node, catalogue, control);
                else this.turned(this.at(path, focus));
            };
            const cells = el("div", { class: "studio-tree-cells" }, this.subject(path, node, family, catalogue, become));
            if (family) {
                const names = (this.seen[`${family.prefix}.`] || []).filter((each) => !catalogue.fields.some(({ name }) => name === `${family.prefix}.${each}`));
                const list = `studio-names-${this.at(path)}`;
                const key = el("input", { class: "studio-input", "aria-label": words.key, placeholder: words.key, list: names.length ? list : null, autocomplete: "off", maxlength: 60, value: node.field.slice(family.prefix.length + 1), "data-at": this.at(path, "key"),
                    oninput: () => {
                        node.field = `${family.prefix}.${key.value}`;
                        // What a known attribute said is offered as its values.
                        if (names.includes(key.value)) this.leafAgain(path, node, catalogue, key); else this.told({ typed: this.at(path, "key") });
                    } });
                cells.append(key, ...(names.length ? [offers(list, names)] : []));
            }
            if (field?.windowed) {
                cells.append(windowOf({ node, at: this.at(path, "window"), catalogue, isShort: field.is_short, words, put: (value, { redraw, ...more }) => { node.window = value; if (redraw) this.turned(more.at); else this.told(more); } }));
            }
            if (field && (!node.lines || node.op)) cells.append(...this.comparison(path, node, field, catalogue, become));
            const isOpen = node.lines && !node.where;
            if (isOpen) cells.append(quietButton(words.only_where, () => become({ ...node, where: { all: [this.begin(catalogue.line)] } }, "where/all/0/field")));
            const isAlone = this.isSlim && path.length === 2 && get(this.tree, listOf(path)).length < 2;
            const row = el("div", { class: "studio-tree-row", role: "group", "aria-label": this.numberOf(path) }, isAlone ? null : this.handle(path), cells, isAlone ? null : this.actions(path));
            if (!node.lines || isOpen) return [row];
            const close = () => (node.op ? iconButton("close", words.remove_group, () => become({ ...node, where: null }, "field")) : null);
            return [row, el("div", { class: "studio-tree-where" }, node.op ? el("p", { class: "studio-hint" }, words.where) : null, this.group([...path, "where"], catalogue.line, close))];
        }

        // The row again, but for what stands before and at the list in use, which would forget what is typed ahead.
        leafAgain(path, node, catalogue, kept) {
            const [row, below] = this.leaf(path, node, catalogue);
            const cells = [...row.querySelector(".studio-tree-cells").children];
            while (kept.nextSibling) kept.nextSibling.remove();
            kept.after(...cells.slice(cells.findIndex((each) => each.dataset.at === kept.dataset.at) + 1));
            const old = kept.closest(".studio-tree-row");
            if (old.nextSibling?.matches(".studio-tree-where")) old.nextSibling.remove();
            if (below) old.after(below);
            this.told({ typed: kept.dataset.at });
        }

        // What the row asks about: a field, a family of attributes, or the lines in some way.
        subject(path, node, family, catalogue, become) {
            const lines = catalogue.lines;
            const offered = [
                ...catalogue.fields.filter((field) => !field.is_retired || field.name === node.field).map((field) => [field.name, field.label, field.group]),
                ...catalogue.families.map((each) => [`${each.prefix}.`, each.label, each.group]),
                ...(lines ? lines.quantifiers.map(([code, label]) => [LINES + code, label, lines.label]) : []),
            ];
            const chosen = node.lines ? `${LINES}${node.lines}${node.lines === "sum" ? ` ${node.of}` : ""}` : family ? `${family.prefix}.` : node.field;
            return select(this.words.field, offered, chosen, (name) => {
                const made = name.startsWith(LINES) ? this.ofLines(name.slice(LINES.length), node, catalogue) : this.about(name, catalogue, node);
                fresh.add(node);
                become(made, "field");
            }, { "data-at": this.at(path, "field") });
        }

        comparison(path, node, field, catalogue, become) {
            const offered = catalogue.operators[field.type].filter((each) => !node.lines || each.shape === "one");
            const shape = offered.find((each) => each.code === node.op)?.shape;
            const operator = select(this.words.operator, offered.map((each) => [each.code, each.label]), node.op,
                (code) => become(this.withOperator(node, offered.find((each) => each.code === code)), "op"), { "data-at": this.at(path, "op") });
            const value = editor({ field, shape, value: node.value, at: this.at(path, "value"), label: this.words.value, words: this.words, catalogue, units: this.units, named: this.named, seen: this.seen[node.field] || [],
                put: (made, { redraw, ...more } = {}) => { node.value = made; if (redraw) this.turned(more.at); else this.told(more); } });
            return [operator, value].filter(Boolean);
        }

        begin(catalogue) { return this.about(catalogue.fields[0].name, catalogue); }

        // A question about another field: compared as before where both are of one type, else by its first operator.
        about(name, catalogue, before = {}) {
            const typeOf = (wanted) => catalogue.fields.find((each) => each.name === wanted);
            const field = typeOf(name);
            const old = typeOf(before.field);
            const kept = old?.is_short === field?.is_short ? before.window : undefined;
            const window = field?.windowed ? { window: kept ?? WINDOW[field.is_short] } : {};
            if (field && old && field.type === old.type && !field.choices.length && !old.choices.length) {
                const { window: _gone, ...rest } = before;
                return { ...rest, field: name, ...window };
            }
            return this.withOperator({ field: name, ...window }, catalogue.operators[field ? field.type : "any"][0]);
        }

        ofLines(how, before, catalogue) {
            const [quantifier, of] = how.split(" ");
            const number = { op: before.lines && before.op ? before.op : "ge", value: before.lines ? before.value ?? "" : "" };
            if (quantifier === "count") return { lines: quantifier, where: before.where || null, ...number };
            if (quantifier === "sum") return { lines: quantifier, of, where: before.where || null, ...number };
            return { lines: quantifier, where: before.where || { all: [this.begin(catalogue.line)] } };
        }

        withOperator(node, operator) {
            const { value: old, ...rest } = node;
            const made = { ...rest, op: operator.code };
            const many = (Array.isArray(old) ? old : [old]).filter((each) => each !== undefined && each !== "");
            if (operator.shape === "one") made.value = many[0] ?? "";
            if (operator.shape === "many") made.value = many;
            if (operator.shape === "two") made.value = [many[0] ?? "", many[1] ?? ""];
            return made;
        }
    }

    return (host, options) => new Builder(host, options);
})();
