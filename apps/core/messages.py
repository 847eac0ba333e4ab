"""The studio's texts in its second language: which ones the sources say, and the catalogues that translate them.

Every room keeps its texts beside it (`apps/<room>/locale`); those of the settings and the shared templates, and what
the skin of the admin leaves untranslated, stand in `locale/`. Nothing here needs the gettext programs.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polib
from django.utils.translation import templatize

LANGUAGE = "zh_Hans"
CALLS = {"_", "gettext", "gettext_lazy", "pgettext", "pgettext_lazy", "ngettext", "ngettext_lazy"}
HEADER = {
    "Language": LANGUAGE,
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=1; plural=0;",
}


@dataclass(frozen=True, order=True)
class Text:
    """A text of the sources; with `plural`, in two numbers; with `context`, told apart from the same words elsewhere."""

    singular: str
    plural: str = ""
    context: str = ""


def catalogue_of(home: Path) -> Path:
    return home / "locale" / LANGUAGE / "LC_MESSAGES" / "django.po"


def homes(root: Path) -> dict[Path, list[Path]]:
    """Every folder that keeps a catalogue, with the sources whose texts it holds."""
    found = {room.parent: _sources(room.parent) for room in sorted(root.glob("apps/*/apps.py"))}
    found[root] = [*_sources(root / "config"), *_sources(root / "templates")]
    return found


def _sources(folder: Path) -> list[Path]:
    return sorted(
        path for kind in ("py", "html", "txt") for path in folder.rglob(f"*.{kind}") if "migrations" not in path.parts
    )


_STRING = r"'''.*?'''|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_CALL = re.compile(rf"\b(n?p?gettext|_)\((?:{_STRING}|[^()'\"]|\([^()]*\))*\)", re.DOTALL)
"""Brackets inside of a text are part of it, however many."""


def texts_of(path: Path) -> Iterator[Text]:
    """What `path`, a module or a template, asks to be translated."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        # What Django makes of a template for xgettext is nearly Python: the calls are what we need of it.
        for call in _CALL.finditer(templatize(source)):
            try:
                yield from _calls(ast.parse(call[0].replace("\n", "\\n") if "u'''" not in call[0] else call[0]))
            except SyntaxError:
                continue
        return
    yield from _calls(ast.parse(source, str(path)))


def _calls(tree: ast.AST) -> Iterator[Text]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        said = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if name not in CALLS or not said:
            continue
        if name.startswith("p"):
            yield Text(said[1], context=said[0]) if len(said) > 1 else Text(said[0])
        elif name.startswith("n") and len(said) > 1:
            yield Text(said[0], plural=said[1])
        else:
            yield Text(said[0])


def update(root: Path) -> list[str]:
    """Brings every catalogue to what the sources say, translations kept; what still lacks one, as `room: text`."""
    missing: list[str] = []
    # A text that moves to another room takes its translation along.
    everywhere = {
        (entry.msgid, entry.msgctxt or ""): entry
        for home in homes(root)
        for entry in _read(catalogue_of(home))
        if entry.translated()
    }
    for home, sources in homes(root).items():
        wanted = sorted({text for path in sources for text in texts_of(path)})
        path = catalogue_of(home)
        old = _read(path)
        own = {(entry.msgid, entry.msgctxt or ""): entry for entry in old if entry.translated()}
        known = everywhere | own
        kept = [entry for entry in old if entry.comment == "library"]
        entries = [_entry(text, known.get((text.singular, text.context))) for text in wanted]
        names = {(entry.msgid, entry.msgctxt or "") for entry in entries}
        entries += [entry for entry in kept if (entry.msgid, entry.msgctxt or "") not in names]
        if entries:
            _write(path, entries)
        missing += [f"{home.name}: {entry.msgid}" for entry in entries if not entry.translated()]
    return missing


def missing(root: Path) -> list[str]:
    """Texts of the sources that no catalogue of their home translates, as `room: text`; changes nothing."""
    found = []
    for home, sources in homes(root).items():
        known = {(entry.msgid, entry.msgctxt or "") for entry in _read(catalogue_of(home)) if entry.translated()}
        said = sorted({text for path in sources for text in texts_of(path)})
        found += [f"{home.name}: {text.singular}" for text in said if (text.singular, text.context) not in known]
    return found


def compile_all(root: Path) -> None:
    """Compiles every catalogue that is newer than what was compiled of it."""
    for home in homes(root):
        path = catalogue_of(home)
        compiled = path.with_suffix(".mo")
        if path.exists() and (not compiled.exists() or compiled.stat().st_mtime < path.stat().st_mtime):
            polib.pofile(str(path)).save_as_mofile(str(compiled))


def _read(path: Path) -> list[polib.POEntry]:
    return list(polib.pofile(str(path))) if path.exists() else []


def _entry(text: Text, known: polib.POEntry | None) -> polib.POEntry:
    flags = ["python-format"] if re.search(r"%\(\w+\)[sd]", text.singular) else []
    entry = polib.POEntry(msgid=text.singular, msgctxt=text.context or None, flags=flags)
    if text.plural:
        entry.msgid_plural = text.plural
        entry.msgstr_plural = {0: (known.msgstr_plural.get(0, "") or known.msgstr) if known else ""}
    else:
        entry.msgstr = known.msgstr if known else ""
    return entry


def _write(path: Path, entries: Iterable[polib.POEntry]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = polib.POFile(wrapwidth=10_000)
    file.metadata = dict(HEADER)
    file.extend(sorted(entries, key=lambda entry: (entry.comment == "library", entry.msgid)))
    file.save(str(path))
