CREATE TRIGGER raise_epoch AFTER INSERT OR UPDATE OR DELETE ON rules_rule
    FOR EACH STATEMENT EXECUTE FUNCTION core_raise_epoch();
CREATE TRIGGER raise_epoch AFTER INSERT OR UPDATE OR DELETE ON rules_ruleversion
    FOR EACH STATEMENT EXECUTE FUNCTION core_raise_epoch();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rules_outcome
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();

-- A published version says for ever what it said; only its end may still be set.
CREATE FUNCTION rules_keep_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'draft' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' OR NEW.state = 'draft' OR (OLD.state = 'retired' AND NEW.state <> 'retired')
       OR (OLD.rule_id, OLD.number, OLD.definition, OLD.starts_at, OLD.published_at)
          IS DISTINCT FROM (NEW.rule_id, NEW.number, NEW.definition, NEW.starts_at, NEW.published_at) THEN
        RAISE EXCEPTION 'a published rule version is immutable' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_published BEFORE UPDATE OR DELETE ON rules_ruleversion
    FOR EACH ROW EXECUTE FUNCTION rules_keep_published();
