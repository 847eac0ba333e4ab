// The editors of a condition's value: one, a pair, several as chips, days as toggles, org units by search, a window.
// `put(value, more)` takes what was entered; `more` says where, so that typing into one control is one step to undo.
"use strict";

Conditions.values = (() => {
    const { el, select, iconButton, quietButton, filled, announce } = Conditions;
    const SHOWN = 40;
    const OFFERED = 60;
    const TOGGLES = 8;
    const WHOLE = ["weekday", "hour", "integer"];
    let lists = 0;

    const split = (text) => text.split(/[,，、;；\t\r\n]/).map((part) => part.trim()).filter(Boolean);
    // Of an attribute that is defined, a number is written as one: the spelling says what it is compared as.
    const written = (field, text) => (field.is_defined && ["number", "integer"].includes(field.type) && /^-?\d{1,15}(\.\d{1,12})?$/.test(text.trim()) ? Number(text) : text);
    const read = (type, text) => (WHOLE.includes(type) && /^-?\d+$/.test(text) ? Number(text) : text);

    // What there is to choose from, as [value, text, code, depth]; null where anything may be typed.
    function choicesOf(field, { catalogue, units, named }) {
        if (named[field.name]) return named[field.name];
        if (field.type === "unit") return units.map(([code, name, depth]) => [code, name, code, depth]);
        if (field.type === "weekday") return catalogue.weekdays;
        if (field.type === "hour") return [...Array(24).keys()].map((hour) => [hour, `${String(hour).padStart(2, "0")}:00`]);
        return field.choices.length ? field.choices : null;
    }

    // Of a field that is open to others too: what was seen, and what is asked for.
    function withOthers({ field, seen, value }) {
        const others = [...seen, ...(Array.isArray(value) ? value : [])].filter((code) => !field.choices.some(([known]) => known === code));
        return [...field.choices, ...[...new Set(others)].map((code) => [code, code])];
    }

    // One of the choices, or another that is typed beside them.
    const ANOTHER = "…";
    function oneOrAnother(given) {
        const { label, value, at, words, put } = given;
        const offered = withOthers(given);
        const isAnother = Boolean(value) && !offered.some(([code]) => code === value);
        const chooser = select(label, [["", words.choose], ...offered, [ANOTHER, words.other]], isAnother ? ANOTHER : value, (code) => put(code, { at, redraw: true }), { "data-at": at });
        if (!isAnother) return chooser;
        const box = el("input", { class: "studio-input", "aria-label": words.other_value, placeholder: words.other_value, value: value === ANOTHER ? "" : value, autocomplete: "off", size: 16, "data-at": `${at}/other`,
            oninput: () => put(box.value.trim() || ANOTHER, { typed: `${at}/other` }) });
        return el("span", { class: "studio-tree-pair" }, chooser, box);
    }

    // Values that were seen before, offered by the browser's own list.
    const offers = (id, seen) => el("datalist", { id }, seen.map((value) => el("option", { value })));

    function one({ field, choices, value, label, at, words, seen, put }) {
        const taken = (text) => put(read(field.type, text), { typed: at });
        if (choices) return select(label, [["", words.choose], ...choices.map(([code, text]) => [code, text])], value, taken, { "data-at": at });
        const kind = { date: { type: "date" }, number: { inputmode: "decimal", size: 6 }, integer: { inputmode: "numeric", size: 6 } }[field.type]
            || { placeholder: label, size: 16 };
        const list = seen.length ? `studio-list-${++lists}` : null;
        const box = el("input", { class: "studio-input", "aria-label": label, value: value ?? "", autocomplete: "off", "data-at": at, list, ...kind, oninput: () => put(written(field, box.value), { typed: at }) });
        return list ? el("span", { class: "studio-tree-pair" }, box, offers(list, seen)) : box;
    }

    function pair(given) {
        const { value, at, words, put } = given;
        const both = [value?.[0] ?? "", value?.[1] ?? ""];
        const half = (number, label) => one({ ...given, value: both[number], label, at: `${at}/${number}`, put: (part, more) => { both[number] = part; put([...both], more); } });
        return el("span", { class: "studio-tree-pair" }, half(0, words.low), el("span", { "aria-hidden": "true" }, words.and), half(1, words.high));
    }

    function toggles({ field, choices, value, label, at, put }) {
        const chosen = new Set(value);
        const isDay = field.type === "weekday";
        return el("span", { class: "studio-toggles", role: "group", "aria-label": label, "data-at": at, tabindex: -1 }, choices.map(([code, text]) => {
            const box = el("input", { type: "checkbox", "aria-label": text, checked: chosen.has(code), "data-at": `${at}:${code}`, onchange: () => {
                chosen[box.checked ? "add" : "delete"](code);
                put(choices.map(([each]) => each).filter((each) => chosen.has(each)), { at: `${at}:${code}` });
            } });
            return el("label", { title: text }, box, el("span", {}, isDay ? text.slice(0, 3) : text));
        }));
    }

    // Several values as chips beside the box in which the next is typed, pasted, or picked from a list by name or code.
    // Where anything may be typed, the list offers what was seen before.
    function several({ field, choices, value, label, at, words, seen, put }) {
        const isFree = !choices;
        const known = choices || seen.map((each) => [each, each]);
        let values = Array.isArray(value) ? [...value] : [];
        let isWhole = false;
        let offered = [];
        let active = -1;
        const id = `studio-list-${++lists}`;
        const list = known.length > 0 && el("ul", { class: "studio-offer", role: "listbox", id, "aria-label": label, "aria-multiselectable": "true", hidden: true });
        const input = el("input", {
            class: "studio-values-input", "aria-label": label, autocomplete: "off", size: 12, "data-at": at, oninput: typed, onkeydown: pressed, onpaste: pasted,
            ...(list ? { role: "combobox", "aria-expanded": "false", "aria-controls": id, "aria-autocomplete": "list", onclick: () => offer() } : {}),
        });
        const box = el("span", { class: "studio-values", onclick: (event) => { if (event.target === box) input.focus(); } });
        const whole = el("span", { class: "studio-picker" }, box, list);
        input.addEventListener("compositionend", typed);
        whole.addEventListener("focusout", (event) => { if (!whole.contains(event.relatedTarget)) { close(); if (isFree) settle(); else input.value = ""; } });
        if (list) list.addEventListener("pointerdown", (event) => event.preventDefault());
        draw();
        return whole;

        function nameOf(each) { return String((choices?.find(([code]) => String(code) === String(each)) || [each, each])[1]).trim(); }

        function draw() {
            const isFocused = document.activeElement === input;
            const shown = isWhole ? values : values.slice(0, SHOWN);
            box.replaceChildren(...shown.map((each, number) => el("span", { class: "studio-chip", "data-at": `${at}/${number}` }, nameOf(each),
                iconButton("close", `${words.remove}: ${nameOf(each)}`, () => drop(number), { tabindex: -1, onkeydown: (event) => walk(event, number) }))),
            ...(shown.length < values.length ? [quietButton(filled(words.more, { n: values.length - shown.length }), () => { isWhole = true; draw(); input.focus(); })] : []), input);
            input.placeholder = values.length ? "" : choices ? words.search : words.commas;
            if (isFocused) input.focus();
        }

        // What is still being typed counts as a value, so nobody loses one by leaving without Enter.
        function told(more) {
            const pending = !isFree ? [] : split(input.value).map((text) => read(field.type, text));
            put([...values, ...pending.filter((each) => !values.includes(each))], more);
        }
        function add(texts) {
            const found = texts.map((text) => {
                const meant = choices?.find(([code, name]) => [String(code), name.trim()].some((each) => each.toLowerCase() === text.toLowerCase()));
                return meant ? meant[0] : read(field.type, text);
            });
            values = [...new Set([...values, ...found])];
        }
        function settle() {
            if (!input.value.trim()) return;
            add(split(input.value));
            input.value = "";
            draw();
        }
        function drop(number) {
            announce(filled(words.removed, { what: nameOf(values[number]) }));
            values.splice(number, 1);
            draw();
            told({ at });
            input.focus();
            if (list && !list.hidden) offer();
        }
        function typed(event) {
            if (event.isComposing) return;
            if (isFree && /[,，、;；]/.test(input.value)) settle();
            if (list) offer();
            if (isFree) told({ typed: at });
        }
        function pasted(event) {
            const parts = split(event.clipboardData.getData("text"));
            if (parts.length < 2) return;
            event.preventDefault();
            add(parts);
            draw();
            told({ at });
            announce(filled(words.pasted, { n: parts.length }));
        }
        function walk(event, number) {
            const chips = [...box.querySelectorAll(".studio-chip button")];
            if (event.key === "ArrowLeft") (chips[number - 1] || chips[number]).focus();
            else if (event.key === "ArrowRight") (chips[number + 1] || input).focus();
            else if (event.key === "Backspace" || event.key === "Delete") { event.preventDefault(); event.stopPropagation(); drop(number); }
        }
        function pressed(event) {
            if (event.isComposing) return;
            const isOpen = list && !list.hidden;
            if (event.key === "Backspace" && input.value === "" && values.length) { drop(values.length - 1); return; }
            if (event.key === "ArrowLeft" && input.selectionEnd === 0) { [...box.querySelectorAll(".studio-chip button")].at(-1)?.focus(); return; }
            if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
                event.preventDefault();
                if (isOpen && active >= 0) pick(active);
                else if (isFree) { settle(); told({ at }); close(); } else offer();
            } else if (list && !event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
                event.preventDefault();
                if (!isOpen) offer();
                else if (event.key === "ArrowDown") light(active + 1 < offered.length ? active + 1 : 0);
                else light(active > 0 ? active - 1 : offered.length - 1);
            } else if (isOpen && event.key === "Escape") { event.preventDefault(); event.stopPropagation(); close(); }
        }
        function offer() {
            const wanted = input.value.trim().toLowerCase();
            const fits = known.filter(([code, text]) => !wanted || String(text).toLowerCase().includes(wanted) || String(code).toLowerCase().includes(wanted));
            offered = fits.slice(0, OFFERED);
            if (isFree && !fits.length) { close(); return; }
            list.replaceChildren(...offered.map(([each, text, code, depth], number) => {
                const row = el("li", { role: "option", id: `${id}-${number}`, "aria-selected": String(values.includes(each)), onclick: () => pick(number) },
                    Conditions.icon("check"), el("span", {}, String(text).trim()), code ? el("small", {}, code) : null);
                row.style.setProperty("--depth", wanted ? 0 : depth || 0);
                return row;
            }));
            const rest = fits.length - offered.length;
            if (!fits.length || rest) list.append(el("li", { class: "studio-hint", role: "presentation" }, rest ? filled(words.narrow, { n: rest }) : words.none_found));
            list.hidden = false;
            list.scrollIntoView({ block: "nearest" });
            input.setAttribute("aria-expanded", "true");
            light(isFree ? -1 : wanted ? 0 : Math.min(Math.max(active, 0), offered.length - 1));
        }
        function light(number) {
            active = offered[number] ? number : -1;
            [...list.querySelectorAll("[role=option]")].forEach((row, each) => { row.classList.toggle("studio-active", each === active); if (each === active) row.scrollIntoView({ block: "nearest" }); });
            input.setAttribute("aria-activedescendant", active < 0 ? "" : `${id}-${active}`);
        }
        function pick(number) {
            if (!offered[number]) return;
            const [each] = offered[number];
            values = values.includes(each) ? values.filter((other) => other !== each) : [...values, each];
            input.value = "";
            draw();
            active = offered[number] ? number : -1;
            told({ at });
            close();
            input.focus();
        }
        function close() {
            if (!list) return;
            list.hidden = true;
            input.setAttribute("aria-expanded", "false");
            input.removeAttribute("aria-activedescendant");
        }
    }

    // What a window is at first, of a field over days and of one over minutes.
    const WINDOW = { false: 30, true: 10 };

    // Over which time a field counts: so many days, a calendar period to date, or ever; shortly before, so many minutes or that day.
    function windowOf({ node, at, catalogue, isShort, words, put }) {
        const named = isShort ? catalogue.short_windows : catalogue.windows;
        const isNumber = node.window === undefined || Number.isFinite(node.window) || !named.some(([code]) => code === node.window);
        const box = isNumber && el("input", { class: "studio-input studio-input-figure", "aria-label": isShort ? words.minutes : words.days, inputmode: "numeric", size: 4, value: node.window ?? "", autocomplete: "off", "data-at": at,
            oninput: () => put(read("integer", box.value.trim()), { typed: at }) });
        return el("span", { class: "studio-tree-pair" },
            select(words.window, [["number", isShort ? words.last_minutes : words.last_days], ...named], isNumber ? "number" : node.window, (code) => put(code === "number" ? WINDOW[isShort] : code, { at: `${at}/how`, redraw: true }), { "data-at": `${at}/how` }),
            box);
    }

    // The editor that the field's type and the operator's shape ask for; null where there is no value.
    function editor(given) {
        const { field, shape } = given;
        const choices = choicesOf(field, given);
        if (field.is_open && shape === "one") return oneOrAnother(given);
        if (field.is_open && shape === "many") return several({ ...given, choices: withOthers(given) });
        if (shape === "one") return one({ ...given, choices });
        if (shape === "two") return pair({ ...given, choices });
        if (shape !== "many") return null;
        return choices?.length && choices.length <= TOGGLES && field.type !== "unit" ? toggles({ ...given, choices }) : several({ ...given, choices });
    }

    return { editor, windowOf, WINDOW, offers };
})();
