"""Members, their attributes, who looked at them, what they agreed to, who was erased, and the files they come in."""

from apps.members.admin.attributes import AttributeDefinitionAdmin
from apps.members.admin.imports import ImportMappingAdmin, MemberImportAdmin
from apps.members.admin.looks import LookAdmin
from apps.members.admin.members import MemberAdmin
from apps.members.admin.privacy import BlockedIdentifierAdmin, ConsentAdmin, ConsentPurposeAdmin, ErasureAdmin

__all__ = [
    "AttributeDefinitionAdmin", "BlockedIdentifierAdmin", "ConsentAdmin", "ConsentPurposeAdmin", "ErasureAdmin",
    "ImportMappingAdmin", "LookAdmin", "MemberAdmin", "MemberImportAdmin",
]  # fmt: skip
