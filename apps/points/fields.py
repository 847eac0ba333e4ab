"""What conditions may ask about the points a member earned and spent before."""

from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words

SOURCE = "points"
ROWS = """(
    SELECT p.member_id, t.program_id, p.day, p.kind, p.points, p.pending_points FROM points_posting p
    JOIN points_account a ON a.id = p.account_id JOIN points_pointtype t ON t.id = a.point_type_id
    WHERE t.id = (SELECT min(first.id) FROM points_pointtype first
                  WHERE first.program_id = t.program_id AND first.kind = 'reward')
) AS moved"""
"""The movements that they are gathered from over all members; `sql/history.sql` says the same of accounts."""
POINTS_FIELDS = (
    Field("history.points_earned", Type.INTEGER, Words("the number of points earned", "所得积分数"),
          "member.history.points_earned", windowed=True, source=SOURCE,
          gathered="sum(points + pending_points) FILTER (WHERE kind = 'earn')"),
    Field("history.points_spent", Type.INTEGER, Words("the number of points redeemed", "兑换积分数"),
          "member.history.points_spent", windowed=True, source=SOURCE,
          gathered="-sum(points) FILTER (WHERE kind = 'redeem')"),
)  # fmt: skip
"""Of the programme's first reward points; those of the event at hand not included."""
