-- One request at a time is open about the draft of a rule.
CREATE UNIQUE INDEX rules_one_open_publication ON approvals_approvalrequest (about)
    WHERE kind = 'rules.publication' AND state = 'open';

-- What somebody is asked to say yes to stays as it was sent until that is decided, and so does where it applies.
CREATE FUNCTION rules_keep_submitted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM approvals_approvalrequest
               WHERE kind = 'rules.publication' AND about = 'rule:' || OLD.rule_id AND state = 'open') THEN
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
    IF EXISTS (SELECT FROM approvals_approvalrequest
               WHERE kind = 'rules.publication' AND about = 'rule:' || OLD.id AND state = 'open') THEN
        RAISE EXCEPTION 'the place of a rule in review stays' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_submitted_place BEFORE UPDATE ON rules_rule FOR EACH ROW
    WHEN ((OLD.program_id, OLD.unit_id) IS DISTINCT FROM (NEW.program_id, NEW.unit_id))
    EXECUTE FUNCTION rules_keep_submitted_place();

-- Where a programme wants its rules reviewed, nothing is published but what another has said yes to as it stands.
CREATE FUNCTION rules_require_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM rules_rule rule JOIN orgs_program program ON program.id = rule.program_id
               WHERE rule.id = NEW.rule_id AND program.reviews_rules)
       AND NOT EXISTS (
           SELECT FROM approvals_approvalrequest request JOIN approvals_decision decision
               ON decision.request_id = request.id AND decision.round = request.round AND decision.verdict = 'approved'
           WHERE request.kind = 'rules.publication' AND request.about = 'rule:' || NEW.rule_id
               AND request.state IN ('open', 'done')
               AND request.subject @> jsonb_build_object('version', NEW.id, 'revision', NEW.revision)) THEN
        RAISE EXCEPTION 'this programme publishes what was reviewed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER require_review BEFORE UPDATE ON rules_ruleversion FOR EACH ROW
    WHEN (OLD.state = 'draft' AND NEW.state <> 'draft') EXECUTE FUNCTION rules_require_review();
CREATE TRIGGER require_review_new BEFORE INSERT ON rules_ruleversion FOR EACH ROW
    WHEN (NEW.state <> 'draft') EXECUTE FUNCTION rules_require_review();
