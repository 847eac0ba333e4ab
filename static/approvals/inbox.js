// The inbox: a request opens beside the list where there is room, keys move and decide, answers replace the pane alone.
// Without this script everything still works: links open pages, buttons send forms.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const inbox = document.querySelector("[data-inbox]");
    const pane = inbox?.querySelector("[data-inbox-pane]");
    if (!inbox) return;
    const rows = () => [...inbox.querySelectorAll("[data-inbox-row]")];
    const wide = matchMedia("(min-width: 75rem)");
    const said = inbox.querySelector("[data-inbox-said]");
    const drafts = new Map(); // what was typed about each request, until it is sent
    let asking = 0;

    const current = () => rows().find((row) => row.getAttribute("aria-current") === "true");
    const linkOf = (row) => row.querySelector("[data-inbox-open]");
    const dossier = () => pane?.querySelector("[data-dossier]");
    const comment = () => pane?.querySelector("[data-inbox-decide] textarea");
    const button = (act) => pane?.querySelector(`[data-inbox-decide] button[value=${act}]`);

    // The pane fills the window below where it stands, so that its buttons are always in sight.
    function fit() {
        if (!pane || inbox.classList.contains("inbox-alone")) return;
        const top = Math.max(16, pane.parentElement.getBoundingClientRect().top);
        pane.style.maxHeight = wide.matches ? `${innerHeight - top - 16}px` : "";
    }
    addEventListener("resize", fit);
    addEventListener("scroll", fit, { passive: true });
    fit();

    // Opening.

    function keep() {
        const box = comment();
        if (box && dossier()) drafts.set(dossier().dataset.dossier, box.value);
    }

    function show(html) {
        const held = pane.contains(document.activeElement);
        pane.innerHTML = html;
        const box = comment();
        if (box && !box.value) box.value = drafts.get(dossier().dataset.dossier) || "";
        ready();
        pane.scrollTop = 0;
        if (held) pane.focus({ preventScroll: true });
    }

    function tell(text) {
        said.textContent = text;
        let toasts = document.querySelector(".studio-toasts");
        if (!toasts) document.body.append(toasts = Object.assign(document.createElement("div"), { className: "studio-toasts" }));
        const toast = Object.assign(document.createElement("div"), { className: "studio-toast" });
        toast.append(Object.assign(document.createElement("p"), { textContent: text }));
        toasts.append(toast);
        setTimeout(() => toast.remove(), 6000);
    }

    async function ask(address, options = {}) {
        const number = ++asking;
        pane.setAttribute("aria-busy", "true");
        const answer = await fetch(address, { ...options, headers: { "X-Pane": "1" }, redirect: "error" }).catch(() => null);
        if (number !== asking && !options.method) return null; // another one was opened meanwhile
        pane.removeAttribute("aria-busy");
        if (!answer?.ok) { tell(inbox.dataset.failed); return null; }
        return answer.text();
    }

    async function open(row) {
        keep();
        for (const other of rows()) other.removeAttribute("aria-current");
        row.setAttribute("aria-current", "true");
        row.scrollIntoView({ block: "nearest" });
        const address = new URL(location);
        address.searchParams.set("open", row.dataset.id);
        history.replaceState(null, "", address);
        const html = await ask(linkOf(row).href);
        if (html !== null && row === current()) show(html);
    }

    inbox.addEventListener("click", (event) => {
        const link = event.target.closest("[data-inbox-open]");
        const row = event.target.closest("[data-inbox-row]");
        if (!row || !wide.matches || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
        if (!link && event.target.closest("input, button, a, label")) return;
        event.preventDefault();
        open(row);
    });

    function move(by) {
        const list = rows();
        const at = wide.matches ? list.indexOf(current()) : list.findIndex((row) => row.contains(document.activeElement));
        const next = list[Math.max(0, Math.min(list.length - 1, at < 0 ? 0 : at + by))];
        if (!next) return;
        if (!wide.matches) linkOf(next).focus();
        else if (next !== current()) open(next);
    }

    // Sending.

    pane?.addEventListener("submit", async (event) => {
        const form = event.target.closest("[data-inbox-form]");
        if (!form) return;
        event.preventDefault();
        if (form.dataset.sending) return;
        form.dataset.sending = "1";
        const body = new FormData(form, event.submitter);
        const id = dossier().dataset.dossier;
        keep(); // another form of the pane may be sent while a comment is being written
        const html = await ask(form.action, { method: "POST", body });
        delete form.dataset.sending;
        if (html === null) return;
        if (form.matches("[data-inbox-decide]")) drafts.delete(id);
        show(html);
        pane.focus({ preventScroll: true });
        const now = dossier();
        if (!now.dataset.said) return;
        tell(now.dataset.said);
        if (["approved", "rejected", "returned", "transfer"].includes(now.dataset.act)) settle(id, now);
    });

    // The row says what became of it, and the next one opens.
    function settle(id, now) {
        const row = rows().find((each) => each.dataset.id === id);
        if (!row || now.hasAttribute("data-may-decide")) return;
        row.classList.add("inbox-settled");
        const box = row.querySelector("input[type=checkbox]");
        if (box) { box.checked = false; box.disabled = true; box.closest("td").classList.add("inbox-done"); count(); }
        row.querySelector(".inbox-state").replaceChildren(pane.querySelector(".dossier-head .studio-tag").cloneNode(true));
        const tab = inbox.querySelector(".inbox-tabs [aria-current] .inbox-count");
        if (tab && /^\d+$/.test(tab.textContent)) tab.textContent = Math.max(0, tab.textContent - 1);
        document.dispatchEvent(new Event("studio:decided"));
        const list = rows();
        const next = list.slice(list.indexOf(row)).find((each) => !each.classList.contains("inbox-settled"));
        if (next && wide.matches) open(next);
    }

    // What Ctrl + Enter sends: a comment, until somebody has begun to reject.
    let pending = "comment";
    function ready() {
        pending = "comment";
        hint();
        const box = comment();
        box?.addEventListener("input", () => { grow(box); hint(); });
        if (box) grow(box);
    }
    function grow(box) { box.rows = Math.min(8, Math.max(1, box.value.split("\n").length, Math.ceil(box.value.length / 60))); }
    function hint() {
        const line = pane?.querySelector("[data-inbox-hint]");
        const box = comment();
        if (line) line.textContent = box && (box.value || pending === "rejected") ? inbox.dataset[pending === "rejected" ? "hintRejected" : "hintComment"] : "";
    }

    function reject() {
        if (!button("rejected")) return;
        if (comment().value.trim()) button("rejected").click();
        else { pending = "rejected"; hint(); comment().focus(); }
    }

    const isTyping = (element) => element.closest("input:not([type=checkbox]), textarea, select, [contenteditable=true]");
    document.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            const form = event.target.closest("[data-inbox-form]");
            if (!form) return;
            event.preventDefault();
            if (form.matches("[data-inbox-decide]")) button(pending)?.click();
            else form.querySelector("button")?.click();
            return;
        }
        if (event.key === "Escape" && event.target === comment()) { pending = "comment"; hint(); event.target.blur(); return; }
        if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
        const act = { j: () => move(1), k: () => move(-1), a: () => button("approved")?.click(), r: reject, c: () => comment()?.focus() }[event.key.toLowerCase()];
        if (act) { event.preventDefault(); act(); }
        else if (event.key === "Enter" && event.target === document.body && current()) linkOf(current()).click();
    });

    // Naming somebody.

    let typing = 0;
    inbox.addEventListener("input", (event) => {
        const box = event.target.closest("[data-inbox-people]");
        if (!box) return;
        clearTimeout(typing);
        typing = setTimeout(async () => {
            const term = box.value.trim();
            if (!term || [...box.list.options].some((option) => option.value === term)) return;
            const answer = await fetch(`${dossier().dataset.people}?term=${encodeURIComponent(term)}`).catch(() => null);
            if (!answer?.ok) return;
            const { people } = await answer.json();
            box.list.replaceChildren(...people.map((each) => new Option(each.label, each.name)));
        }, 200);
    });

    // Several at once: of one kind.

    const bulk = inbox.querySelector("[data-inbox-bulk-bar]");
    function count() {
        if (!bulk) return;
        const boxes = rows().map((row) => [row, row.querySelector("input[type=checkbox]")]).filter(([, box]) => box);
        const chosen = boxes.filter(([, box]) => box.checked);
        const kind = chosen[0]?.[0].dataset.kind;
        for (const [row, box] of boxes) box.disabled = box.closest("td").classList.contains("inbox-done") || (kind !== undefined && row.dataset.kind !== kind);
        const words = bulk.querySelector("[data-inbox-selected]");
        words.dataset.idle ??= words.textContent;
        words.textContent = chosen.length ? words.dataset.words.replace("{n}", chosen.length) : words.dataset.idle;
        bulk.classList.toggle("inbox-bulk-on", chosen.length > 0);
        for (const each of bulk.querySelectorAll("button, input")) each.disabled = !chosen.length;
    }
    inbox.querySelector("[data-inbox-bulk]")?.addEventListener("change", count);
    count();
    if (!pane) return;

    addEventListener("beforeunload", (event) => {
        if (comment()?.value && !pane.hasAttribute("aria-busy")) event.preventDefault();
    });
    if (dossier()) { ready(); return; }
    const wanted = new URLSearchParams(location.search).get("open");
    const first = rows().find((row) => row.dataset.id === wanted) || rows()[0];
    if (first && wide.matches) open(first);
});
