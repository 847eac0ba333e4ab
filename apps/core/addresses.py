"""Addresses of admin pages by name, for rooms that point to pages of rooms they may not import."""

from typing import Any

from django.urls import NoReverseMatch, reverse


def address(page: str, *args: Any) -> str:
    """The address of an admin page, `address("members_member_change", 7)`; empty where no room offers the page."""
    try:
        return reverse(f"admin:{page}", args=args)
    except NoReverseMatch:
        return ""
