CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON segments_segmentmove
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
-- Processes keep in mind which programmes have tags that follow events. What a refresh leaves on a tag is no configuration.
CREATE TRIGGER raise_epoch AFTER INSERT OR DELETE OR UPDATE OF program_id, refresh, condition ON segments_tag
    FOR EACH STATEMENT EXECUTE FUNCTION core_raise_epoch();
