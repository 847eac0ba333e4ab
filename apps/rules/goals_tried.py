"""What a trial says of goals, remainders and tags: the imagined member is one whom the event takes to the goal. Pure."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.activity.facts import EventFacts
from apps.core.formats import day
from apps.rules.effects import Rate, Tag
from apps.rules.evaluate import NO_CARDS, Card, Cards, LiveRule, Outcome, carry_name
from apps.rules.explain import left_over
from apps.rules.sentences import Names, goal_words


def cards_before(live: LiveRule, event: EventFacts) -> Cards:
    """What the member has gathered before: all but what the event brings."""
    goal = live.accumulator
    gathered = goal.gathered(event) if goal is not None else None
    if goal is None or not gathered:
        return NO_CARDS
    return {Card(live.rule_id, goal.of, goal.start(event.date)): goal.short_of(gathered)}


def goal_said(live: LiveRule, content: Mapping[str, Any], event: EventFacts, currency: str) -> str:
    """How the event is taken; empty where the rule has no goal."""
    if live.accumulator is None:
        return ""
    goal = {"goal": goal_words(content["accumulator"], Names(currency), get_language() or "en")}
    if not live.accumulator.gathered(event):
        return _("This event brings nothing towards the goal: %(goal)s.") % goal
    return _("Taken as the event that reaches the goal: %(goal)s.") % goal


def besides(live: LiveRule, outcome: Outcome, event: EventFacts, currency: str) -> list[str]:
    """What would be carried on of too little for a point, and the tags that the member would get."""
    given = {carry_name(award.effect) for award in outcome.awards if award.rule is live}
    said = []
    for each in outcome.counted:
        rate = live.gatherer(each.card.name)
        if each.rule is live and isinstance(rate, Rate) and each.card.name not in given:
            rest = left_over(rate.measures, rate.shown(each.after)[0], currency)
            said.append(
                _("With nothing carried over this is less than a point; %(rest)s is carried on.") % {"rest": rest}
            )
    return [*said, *(_tag(tag, event.date) for rule, tag in outcome.tagged if rule is live)]


def _tag(tag: Tag, today: date) -> str:
    since, until = tag.lasts(today)
    said = {"tag": tag.tag, "since": day(since), "day": until and day(until - timedelta(days=1))}
    if until is None:
        return _("The member gets the tag “%(tag)s” for ever.") % said
    if since == today:
        return _("The member gets the tag “%(tag)s” until the end of %(day)s.") % said
    return _("The member gets the tag “%(tag)s” from %(since)s until the end of %(day)s.") % said
