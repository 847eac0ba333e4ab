"""What differs between two versions of a policy, in words. Pure."""

from collections.abc import Iterator, Mapping

from apps.approvals.catalogue import catalogue_of
from apps.approvals.definition import Band, Definition
from apps.approvals.words import FREE, OTHERWISE, band_sentence, steps_in_words
from apps.conditions.sentences import sentence
from apps.conditions.tree import ConditionError, parse
from apps.conditions.words import Words

ADDED = Words("Added: “{name}”. {says}", "新增“{name}”：{says}")
REMOVED = Words("Removed: “{name}”. {says}", "删除“{name}”：{says}")
RENAMED = Words("“{old}” is now called “{new}”.", "“{old}”更名为“{new}”。")
FITS = Words("“{name}” fits when: {old} → {new}", "“{name}”的条件：{old} → {new}")
ASKS = Words("“{name}” asks: {old} → {new}", "“{name}”的审批路径：{old} → {new}")
WHY = Words("“{name}”, why: “{old}” → “{new}”", "“{name}”的说明：“{old}” → “{new}”")
ORDER = Words("Order: {old} → {new}", "顺序：{old} → {new}")
CHANGED = Words("{old} → {new}", "{old} → {new}")
QUOTED, LIST = Words("“{name}”", "“{name}”"), Words(", ", "、")


def differences(
    kind: str,
    older: Definition,
    newer: Definition,
    language: str,
    unit_names: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
) -> list[str]:
    """What changed from `older` to `newer`, one line each; none where they say the same."""

    def say(words: Words, **slots: str) -> str:
        return words.in_language(language).format(**slots)

    def whole(band: Band) -> str:
        return band_sentence(kind, band, language, unit_names, names)

    def road(band: Band) -> str:
        return steps_in_words(band.steps, language, names) if band.steps else FREE.in_language(language)

    def condition(band: Band) -> str:
        catalogue = catalogue_of(kind)
        try:
            return sentence(parse(band.when, catalogue), catalogue, language, unit_names)
        except ConditionError:
            return "…"

    pairs = list(_pairs(older, newer))
    lines = [say(REMOVED, name=old.name, says=whole(old)) for old, new in pairs if old is not None and new is None]
    lines += [say(ADDED, name=new.name, says=whole(new)) for old, new in pairs if old is None and new is not None]
    for old, new in pairs:
        if old is None or new is None:
            continue
        if old.name != new.name:
            lines.append(say(RENAMED, old=old.name, new=new.name))
        for words, tell in ((FITS, condition), (ASKS, road)):
            if tell(old) != tell(new):
                lines.append(say(words, name=new.name, old=tell(old), new=tell(new)))
        if old.why != new.why:
            lines.append(say(WHY, name=new.name, old=old.why, new=new.why))
    kept = [(old, new) for old, new in pairs if old is not None and new is not None]
    was = [new for _, new in sorted(kept, key=lambda pair: older.bands.index(pair[0]))]
    is_now = sorted((new for _, new in kept), key=newer.bands.index)
    if was != is_now:
        listed = [
            LIST.in_language(language).join(say(QUOTED, name=band.name) for band in bands) for bands in (was, is_now)
        ]
        lines.append(say(ORDER, old=listed[0], new=listed[1]))
    if older.otherwise != newer.otherwise:
        old_words, new_words = (OTHERWISE[each.otherwise].in_language(language) for each in (older, newer))
        lines.append(say(CHANGED, old=old_words, new=new_words))
    return lines


def _pairs(older: Definition, newer: Definition) -> Iterator[tuple[Band | None, Band | None]]:
    """The bands that are the same one: by name; else where one alone says the same under another name."""
    by_name = {band.name: band for band in newer.bands}
    left = [band for band in older.bands if band.name not in by_name]
    fresh = [band for band in newer.bands if band.name not in {each.name for each in older.bands}]
    for band in older.bands:
        if band.name in by_name:
            yield band, by_name[band.name]
    for band in left:
        same = next((each for each in fresh if (each.when, each.steps) == (band.when, band.steps)), None)
        if same is not None:
            fresh.remove(same)
        yield band, same
    for band in fresh:
        yield None, band
