// The box of who stands in: offers colleagues whose name holds what is typed.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const box = document.querySelector("[data-colleagues]");
    if (!box) return;
    const list = document.getElementById(box.getAttribute("list"));
    let waiting = 0;
    let asked = 0;

    async function offer() {
        const term = box.value.trim();
        const number = ++asked;
        if (!term || [...list.options].some((option) => option.value === box.value)) return;
        try {
            const answer = await fetch(`${box.dataset.colleagues}?q=${encodeURIComponent(term)}`, { credentials: "same-origin" });
            if (!answer.ok || number !== asked) return;
            const found = await answer.json();
            list.replaceChildren(...found.people.map(({ name, unit }) => {
                const option = document.createElement("option");
                option.value = name;
                option.label = unit ? `${name}, ${unit}` : name;
                return option;
            }));
        } catch {
            // Without the list the name can still be typed whole.
        }
    }

    box.addEventListener("input", () => {
        clearTimeout(waiting);
        waiting = setTimeout(offer, 200);
    });
});
