CREATE TRIGGER raise_epoch AFTER INSERT OR UPDATE OR DELETE ON points_pointtype
    FOR EACH STATEMENT EXECUTE FUNCTION core_raise_epoch();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON points_posting
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON points_entry
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();

-- The writing transaction of each entry. Reports fold what committed before the oldest transaction still
-- running, and add the rest exactly, so that no entry is missed or counted twice however commits interleave.
ALTER TABLE points_entry ADD COLUMN transaction xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX entry_transaction ON points_entry (transaction);
