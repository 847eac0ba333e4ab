// The box under Ctrl+K: asks while one types, and walks what was found by keys.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const dialog = document.querySelector("[data-palette]");
    if (!dialog) return;
    const form = dialog.querySelector("form");
    const box = form.elements.s;
    const place = dialog.querySelector("[data-palette-found]");
    const WAIT = 250; // milliseconds without a key; each question that is sent is on record
    let timer, asking, answered = "", opensFirst = false;

    const status = dialog.querySelector("[data-palette-status]");
    const show = (name) => place.replaceChildren(dialog.querySelector(`[data-palette-${name}]`).content.cloneNode(true));
    const lines = () => [...place.querySelectorAll("[role=option]")];
    const chosen = () => place.querySelector("[aria-selected=true]");
    const term = () => box.value.trim();
    const isWorthAsking = (text) => [...text].length > 1 || text > "\u007f"; // one Chinese character is a word

    function choose(line) {
        chosen()?.setAttribute("aria-selected", "false");
        line?.setAttribute("aria-selected", "true");
        line?.scrollIntoView({ block: "nearest" });
        if (line) box.setAttribute("aria-activedescendant", line.id);
        else box.removeAttribute("aria-activedescendant");
    }

    // What has come into the place of the answer is read aloud in short, and its first line is chosen.
    function settle() {
        const all = lines();
        status.textContent = place.querySelector("[data-palette-said]")?.textContent ?? "";
        box.setAttribute("aria-expanded", String(all.length > 0));
        box.setAttribute("aria-controls", all.length ? "palette-list" : "palette-found");
        choose(all[0]);
    }

    function stop() {
        clearTimeout(timer);
        asking?.abort();
        asking = undefined;
        dialog.classList.remove("is-asking");
    }

    function clear() {
        stop();
        answered = "";
        opensFirst = false;
        show("idle");
        settle();
    }

    async function ask() {
        stop();
        const text = term();
        const mine = asking = new AbortController();
        const sent = new URLSearchParams(new FormData(form));
        dialog.classList.add("is-asking");
        try {
            const isPost = form.method === "post";
            const answer = await fetch(isPost ? form.action : `${form.action}?s=${encodeURIComponent(text)}`,
                { method: form.method.toUpperCase(), body: isPost ? sent : undefined, signal: mine.signal, redirect: "error" });
            if (!answer.ok) throw new Error(String(answer.status));
            place.innerHTML = await answer.text();
            answered = text;
            settle();
            if (opensFirst && lines().length === 1) location.assign(lines()[0].href);
        } catch {
            if (mine.signal.aborted) return;
            answered = "";
            show("failed");
            settle();
            place.querySelector("[data-palette-again]").addEventListener("click", () => { box.focus(); ask(); });
        }
        opensFirst = false;
        if (asking === mine) stop();
    }

    function typed() {
        stop();
        opensFirst = false;
        if (term() === answered && answered) return;
        if (!isWorthAsking(term())) clear();
        else timer = setTimeout(ask, WAIT);
    }

    function open() {
        if (dialog.open) return;
        clear();
        dialog.showModal();
        box.focus();
    }

    function walk(step) {
        const all = lines();
        if (all.length) choose(all[(all.indexOf(chosen()) + step + all.length) % all.length]);
    }

    box.addEventListener("input", (event) => { if (!event.isComposing) typed(); });
    box.addEventListener("compositionend", typed);
    form.addEventListener("submit", (event) => event.preventDefault());
    box.addEventListener("keydown", (event) => {
        if (event.isComposing || !["ArrowDown", "ArrowUp", "Enter", "Escape"].includes(event.key)) return;
        event.preventDefault(); // Escape would only empty the box
        event.stopPropagation(); // Ctrl+Enter would send the form of the page below
        if (event.key === "Escape") dialog.close();
        else if (event.key === "ArrowDown") walk(1);
        else if (event.key === "ArrowUp") walk(-1);
        else if (term() !== answered) {
            // Enter came before the answer: what is found alone is opened when it is there.
            if (isWorthAsking(term())) { ask(); opensFirst = true; }
        } else if (event.ctrlKey || event.metaKey) {
            if (chosen()) window.open(chosen().href, "_blank", "noopener");
        } else if (chosen()) location.assign(chosen().href);
    });
    place.addEventListener("mousemove", (event) => {
        const line = event.target.closest("[role=option]");
        if (line && line !== chosen()) choose(line);
    });
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    dialog.querySelector("[data-palette-close]").addEventListener("click", () => dialog.close());
    // Nothing of what was looked for stays behind, on the page or when one comes back to it.
    dialog.addEventListener("close", () => { box.value = ""; clear(); });
    window.addEventListener("pagehide", () => dialog.close());

    for (const button of document.querySelectorAll("[data-palette-open]")) button.addEventListener("click", open);
    window.addEventListener("studio:find", open);
    document.addEventListener("keydown", (event) => {
        if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
        event.preventDefault();
        if (dialog.open) box.select();
        else open();
    });
});
