// Pages outside the studio: light, dark or as the system, before anything is painted; and the eye of a password box.
"use strict";

(() => {
    const next = { light: "dark", dark: "auto", auto: "light" };
    const icons = { light: "light_mode", dark: "dark_mode", auto: "computer" };
    const system = matchMedia("(prefers-color-scheme: dark)");
    // The studio's own pages keep the choice under this name, written as JSON.
    const chosen = () => {
        try { return next[JSON.parse(localStorage.getItem("adminTheme"))] ? JSON.parse(localStorage.getItem("adminTheme")) : "auto"; }
        catch { return "auto"; }
    };

    function show() {
        const theme = chosen();
        document.documentElement.classList.toggle("dark", theme === "dark" || (theme === "auto" && system.matches));
        for (const button of document.querySelectorAll("[data-bare-theme]")) {
            button.firstElementChild.textContent = icons[theme];
            button.title = button.dataset[theme];
            button.setAttribute("aria-label", button.dataset[theme]);
        }
    }
    show();
    system.addEventListener("change", show);

    document.addEventListener("DOMContentLoaded", () => {
        show();
        for (const button of document.querySelectorAll("[data-bare-theme]")) {
            button.addEventListener("click", () => {
                localStorage.setItem("adminTheme", JSON.stringify(next[chosen()]));
                show();
            });
        }
        for (const button of document.querySelectorAll("[data-bare-reveal]")) {
            const box = document.getElementById(button.getAttribute("aria-controls"));
            button.addEventListener("click", () => {
                const isHidden = box.type === "password";
                box.type = isHidden ? "text" : "password";
                button.setAttribute("aria-pressed", String(isHidden));
                button.firstElementChild.textContent = isHidden ? "visibility_off" : "visibility";
                box.focus();
            });
        }
    });
})();
