// The draft saved as one types: when, and by whom. Nobody saves over what they have not read: where somebody else saved
// meanwhile, both stay until the person has chosen.
"use strict";

// `options`: host, form, config, the elements note and changed, definition() as text, adopt(definition) to show another one.
Conditions.saving = ({ host, form, config, note, changed, definition, adopt }) => {
    const { el, quietButton, filled, announce } = Conditions;
    const { words } = config;
    const REST = 1500;
    const AGAIN = 8000;
    const revision = form.elements.revision;
    let last = config.saved && { ...config.saved, at: performance.now() - config.saved.seconds * 1000 };
    let isUnsaved = config.is_unsaved;
    let isUnsavedRound = config.is_unsaved; // the name and the place, which wait for Save
    let isOurs = false;
    let isHeld = false;
    let timer = null;
    let flight = null;

    function ago(told) {
        const seconds = Math.round((performance.now() - told.at) / 1000);
        const [unit, size] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]].find(([, each]) => seconds >= each) || ["second", 1];
        return new Intl.RelativeTimeFormat(document.documentElement.lang || "en").format(-Math.floor(seconds / size), unit);
    }
    const told = (given) => ({ ...given, at: performance.now() - given.seconds * 1000 });

    function show(text) {
        if (text) { note.textContent = text; return; }
        if (isUnsaved || isUnsavedRound) { note.textContent = words.unsaved; return; }
        if (!last) { note.textContent = ""; return; }
        const isNow = performance.now() - last.at < 4000;
        note.textContent = isNow && isOurs ? words.saved : filled(isOurs || !last.who ? words.saved_ago : words.saved_by, { ago: ago(last), who: last.who });
    }
    setInterval(() => { if (!isUnsaved && !flight) show(); }, 5000);

    function touch() {
        isUnsaved = true;
        clearTimeout(timer);
        show();
    }
    function judged(faults) {
        clearTimeout(timer);
        if (!isUnsaved || !config.autosave || isHeld) return;
        if (faults.length) show(host.querySelector(".studio-fault") ? words.unsaved_faults : words.unsaved);
        else timer = setTimeout(save, REST);
    }

    async function save() {
        if (flight) await flight;
        flight = send();
        await flight;
        flight = null;
    }
    async function send() {
        const sent = definition();
        const body = new FormData();
        body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
        body.set("revision", revision.value);
        body.set("definition", sent);
        show(words.saving);
        const answer = await fetch(config.autosave, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
        const said = answer?.ok ? await answer.json().catch(() => null) : null;
        if (said?.saved) {
            last = told(said.saved);
            revision.value = last.revision;
            isOurs = true;
            isUnsaved = definition() !== sent;
            show();
        } else if (said?.theirs) hold(said);
        else if (said?.refusal) show(said.refusal);
        else if (said) show(words.unsaved_faults);
        else {
            show(words.unsaved_offline);
            timer = setTimeout(save, AGAIN);
        }
    }

    // Somebody else saved: what they did stands beside what is typed here, and nothing is saved before a choice.
    function hold(said) {
        const theirs = told(said.theirs);
        isHeld = true;
        show();
        const choose = (run) => () => { isHeld = false; changed.hidden = true; revision.value = theirs.revision; run(); };
        const text = filled(theirs.who ? words.changed_by : words.changed_ago, { ago: ago(theirs), who: theirs.who });
        changed.replaceChildren(el("p", {}, text), ...(said.differences.length ? [el("p", {}, words.yours_differs), el("ul", { class: "studio-differences" }, said.differences.map((line) => el("li", {}, line)))] : []),
            el("div", { class: "studio-buttons" },
                quietButton(words.take_theirs, choose(() => { adopt(said.definition); last = theirs; isOurs = false; isUnsaved = false; show(); })),
                quietButton(words.keep_mine, choose(save))));
        changed.hidden = false;
        announce(text);
    }

    form.addEventListener("input", (event) => { if (!host.contains(event.target)) { isUnsavedRound = true; show(); } });
    form.addEventListener("submit", (event) => {
        clearTimeout(timer);
        if (flight) {
            event.preventDefault();
            flight.then(() => form.requestSubmit(event.submitter));
        } else isUnsaved = isUnsavedRound = false;
    });
    addEventListener("beforeunload", (event) => { if (isUnsaved || isUnsavedRound) event.preventDefault(); });
    show();
    // Saved by now, so that what is asked about the draft is asked about what stands here; whether it could be.
    async function settle() {
        clearTimeout(timer);
        if (isUnsaved && !isHeld) await save();
        return !isUnsaved;
    }
    return { touch, judged, settle };
};
