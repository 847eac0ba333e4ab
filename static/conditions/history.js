// Undo and redo of one JSON value. A state is the value as text and the control that made it; what is typed into one
// control without a pause is one step.
"use strict";

Conditions.history = (start) => {
    const MOST = 200;
    const PAUSE = 1500;
    let states = [{ text: JSON.stringify(start), at: null }];
    let now = 0;
    let typing = null;
    let typedAt = 0;

    function record(value, { at = null, typed = null } = {}) {
        const text = JSON.stringify(value);
        if (text === states[now].text) return;
        const goesOn = typed && typed === typing && Date.now() - typedAt < PAUSE && now > 0;
        typing = typed;
        typedAt = Date.now();
        states = [...states.slice(0, goesOn ? now : now + 1), { text, at: at || typed }].slice(-MOST);
        now = states.length - 1;
    }

    // The state before or after, with the control that the step was made at; null where there is none.
    function step(by) {
        if (!states[now + by]) return null;
        const { at } = states[Math.max(now, now + by)];
        now += by;
        typing = null;
        return { value: JSON.parse(states[now].text), at };
    }

    return { record, undo: () => step(-1), redo: () => step(1), canUndo: () => now > 0, canRedo: () => now < states.length - 1 };
};

// The two buttons and their keys, for as long as the focus is within `host` or nowhere. `travel` draws what comes back.
Conditions.historyButtons = (history, host, words, travel) => {
    const { iconButton, announce } = Conditions;
    const undo = iconButton("undo", words.undo, () => go("undo"), { "aria-keyshortcuts": "Control+Z" });
    const redo = iconButton("redo", words.redo, () => go("redo"), { "aria-keyshortcuts": "Control+Y" });

    function go(way) {
        const state = history[way]();
        if (!state) return;
        travel(state);
        refresh();
        announce(words[way === "undo" ? "undone" : "redone"]);
    }
    function refresh() {
        for (const [button, can] of [[undo, history.canUndo()], [redo, history.canRedo()]]) button.setAttribute("aria-disabled", String(!can));
    }
    document.addEventListener("keydown", (event) => {
        if (!(event.ctrlKey || event.metaKey) || event.altKey || event.isComposing) return;
        if (!host.contains(event.target) && event.target !== document.body) return;
        const key = event.key.toLowerCase();
        if (key !== "z" && key !== "y") return;
        event.preventDefault();
        go(key === "y" || event.shiftKey ? "redo" : "undo");
    });
    refresh();
    return { buttons: [undo, redo], refresh };
};
