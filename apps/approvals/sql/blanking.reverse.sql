DROP TRIGGER only_words ON approvals_evidence;
DROP TRIGGER only_words ON approvals_requestnote;
DROP TRIGGER only_words ON approvals_decision;
CREATE OR REPLACE FUNCTION approvals_check_request() RETURNS trigger LANGUAGE plpgsql AS $$
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
