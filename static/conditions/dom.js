// What the editor of conditions is drawn with: elements, lists, buttons with an icon, and words for who listens.
"use strict";

window.Conditions = (() => {
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

    // `options` are [value, text, group]; a value that is none of them stays to be seen.
    function select(label, options, chosen, change, extra) {
        const box = el("select", { "aria-label": label, class: "studio-input", onchange: () => change(box.value), ...extra });
        const groups = new Map();
        const isKnown = chosen === "" || chosen === undefined || chosen === null || options.some(([value]) => String(value) === String(chosen));
        for (const [value, text, group] of isKnown ? options : [[chosen, String(chosen)], ...options]) {
            if (group && !groups.has(group)) {
                groups.set(group, el("optgroup", { label: group }));
                box.append(groups.get(group));
            }
            (group ? groups.get(group) : box).append(el("option", { value, selected: String(value) === String(chosen) }, text));
        }
        return box;
    }

    const icon = (name) => el("span", { class: "material-symbols-outlined md-18", "aria-hidden": "true" }, name);

    function iconButton(name, label, press, extra) {
        return el("button", { type: "button", class: "studio-icon-button", "aria-label": label, title: label, onclick: press, ...extra }, icon(name));
    }

    const quietButton = (text, press, extra) => el("button", { type: "button", class: "studio-button studio-button-quiet studio-button-small", onclick: press, ...extra }, text);

    // Says what happened to whoever cannot see it.
    let listener = null;
    function announce(text) {
        if (!listener?.isConnected) {
            listener = el("div", { class: "studio-unseen", role: "status", "aria-live": "polite" });
            (document.querySelector("main") || document.body).append(listener);
        }
        listener.textContent = "";
        setTimeout(() => { listener.textContent = text; }, 30);
    }

    const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

    // The focus on the control whose place in the JSON is `at`, or on the handle of the nearest row round it.
    function focusAt(host, at) {
        if (!at) return;
        const parts = at.split("/");
        const rounds = parts.map((_, number) => parts.slice(0, parts.length - number).join("/"));
        const places = [at, ...rounds.flatMap((place) => [`${place}/handle`, `${place}/add`])];
        const found = places.map((place) => host.querySelector(`[data-at="${CSS.escape(place)}"]`)).find(Boolean);
        found?.focus();
    }

    // Draws `host` anew: the focus goes to what is at `focus`, or stays where it was.
    function redraw(host, children, focus) {
        const was = host.contains(document.activeElement) ? document.activeElement.dataset.at : null;
        host.replaceChildren(...children);
        focusAt(host, focus || was);
    }

    return { el, select, icon, iconButton, quietButton, announce, filled, focusAt, redraw };
})();
