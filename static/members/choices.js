// The choices of an attribute, or the kinds by which members are recognised: rows are added, moved and taken away. Without it, an emptied row is one less.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const host = document.querySelector("[data-choices]");
    if (!host) return;
    const list = host.querySelector(".studio-choice-rows"), add = host.querySelector("[data-choices-add]");
    const empty = list.lastElementChild.cloneNode(true);
    const told = () => host.dispatchEvent(new Event("change", { bubbles: true }));

    function offer() {
        add.hidden = list.children.length >= Number(host.dataset.most);
        for (const verbs of list.querySelectorAll("[data-choices-verbs]")) verbs.hidden = false;
    }

    function put(row, neighbour, verb) {
        if (!neighbour) return;
        if (verb === "up") neighbour.before(row); else neighbour.after(row);
        row.querySelector(`[data-choices-${verb}]`).focus();
        told();
    }

    add.addEventListener("click", () => {
        list.append(empty.cloneNode(true));
        offer();
        list.lastElementChild.querySelector("input, select").focus();
    });
    list.addEventListener("click", ({ target }) => {
        const button = target.closest("button"), row = target.closest("li");
        if (!button) return;
        if (button.matches("[data-choices-up]")) put(row, row.previousElementSibling, "up");
        else if (button.matches("[data-choices-down]")) put(row, row.nextElementSibling, "down");
        else {
            const next = row.nextElementSibling || row.previousElementSibling;
            row.remove();
            (next?.querySelector("input, select") || add).focus();
            offer();
            told();
        }
    });
    offer();
});
