// The prizes of a batch: rows are added, and the odds checked and told while one types.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const host = document.querySelector("[data-prizes]");
    if (!host) return;
    const list = host.querySelector(".studio-prize-rows"), add = host.querySelector("[data-prizes-add]");
    const say = host.querySelector(".studio-prizes-say"), form = host.closest("form");
    const rows = () => [...list.children];
    let asked = 0, timer;

    const offer = () => { add.hidden = rows().length >= Number(host.dataset.most); };

    function line(text, tone) {
        const made = document.createElement("p");
        made.textContent = text;
        if (tone) made.className = tone;
        return made;
    }

    // A fault without a row is of all together; what is empty still is no fault, for somebody is typing.
    function show({ faults, lines }) {
        rows().forEach((row, place) => {
            const mine = faults.filter((fault) => fault.row === place), told = row.querySelector(".studio-prize-fault");
            told.textContent = [...new Set(mine.map((fault) => fault.message))].join(" ");
            told.hidden = !mine.length;
            for (const input of row.querySelectorAll("input")) {
                const wrong = mine.some((fault) => `prizes-${fault.field}` === input.name);
                input.toggleAttribute("aria-invalid", wrong);
                if (wrong) input.setAttribute("aria-invalid", "true");
            }
        });
        const all = faults.filter((fault) => fault.row === null).map((fault) => line(fault.message, "studio-prize-fault"));
        say.replaceChildren(...all, ...lines.map((text) => line(text)));
    }

    async function check() {
        const mine = ++asked;
        try {
            const answer = await fetch(host.dataset.prizes, { method: "POST", body: new FormData(form), redirect: "error" });
            if (answer.ok && mine === asked) show(await answer.json());
        } catch { /* The server may be away for a moment; saving checks again. */ }
    }

    function soon() {
        clearTimeout(timer);
        timer = setTimeout(check, 400);
    }

    add.addEventListener("click", () => {
        const fresh = rows().at(-1).cloneNode(true);
        fresh.querySelectorAll("input").forEach((input) => { input.value = ""; input.removeAttribute("aria-invalid"); });
        fresh.querySelector(".studio-prize-fault").hidden = true;
        list.append(fresh);
        fresh.querySelector("input").focus();
        offer();
    });
    form.addEventListener("input", (event) => {
        if (/^(prizes-|size$|uses$)/.test(event.target.name)) soon();
    });
    offer();
    check();
});
