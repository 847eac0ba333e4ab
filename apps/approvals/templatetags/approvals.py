"""Words of requests in templates."""

from datetime import datetime
from typing import Any

from django import template
from django.utils.timesince import timesince

from apps.approvals.dossier import STATE_TONES
from apps.approvals.models import ApprovalRequest

register = template.Library()


@register.filter
def age(earlier: datetime, later: datetime) -> str:
    """`{{ request.sent_at|age:when }}`: how much time lies between, in its largest unit."""
    return str(timesince(earlier, later, depth=1))


@register.filter
def state_tone(state: Any) -> str:
    """`studio-tag-{{ request.state|state_tone }}`"""
    return STATE_TONES[ApprovalRequest.State(state)]
