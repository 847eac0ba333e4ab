-- Nobody decides on what they wrote or sent, not even with the studio's own hand.
ALTER TABLE rules_rulereview ADD CONSTRAINT rulereview_by_another CHECK (
    state IN ('open', 'withdrawn')
    OR (decided_by_id IS NOT NULL AND decided_by_id IS DISTINCT FROM submitted_by_id AND NOT decided_by_id = ANY (writers)));

-- A review is kept for ever: it is decided once, and that is all that ever changes of it.
CREATE FUNCTION rules_keep_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR OLD.state <> 'open'
       OR (OLD.id, OLD.rule_id, OLD.number, OLD.definition, OLD.wished_start, OLD.note, OLD.submitted_by_id, OLD.submitted_at, OLD.writers)
          IS DISTINCT FROM
          (NEW.id, NEW.rule_id, NEW.number, NEW.definition, NEW.wished_start, NEW.note, NEW.submitted_by_id, NEW.submitted_at, NEW.writers) THEN
        RAISE EXCEPTION 'a review is kept as it was' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_review BEFORE UPDATE OR DELETE ON rules_rulereview
    FOR EACH ROW EXECUTE FUNCTION rules_keep_review();
CREATE TRIGGER keep_reviews BEFORE TRUNCATE ON rules_rulereview
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();

-- What somebody is asked to approve stays as it was sent until the review is over, and so does where it applies.
CREATE FUNCTION rules_keep_submitted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM rules_rulereview WHERE rule_id = OLD.rule_id AND state = 'open') THEN
        RAISE EXCEPTION 'a draft in review stays as it was sent' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER keep_submitted BEFORE DELETE ON rules_ruleversion FOR EACH ROW
    WHEN (OLD.state = 'draft') EXECUTE FUNCTION rules_keep_submitted();
CREATE TRIGGER keep_submitted_content BEFORE UPDATE ON rules_ruleversion FOR EACH ROW
    WHEN (OLD.state = 'draft' AND (OLD.number, OLD.definition) IS DISTINCT FROM (NEW.number, NEW.definition))
    EXECUTE FUNCTION rules_keep_submitted();

CREATE FUNCTION rules_keep_submitted_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM rules_rulereview WHERE rule_id = OLD.id AND state = 'open') THEN
        RAISE EXCEPTION 'the place of a rule in review stays' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_submitted_place BEFORE UPDATE ON rules_rule FOR EACH ROW
    WHEN ((OLD.program_id, OLD.unit_id) IS DISTINCT FROM (NEW.program_id, NEW.unit_id))
    EXECUTE FUNCTION rules_keep_submitted_place();

-- Where a programme wants its rules reviewed, nothing is published but what somebody approved.
CREATE FUNCTION rules_require_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM rules_rule rule JOIN orgs_program program ON program.id = rule.program_id
               WHERE rule.id = NEW.rule_id AND program.reviews_rules)
       AND NOT EXISTS (SELECT FROM rules_rulereview review WHERE review.rule_id = NEW.rule_id
                       AND review.number = NEW.number AND review.definition = NEW.definition AND review.state = 'approved') THEN
        RAISE EXCEPTION 'this programme publishes what was reviewed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER require_review BEFORE UPDATE ON rules_ruleversion FOR EACH ROW
    WHEN (OLD.state = 'draft' AND NEW.state <> 'draft') EXECUTE FUNCTION rules_require_review();
CREATE TRIGGER require_review_new BEFORE INSERT ON rules_ruleversion FOR EACH ROW
    WHEN (NEW.state <> 'draft') EXECUTE FUNCTION rules_require_review();
