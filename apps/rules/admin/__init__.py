"""Rules, batches of codes, and the imports that run down the main road."""

from apps.rules.admin import codes, held, imports, rules

__all__ = ["codes", "held", "imports", "rules"]
