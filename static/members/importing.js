// Files of members: a file may be dropped anywhere, columns show the values they give a meaning to, and what is settled
// counts at once.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const file = document.querySelector("input[type=file][name=file]");
    if (file) {
        document.addEventListener("dragover", (event) => event.preventDefault());
        document.addEventListener("drop", (event) => {
            event.preventDefault();
            if (!event.dataTransfer.files.length) return;
            file.files = event.dataTransfer.files;
            file.dispatchEvent(new Event("change", { bubbles: true }));
        });
    }

    for (const column of document.querySelectorAll("[data-import-column]")) {
        const target = column.querySelector("select");
        const values = column.querySelector("[data-import-values]");
        if (!values) continue;
        target.addEventListener("change", () => {
            const listed = target.selectedOptions[0].dataset.values;
            values.hidden = listed === undefined;
            for (const meaning of values.querySelectorAll("input:not([type=hidden])")) {
                if (listed) meaning.setAttribute("list", listed);
                else meaning.removeAttribute("list");
            }
        });
    }

    document.addEventListener("submit", async (event) => {
        const form = event.target.closest("[data-import-decide]");
        if (!form) return;
        event.preventDefault();
        const button = form.querySelector("button");
        button.disabled = true;
        try {
            const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
            if (!answer.ok) throw new Error(answer.status);
            const page = new DOMParser().parseFromString(await answer.text(), "text/html");
            document.querySelector("[data-import-live]").replaceWith(page.querySelector("[data-import-live]"));
            const said = page.querySelector(".studio-toasts");
            if (said) {
                document.querySelector(".studio-toasts")?.remove();
                document.body.append(said);
            }
            document.querySelector("[data-import-decide] select")?.focus();
        } catch {
            form.submit();
        }
    });
});
