"""What conditions may ask about a member."""

from apps.conditions.catalogue import Family, Field
from apps.conditions.types import Type
from apps.conditions.words import Words

MEMBER_FIELDS = (
    Field("member.home_unit", Type.UNIT, Words("the member's home unit", "会员所属单位"), "member.home_path"),
    Field("member.joined_on", Type.DATE, Words("the joining date", "入会日期"), "member.joined_on"),
)
MEMBER_FAMILIES = (Family("member.attributes", Words("the member's", "会员的"), "member.attributes"),)
