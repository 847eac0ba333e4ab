// Keys and messages that every page has. No build step and no inline script: the pages' policy allows none.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const dialog = document.querySelector("[data-studio-shortcuts]");
    for (const button of document.querySelectorAll("[data-studio-help]")) {
        button.addEventListener("click", () => dialog.showModal());
    }

    for (const toast of document.querySelectorAll("[data-studio-toast]")) {
        toast.querySelector("[data-studio-close]").addEventListener("click", () => toast.remove());
        if (toast.dataset.studioToast === "passing") {
            setTimeout(() => { if (!toast.matches(":hover, :focus-within")) toast.remove(); }, 8000);
        }
    }

    // Scrolling parts: the sidebar's needs no landmark of its own, a table's is named after the page.
    window.addEventListener("load", () => {
        const title = document.querySelector("h1")?.textContent.trim().replace(/\s+/g, " ") || document.title;
        for (const part of document.querySelectorAll(".simplebar-content-wrapper[role=region]")) {
            if (part.closest("#nav-sidebar")) {
                part.removeAttribute("role");
                part.removeAttribute("aria-label");
            } else {
                part.setAttribute("aria-label", title);
            }
        }
    });

    for (const menu of document.querySelectorAll("details.studio-account")) {
        document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
        menu.addEventListener("keydown", (event) => { if (event.key === "Escape") menu.open = false; });
    }

    const isTyping = (element) => element.closest("input, textarea, select, [contenteditable=true]");
    document.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            const save = document.querySelector('#submit-row button[name="_save"]');
            if (save && event.target.closest("form")) save.click();
            return;
        }
        if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
        if (event.key === "?" && dialog && !dialog.open) {
            event.preventDefault();
            dialog.showModal();
        } else if (event.key === "/") {
            const box = document.querySelector("[data-studio-search], #searchbar");
            event.preventDefault();
            if (box) box.focus();
            else window.dispatchEvent(new CustomEvent("studio:find"));
        }
    });
});
