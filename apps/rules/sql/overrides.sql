-- A rule overrides one of its own programme, from a unit above its own, and for ever.
CREATE FUNCTION rules_keep_override() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM rules_rule overridden
        JOIN orgs_orgunit above ON above.id = overridden.unit_id JOIN orgs_orgunit own ON own.id = NEW.unit_id
        WHERE overridden.id = NEW.overrides_id AND overridden.program_id = NEW.program_id
          AND own.id <> above.id AND starts_with(own.path, above.path))
       OR (TG_OP = 'UPDATE' AND OLD.overrides_id IS DISTINCT FROM NEW.overrides_id) THEN
        RAISE EXCEPTION 'a rule overrides one of a unit above it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_override BEFORE INSERT ON rules_rule FOR EACH ROW
    WHEN (NEW.overrides_id IS NOT NULL) EXECUTE FUNCTION rules_keep_override();
CREATE TRIGGER keep_override_place BEFORE UPDATE ON rules_rule FOR EACH ROW
    WHEN ((OLD.overrides_id, OLD.unit_id, OLD.program_id) IS DISTINCT FROM (NEW.overrides_id, NEW.unit_id, NEW.program_id)
          AND (OLD.overrides_id IS NOT NULL OR NEW.overrides_id IS NOT NULL))
    EXECUTE FUNCTION rules_keep_override();
