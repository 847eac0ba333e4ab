-- Whom a subject shuts out decides nothing on it, in nobody's place, and stays shut out for the round.
CREATE FUNCTION approvals_check_excluded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM approvals_approvalrequest r WHERE r.id = NEW.request_id
            AND (r.excluded @> to_jsonb(NEW.person_id) OR r.excluded @> to_jsonb(NEW.hat_id))
    ) THEN
        RAISE EXCEPTION 'nobody decides on their own work' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_excluded BEFORE INSERT ON approvals_decision
    FOR EACH ROW EXECUTE FUNCTION approvals_check_excluded();

CREATE FUNCTION approvals_keep_excluded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who may not decide on request % cannot change after it was sent', OLD.id
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER keep_excluded BEFORE UPDATE ON approvals_approvalrequest FOR EACH ROW
    WHEN (NEW.round = OLD.round AND NEW.excluded IS DISTINCT FROM OLD.excluded)
    EXECUTE FUNCTION approvals_keep_excluded();
