// Faults at their rows: the message in the row whose path leads furthest towards the fault, and a mark on the control.
// What is still empty in a row that was only just added is left alone until the focus leaves the row.
"use strict";

Conditions.faults = (() => {
    const { el } = Conditions;
    const fresh = new WeakSet();
    let last = 0;

    const leads = (head, path) => head === "" || path === head || path.startsWith(`${head}/`);
    const furthest = (nodes, path, place) => nodes.filter((node) => leads(place(node), path)).reduce((best, node) => (!best || place(node).length >= place(best).length ? node : best), null);

    const isBlank = (control) => !control || (control.matches("input, select") ? control.value === "" : !control.matches(".studio-chip") && !control.querySelector(":checked"));

    function show(host, faults) {
        for (const old of host.querySelectorAll(".studio-fault")) old.remove();
        for (const bad of host.querySelectorAll(".studio-wrong")) bad.classList.remove("studio-wrong");
        for (const bad of host.querySelectorAll("[aria-invalid]")) { bad.removeAttribute("aria-invalid"); bad.removeAttribute("aria-describedby"); }
        const rows = [...host.querySelectorAll("[data-path]")];
        for (const fault of faults) {
            const path = fault.path.join("/");
            const row = furthest(rows, path, (each) => each.dataset.path);
            if (!row) continue;
            const controls = [...row.querySelectorAll("[data-at]")].filter((each) => leads(row.dataset.path, each.dataset.at) && each.closest("[data-path]") === row);
            const control = furthest(controls, path, (each) => each.dataset.at);
            if (fresh.has(row.condition) && isBlank(control)) continue;
            const place = [...row.querySelectorAll("[data-faults]")].find((each) => each.closest("[data-path]") === row) || row;
            let message = [...place.querySelectorAll(":scope > .studio-fault")].find((each) => each.textContent === fault.message);
            if (!message) {
                message = el("p", { class: "studio-fault", id: `studio-fault-${++last}` }, fault.message);
                place.append(message);
            }
            (control || row).classList.add("studio-wrong");
            if (control?.matches("input, select")) {
                control.setAttribute("aria-invalid", "true");
                control.setAttribute("aria-describedby", message.id);
            }
        }
    }

    // `row` shows `made`, which is fresh until the focus leaves the row; then left().
    function watch(row, made, left) {
        row.condition = made;
        row.addEventListener("focusout", (event) => {
            if (!fresh.has(made) || !event.relatedTarget || row.contains(event.relatedTarget) || !row.isConnected) return;
            fresh.delete(made);
            left?.();
        });
    }

    return { show, fresh, watch };
})();
