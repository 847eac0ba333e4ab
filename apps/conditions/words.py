"""A text in both languages of the studio. Labels of the condition language are data, not program text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """The same text in English and in Simplified Chinese."""

    en: str
    zh: str

    def in_language(self, code: str) -> str:
        """The text for a language code such as `en` or `zh-hans`."""
        return self.zh if code.lower().startswith("zh") else self.en

    def format(self, **slots: "Words | str") -> "Words":
        """Both texts with their slots filled, each in its own language.

        >>> Words("{who} is late", "{who}迟到").format(who=Words("Finance", "财务"))
        Words(en='Finance is late', zh='财务迟到')
        """
        en = {name: slot.en if isinstance(slot, Words) else slot for name, slot in slots.items()}
        zh = {name: slot.zh if isinstance(slot, Words) else slot for name, slot in slots.items()}
        return Words(self.en.format(**en), self.zh.format(**zh))
