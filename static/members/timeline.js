// The timeline goes on as one scrolls; the button does the same by hand, and without this script it is a link. Who leaves
// the page and comes back finds it as long, and scrolled as far, as it was.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const host = document.querySelector("[data-timeline]");
    if (!host) return;
    const days = host.querySelector("[data-timeline-days]"), said = host.querySelector("[data-timeline-said]");
    const fault = host.querySelector("[data-timeline-fault]");
    const MOST = 40;
    let pages = 0, reading = null;

    const keep = () => history.replaceState({ ...history.state, timeline: { pages, top: scrollY } }, "");

    function add(part) {
        const sections = [...part.querySelectorAll("[data-timeline-day]")];
        const last = [...days.querySelectorAll("[data-timeline-day]")].at(-1);
        const first = part.querySelector(".timeline-moment");
        if (last && sections[0]?.dataset.timelineDay === last.dataset.timelineDay) {
            last.querySelector("ol").append(...sections.shift().querySelector("ol").children);
        }
        const end = part.querySelector("[data-timeline-end]");
        days.querySelector("[data-timeline-end]").replaceWith(...sections, end);
        said.textContent = end.dataset.said;
        return first;
    }

    async function more() {
        const button = days.querySelector("[data-timeline-more]");
        if (!button) return;
        const held = document.activeElement === button;
        button.setAttribute("aria-busy", "true");
        try {
            const answer = await fetch(button.dataset.part, { headers: { "X-Requested-With": "fetch" } });
            if (!answer.ok || answer.redirected) throw new Error(answer.status);
            const first = add(new DOMParser().parseFromString(await answer.text(), "text/html"));
            if (held) first?.focus({ preventScroll: true });
            pages += 1;
            fault.hidden = true;
            watch();
        } catch {
            button.removeAttribute("aria-busy");
            fault.hidden = false;
            throw new Error("unread");
        }
    }

    // One after the other, however it was asked for.
    const asked = () => { reading ??= more().then(keep, () => {}).finally(() => { reading = null; }); return reading; };
    const seen = new IntersectionObserver((entries) => {
        if (entries.some((entry) => entry.isIntersecting)) asked();
    }, { rootMargin: "600px" });

    function watch() {
        seen.disconnect();
        const button = days.querySelector("[data-timeline-more]");
        if (button) seen.observe(button);
    }

    days.addEventListener("click", (event) => {
        if (event.target.closest("[data-timeline-more]") && !event.ctrlKey && !event.metaKey) {
            event.preventDefault();
            asked();
        }
    });
    addEventListener("pagehide", keep);
    document.addEventListener("visibilitychange", () => { if (document.hidden) keep(); });

    async function back() {
        const kept = history.state?.timeline;
        if (kept) {
            history.scrollRestoration = "manual";
            try {
                while (pages < Math.min(kept.pages, MOST)) {
                    const before = pages;
                    await more();
                    if (pages === before) break;
                }
            } catch { /* what could be read stands there */ }
            scrollTo({ top: kept.top, behavior: "instant" });
        }
        watch();
    }
    back();
});
