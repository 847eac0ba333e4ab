"""Members, and who looked at them."""

from apps.members.admin.attributes import AttributeDefinitionAdmin
from apps.members.admin.looks import LookAdmin
from apps.members.admin.members import MemberAdmin

__all__ = ["AttributeDefinitionAdmin", "LookAdmin", "MemberAdmin"]
