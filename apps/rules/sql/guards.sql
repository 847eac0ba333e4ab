CREATE TRIGGER raise_epoch AFTER INSERT OR UPDATE OR DELETE ON rules_rule
    FOR EACH STATEMENT EXECUTE FUNCTION core_raise_epoch();
-- Drafts are nobody's configuration yet: saving one leaves the workers' copies as they are.
CREATE TRIGGER raise_epoch_new AFTER INSERT ON rules_ruleversion
    FOR EACH ROW WHEN (NEW.state <> 'draft') EXECUTE FUNCTION core_raise_epoch();
CREATE TRIGGER raise_epoch AFTER UPDATE ON rules_ruleversion
    FOR EACH ROW WHEN (NEW.state <> 'draft' OR OLD.state <> 'draft') EXECUTE FUNCTION core_raise_epoch();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rules_outcome
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();

-- At no instant are two versions of one rule in force. Both columns as ranges: no extension is needed.
ALTER TABLE rules_ruleversion ADD CONSTRAINT ruleversion_one_at_a_time EXCLUDE USING gist (
    int8range(rule_id, rule_id, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&) WHERE (state <> 'draft');

-- A published version says for ever what it said; only its end may still be set, or set earlier.
CREATE FUNCTION rules_keep_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'draft' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' OR NEW.state = 'draft' OR (OLD.state = 'retired' AND NEW.state <> 'retired')
       OR (OLD.ends_at IS NOT NULL AND (NEW.ends_at IS NULL OR NEW.ends_at > OLD.ends_at))
       OR (OLD.rule_id, OLD.number, OLD.definition, OLD.starts_at, OLD.published_at)
          IS DISTINCT FROM (NEW.rule_id, NEW.number, NEW.definition, NEW.starts_at, NEW.published_at) THEN
        RAISE EXCEPTION 'a published rule version is immutable' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_published BEFORE UPDATE OR DELETE ON rules_ruleversion
    FOR EACH ROW EXECUTE FUNCTION rules_keep_published();

-- What a published rule is for, and where, stays too: changing it would rewrite what is in force.
CREATE FUNCTION rules_keep_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM rules_ruleversion WHERE rule_id = OLD.id AND state <> 'draft') THEN
        RAISE EXCEPTION 'the place of a published rule is immutable' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_place BEFORE UPDATE ON rules_rule FOR EACH ROW
    WHEN ((OLD.program_id, OLD.unit_id, OLD.code) IS DISTINCT FROM (NEW.program_id, NEW.unit_id, NEW.code))
    EXECUTE FUNCTION rules_keep_place();
