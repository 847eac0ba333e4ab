"""The verbs of members. Whoever enrols, changes, names, closes, finds or looks, from whichever door, comes through here.

`actor` is a staff person or an API client; None is the studio itself (commands, imports, demo data, tests). Each verb
checks the actor's right on the member's home unit and leaves a line in the member's history.
"""

from apps.members.services.changing import change_member, close_member, reopen_member
from apps.members.services.enrolling import create_member, enrol_many
from apps.members.services.identifying import add_identifier, remove_identifier, unverify, verify
from apps.members.services.looking import (
    Revealed,
    open_look,
    record_export,
    record_matching,
    reveal,
)
from apps.members.services.searching import Found, find_by_identifier, search

__all__ = [
    "Found",
    "Revealed",
    "add_identifier",
    "change_member",
    "close_member",
    "create_member",
    "enrol_many",
    "find_by_identifier",
    "open_look",
    "record_export",
    "record_matching",
    "remove_identifier",
    "reopen_member",
    "reveal",
    "search",
    "unverify",
    "verify",
]
