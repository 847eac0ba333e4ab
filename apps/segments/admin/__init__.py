"""Tags as a tree, segments, and the heat map of scores."""

from apps.segments.admin.scores import RfmSchemeAdmin
from apps.segments.admin.segments import SegmentAdmin
from apps.segments.admin.tags import TagAdmin

__all__ = ["RfmSchemeAdmin", "SegmentAdmin", "TagAdmin"]
