DROP TRIGGER raise_epoch ON segments_tag;
DROP TRIGGER append_only ON segments_segmentmove;
