// The sentence of an expiry policy, written anew while the policy is chosen; its words come with the page.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const box = document.querySelector("[data-policy]");
    if (!box) return;
    const words = JSON.parse(box.dataset.policy);
    const field = (name) => document.querySelector(`[name="expiry_${name}"]`);
    const count = (name) => Math.max(0, parseInt(field(name).value, 10) || 0);
    const fill = (text, slots) => text.replace(/\{(\w+)\}/g, (_, name) => slots[name]);

    function write() {
        for (const line of box.querySelectorAll("[data-policy-language]")) {
            const said = words[line.dataset.policyLanguage];
            const many = (forms, n) => fill(forms[n === 1 ? 0 : 1], { n });
            const kind = field("kind").value;
            let name = kind;
            let days = count("days");
            if (kind === "end_of") {
                days = count("plus_days");
                name += (count("plus_years") ? "_years" : "") + (days ? "_days" : "");
            }
            const isReady = days > 0 || kind === "never" || kind === "end_of";
            line.textContent = isReady ? fill(said.sentences[name], {
                days: many(said.day, days),
                years: many(said.year, count("plus_years")),
                period: said.periods[field("period").value || "month"],
            }) : "…";
        }
    }
    for (const event of ["input", "change"]) box.closest("form").addEventListener(event, write);
    write();
});
