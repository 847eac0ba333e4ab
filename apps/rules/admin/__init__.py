"""Rules, batches of codes, and the imports that run down the main road."""

from apps.rules.admin import codes, imports, rules

__all__ = ["codes", "imports", "rules"]
