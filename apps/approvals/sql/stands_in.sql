-- Who decides in somebody's place stands in for them at that moment, for requests of that kind.
CREATE FUNCTION approvals_check_stand_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM approvals_delegation d JOIN approvals_approvalrequest r ON r.id = NEW.request_id
        WHERE d.person_id = NEW.hat_id AND d.delegate_id = NEW.person_id AND d.ended_at IS NULL
            AND d.starts_at <= NEW.decided_at AND d.ends_at > NEW.decided_at
            AND (d.kinds = '[]' OR d.kinds ? r.kind)
    ) THEN
        RAISE EXCEPTION 'person % does not stand in for person %', NEW.person_id, NEW.hat_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_stand_in BEFORE INSERT ON approvals_decision
    FOR EACH ROW WHEN (NEW.person_id <> NEW.hat_id) EXECUTE FUNCTION approvals_check_stand_in();
