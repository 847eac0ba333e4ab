"""Members, their attributes, who looked at them, and the files they come in."""

from apps.members.admin.attributes import AttributeDefinitionAdmin
from apps.members.admin.imports import ImportMappingAdmin, MemberImportAdmin
from apps.members.admin.looks import LookAdmin
from apps.members.admin.members import MemberAdmin

__all__ = ["AttributeDefinitionAdmin", "ImportMappingAdmin", "LookAdmin", "MemberAdmin", "MemberImportAdmin"]
