"""Members, their attributes, who looked at them, what they agreed to, who was erased, how good it is, and the files they come in."""

from apps.members.admin.attributes import AttributeDefinitionAdmin
from apps.members.admin.imports import ImportMappingAdmin, MemberImportAdmin
from apps.members.admin.looks import LookAdmin
from apps.members.admin.matching import MatchingOrderAdmin
from apps.members.admin.members import MemberAdmin
from apps.members.admin.merges import DuplicatePairAdmin, MergeAdmin
from apps.members.admin.privacy import BlockedIdentifierAdmin, ConsentAdmin, ConsentPurposeAdmin, ErasureAdmin
from apps.members.admin.quality import QualityRuleAdmin

__all__ = [
    "AttributeDefinitionAdmin", "BlockedIdentifierAdmin", "ConsentAdmin", "ConsentPurposeAdmin", "DuplicatePairAdmin",
    "ErasureAdmin", "ImportMappingAdmin", "LookAdmin", "MatchingOrderAdmin", "MemberAdmin", "MemberImportAdmin", "MergeAdmin", "QualityRuleAdmin",
]  # fmt: skip
