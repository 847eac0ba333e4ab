ALTER TABLE points_entry DROP COLUMN transaction;
DROP TRIGGER append_only ON points_entry;
DROP TRIGGER append_only ON points_posting;
DROP TRIGGER raise_epoch ON points_pointtype;
