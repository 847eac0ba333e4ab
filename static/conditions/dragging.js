// Dragging a row by its handle, with mouse, pen or finger. `slots` are the places where it may go; the nearest is shown
// as a line, and `drop(slot)` puts it there. The arrow buttons beside the handle do the same.
"use strict";

Conditions.dragged = (handle, row, host, { slots, drop }) => {
    const { el } = Conditions;
    const EDGE = 70;
    const NEAR = 4;

    handle.addEventListener("pointerdown", (start) => {
        if (start.button !== 0) return;
        let places = null;
        let nearest = null;
        let line = null;
        let pointer = start;
        handle.setPointerCapture(start.pointerId);

        const measured = () => slots().map((slot) => ({ ...slot, box: slot.mark.getBoundingClientRect() }));
        const distance = ({ box, edge }) => Math.abs(box[edge] - pointer.clientY) + 0.35 * Math.abs(box.left - pointer.clientX + (handle.offsetWidth / 2));

        function show() {
            places = measured();
            nearest = places.reduce((best, each) => (!best || distance(each) < distance(best) ? each : best), null);
            const frame = host.getBoundingClientRect();
            if (!nearest) return;
            line.style.top = `${nearest.box[nearest.edge] - frame.top + (nearest.edge === "top" ? -4 : 3)}px`;
            line.style.left = `${nearest.box.left - frame.left}px`;
            line.style.width = `${nearest.box.width}px`;
        }
        function moved(event) {
            pointer = event;
            if (!line && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) < NEAR) return;
            if (!line) {
                line = el("div", { class: "studio-drop", "aria-hidden": "true" });
                host.append(line);
                row.classList.add("studio-dragged");
            }
            if (event.clientY < EDGE) scrollBy(0, -12);
            if (event.clientY > innerHeight - EDGE) scrollBy(0, 12);
            show();
        }
        function ended(event) {
            for (const [name, hear] of heard) handle.removeEventListener(name, hear);
            document.removeEventListener("keydown", escaped, true);
            const isDone = line && event.type === "pointerup" && nearest;
            line?.remove();
            row.classList.remove("studio-dragged");
            if (isDone) drop(nearest);
        }
        function escaped(event) {
            if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); ended(event); }
        }
        const heard = [["pointermove", moved], ["pointerup", ended], ["pointercancel", ended]];
        for (const [name, hear] of heard) handle.addEventListener(name, hear);
        document.addEventListener("keydown", escaped, true);
    });
};
