"""How a table stands to personal data. Every model that reaches a member says so: `personal = Personal.NONE`.

A test walks the schema from `Member` outwards and fails on a table that says nothing: whoever adds one decides
what erasure, exports and masks mean for it.
"""

from enum import StrEnum


class Personal(StrEnum):
    """What rows of a table hold about the member they reach."""

    NONE = "none"
    """What happened, when and where; nothing that names a person without the member's own row."""
    MASKED = "masked"
    """Parts of personal data that may be shown."""
    ENCRYPTED = "encrypted"
    """Personal data, encrypted, beside masks and keyed hashes."""
    WORDS = "words"
    """Words that staff wrote about a member, such as reasons: nobody can promise that they name no one."""
    STAGED = "staged"
    """Personal data in clear on its way in, gone when it has arrived."""
