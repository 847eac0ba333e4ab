// The tree of a condition as the editor turns it over: paths lead through its own JSON, so a fault's path leads to its
// row. Nothing here draws. A path of a row ends with its number; of a list with "all" or "any".
"use strict";

Conditions.tree = (() => {
    const MODES = { all: ["all"], any: ["any"], "not any": ["not", "any"], "not all": ["not", "all"] };
    const DEEPEST = 6;

    const get = (tree, path) => path.reduce((node, key) => node?.[key], tree);

    // A group's mode and where its children stand: {"not": {"any": […]}} is "not any".
    function modeOf(node) {
        for (const [mode, keys] of Object.entries(MODES)) {
            const children = node && typeof node === "object" ? get(node, keys) : null;
            if (Array.isArray(children)) return { mode, children, keys };
        }
        return null;
    }

    const built = (mode, children) => MODES[mode].reduceRight((inner, key) => ({ [key]: inner }), children);

    // The tree with a group uppermost and within every “not”, so that whatever stands in it is a row of a group.
    function normal(tree) {
        const isNode = tree && typeof tree === "object" && Object.keys(tree).length;
        if (!isNode) return { all: [] };
        return modeOf(tree) || tree.not ? inner(tree) : { all: [inner(tree)] };
    }

    function inner(node) {
        const group = modeOf(node);
        if (group) return built(group.mode, group.children.map(inner));
        if (node?.not) return built("not any", [inner(node.not)]);
        return node?.where ? { ...node, where: normal(node.where) } : node;
    }

    const listOf = (path) => path.slice(0, -1);

    // The group in whose list a row stands.
    const groupOf = (path) => listOf(path).slice(0, listOf(path).at(-2) === "not" ? -2 : -1);

    // Where the group in which a row stands ends: the root, or the lines of one question. No row leaves it.
    const scopeOf = (path) => path.slice(0, path.lastIndexOf("where") + 1);

    const depthOf = (path) => path.filter((key) => key === "all" || key === "any").length;

    function heightOf(node) {
        const below = [...(modeOf(node)?.children || []), ...(node?.where ? [node.where] : [])].map(heightOf);
        return (modeOf(node) ? 1 : 0) + Math.max(0, ...below);
    }

    const startsWith = (path, head) => head.every((key, number) => path[number] === key);

    // Takes the row at `from` and puts it into `list` before number `index` as they are now; says where it is then.
    function move(tree, from, list, index) {
        const at = from.at(-1);
        const home = listOf(from);
        if (startsWith(list, from) || depthOf(list) + heightOf(get(tree, from)) > DEEPEST) return null;
        const [row] = get(tree, home).splice(at, 1);
        const isHome = list.length === home.length && startsWith(list, home);
        const place = [...list];
        if (!isHome && startsWith(list, home) && list[home.length] > at) place[home.length] -= 1;
        const number = isHome && index > at ? index - 1 : index;
        get(tree, place).splice(number, 0, row);
        return [...place, number];
    }

    // One step up (-1) or down (+1) as the rows are read: past a row, into a group, or out of it. Null at the border.
    function step(tree, path, by) {
        const list = listOf(path);
        const rows = get(tree, list);
        const next = path.at(-1) + by;
        if (next >= 0 && next < rows.length) {
            const group = modeOf(rows[next]);
            const into = group && move(tree, path, [...list, next, ...group.keys], by > 0 ? 0 : group.children.length);
            return into || move(tree, path, list, by > 0 ? next + 1 : next);
        }
        const group = groupOf(path);
        if (typeof group.at(-1) !== "number") return null;
        return move(tree, path, listOf(group), by > 0 ? group.at(-1) + 1 : group.at(-1));
    }

    function duplicate(tree, path) {
        get(tree, listOf(path)).splice(path.at(-1) + 1, 0, structuredClone(get(tree, path)));
        return [...listOf(path), path.at(-1) + 1];
    }

    const remove = (tree, path) => get(tree, listOf(path)).splice(path.at(-1), 1)[0];

    return { DEEPEST, get, modeOf, built, normal, listOf, groupOf, scopeOf, depthOf, move, step, duplicate, remove };
})();
