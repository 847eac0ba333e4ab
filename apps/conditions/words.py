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
