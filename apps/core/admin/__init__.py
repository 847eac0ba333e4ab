"""The admin's base classes: whatever reaches a screen through them has passed `visible_to`.

A row that a person may not see answers like a row that does not exist: 404, whatever the address or method. A
row that is visible but not theirs to change opens as a page to read.
"""

from apps.core.admin.base import ScopedAdmin
from apps.core.admin.columns import figure, local
from apps.core.admin.inlines import ScopedStackedInline, ScopedTabularInline
from apps.core.admin.scoped import Scoped, actor_of

__all__ = ["Scoped", "ScopedAdmin", "ScopedStackedInline", "ScopedTabularInline", "actor_of", "figure", "local"]
