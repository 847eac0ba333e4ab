// The bell: how many notices wait is asked for after the page is shown, what they say when it is opened. The same answer
// says how many requests wait, which stands beside the inbox in the sidebar.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const bell = document.querySelector("[data-studio-bell]");
    if (!bell) return;
    const summary = bell.querySelector("summary");
    const badge = bell.querySelector(".studio-bell-count");
    const latest = bell.querySelector("[data-studio-bell-latest]");
    const AGAIN_AFTER = 120_000;
    const loading = latest.firstElementChild;
    let countedAt = 0;

    const ask = (address) => fetch(address, { credentials: "same-origin", redirect: "error" });

    async function count() {
        countedAt = Date.now();
        try {
            const answer = await ask(bell.dataset.unread);
            if (!answer.ok) return;
            const found = await answer.json();
            badge.hidden = found.unread === 0;
            badge.textContent = found.unread ? found.shown : "";
            summary.setAttribute("aria-label", found.label);
            summary.title = found.label;
            tellInbox(found.inbox);
        } catch {
            // Away, or signed out meanwhile: the bell stays as it was.
        }
    }

    function tellInbox({ address, count, shown, label }) {
        const link = address && document.querySelector(`#nav-sidebar a[href="${address}"]`);
        if (!link) return;
        link.querySelector(".studio-nav-count")?.remove();
        if (!count) return;
        const badge = Object.assign(document.createElement("span"), { className: "studio-nav-count", textContent: shown, title: label });
        link.append(" ", badge);
    }

    function say(text) {
        const line = document.createElement("p");
        line.className = "studio-bell-none";
        line.textContent = text;
        latest.replaceChildren(line);
    }

    async function load() {
        latest.setAttribute("aria-busy", "true");
        try {
            const answer = await ask(bell.dataset.latest);
            if (!answer.ok) throw new Error(String(answer.status));
            const page = new DOMParser().parseFromString(await answer.text(), "text/html");
            latest.replaceChildren(...page.body.childNodes);
        } catch {
            say(bell.dataset.failed);
        }
        latest.setAttribute("aria-busy", "false");
    }

    // Closed, it forgets what it showed: nothing old is clicked while the new is on its way.
    bell.addEventListener("toggle", () => { if (bell.open) load(); else latest.replaceChildren(loading); });
    latest.addEventListener("submit", async (event) => {
        event.preventDefault();
        try {
            await fetch(event.target.action, { method: "POST", body: new FormData(event.target), redirect: "manual" });
        } catch {
            say(bell.dataset.failed);
            return;
        }
        await load();
        count();
        summary.focus();
    });
    document.addEventListener("click", (event) => { if (!bell.contains(event.target)) bell.open = false; });
    bell.addEventListener("keydown", (event) => {
        if (event.key !== "Escape" || !bell.open) return;
        bell.open = false;
        summary.focus();
    });

    document.addEventListener("studio:decided", count);
    const isDue = () => document.visibilityState === "visible" && Date.now() - countedAt >= AGAIN_AFTER;
    document.addEventListener("visibilitychange", () => { if (isDue()) count(); });
    setInterval(() => { if (isDue()) count(); }, AGAIN_AFTER);
    if (document.readyState === "complete") count();
    else window.addEventListener("load", count);
});
