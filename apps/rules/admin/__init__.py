"""Rules, and the imports that run down the main road."""

from apps.rules.admin import imports, rules

__all__ = ["imports", "rules"]
