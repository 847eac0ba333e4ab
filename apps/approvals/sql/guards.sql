CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON approvals_decision
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON approvals_requestnote
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON approvals_evidence
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();

-- Nobody decides on what they sent, twice, in somebody's place who has decided, unasked, or on a request that is over.
CREATE FUNCTION approvals_check_decision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked approvals_approvalrequest;
BEGIN
    SELECT * INTO asked FROM approvals_approvalrequest WHERE id = NEW.request_id;
    IF asked.state <> 'open' OR asked.round <> NEW.round THEN
        RAISE EXCEPTION 'request % is not open for round %', NEW.request_id, NEW.round
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF asked.requester_id IN (NEW.person_id, NEW.hat_id) THEN
        RAISE EXCEPTION 'nobody decides on their own request' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (
        SELECT FROM approvals_decision d WHERE d.request_id = NEW.request_id AND d.round = NEW.round
            AND (d.person_id IN (NEW.person_id, NEW.hat_id) OR d.hat_id IN (NEW.person_id, NEW.hat_id))
    ) THEN
        RAISE EXCEPTION 'nobody decides twice on one request' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NOT EXISTS (
        SELECT FROM approvals_approvaltask t JOIN approvals_approvalstep s ON s.id = t.step_id
        WHERE t.step_id = NEW.step_id AND t.request_id = NEW.request_id AND t.person_id = NEW.hat_id AND t.is_open
            AND NOT t.is_off AND s.round = NEW.round AND s.number = asked.step
    ) THEN
        RAISE EXCEPTION 'person % is not asked in this step', NEW.hat_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_decision BEFORE INSERT ON approvals_decision
    FOR EACH ROW EXECUTE FUNCTION approvals_check_decision();

-- What was asked stays as it was sent, within its round; what is over stays over; nothing is done without its decisions.
CREATE FUNCTION approvals_check_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state NOT IN ('open', 'returned') AND (NEW.state <> OLD.state OR NEW.round <> OLD.round) THEN
        RAISE EXCEPTION 'request % is over', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.round NOT IN (OLD.round, OLD.round + 1) OR (NEW.round > OLD.round AND OLD.state <> 'returned') THEN
        RAISE EXCEPTION 'request % cannot begin round %', OLD.id, NEW.round
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.kind, NEW.key) <> (OLD.kind, OLD.key) OR NEW.requester_id IS DISTINCT FROM OLD.requester_id THEN
        RAISE EXCEPTION 'request % keeps its kind, key and requester', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.round = OLD.round AND (
        (NEW.subject, NEW.facts, NEW.unit_id, NEW.about, NEW.asked_on, NEW.reason)
            IS DISTINCT FROM (OLD.subject, OLD.facts, OLD.unit_id, OLD.about, OLD.asked_on, OLD.reason)
        OR NEW.needed < OLD.needed OR NEW.policy_version_id IS DISTINCT FROM OLD.policy_version_id
    ) THEN
        RAISE EXCEPTION 'what request % asks for cannot change after it was sent', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state = 'done' AND OLD.state <> 'done' AND (
        SELECT count(DISTINCT person_id) FROM approvals_decision
        WHERE request_id = NEW.id AND round = NEW.round AND verdict = 'approved'
    ) < NEW.needed THEN
        RAISE EXCEPTION 'request % lacks decisions', NEW.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_request BEFORE UPDATE ON approvals_approvalrequest
    FOR EACH ROW EXECUTE FUNCTION approvals_check_request();

-- A published policy is read for years: only that it was replaced may be added.
CREATE FUNCTION approvals_check_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state <> 'draft' THEN
            RAISE EXCEPTION 'a published policy stays' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.state <> 'draft' AND (
        NEW.definition <> OLD.definition OR NEW.policy_id <> OLD.policy_id OR NEW.number <> OLD.number
        OR NEW.state = 'draft' OR (OLD.state = 'replaced' AND NEW.state <> 'replaced')
    ) THEN
        RAISE EXCEPTION 'a published policy does not change' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_version BEFORE UPDATE OR DELETE ON approvals_policyversion
    FOR EACH ROW EXECUTE FUNCTION approvals_check_version();
