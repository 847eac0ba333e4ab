"""The verbs of members. Whoever enrols, changes, names, closes, finds or looks, from whichever door, comes through here.

`actor` is a staff person or an API client; None is the studio itself (commands, imports, demo data, tests). Each verb
checks the actor's right on the member's home unit and leaves a line in the member's history.
"""

from apps.members.services.changing import change_member, close_member, reopen_member
from apps.members.services.enrolling import create_member, enrol_many
from apps.members.services.identifying import add_identifier, remove_identifier
from apps.members.services.looking import (
    Revealed,
    find_by_identifier,
    find_members,
    open_look,
    record_export,
    record_matching,
    reveal,
)

__all__ = [
    "Revealed",
    "add_identifier",
    "change_member",
    "close_member",
    "create_member",
    "enrol_many",
    "find_by_identifier",
    "find_members",
    "open_look",
    "record_export",
    "record_matching",
    "remove_identifier",
    "reopen_member",
    "reveal",
]
