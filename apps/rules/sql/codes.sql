CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rules_codeuse
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rules_codedownload
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();

-- What a batch draws, and with which seed, is fixed before the first of its codes is made; what is stopped stays so.
CREATE FUNCTION rules_keep_batch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.state = 'draft' OR OLD.state = 'stopped' AND NEW.state <> 'stopped'
       OR (OLD.program_id, OLD.unit_id, OLD.code, OLD.size, OLD.uses, OLD.prizes, OLD.seed)
          IS DISTINCT FROM (NEW.program_id, NEW.unit_id, NEW.code, NEW.size, NEW.uses, NEW.prizes, NEW.seed) THEN
        RAISE EXCEPTION 'a batch of codes that are made is immutable' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_batch BEFORE UPDATE OR DELETE ON rules_codebatch
    FOR EACH ROW WHEN (OLD.state <> 'draft') EXECUTE FUNCTION rules_keep_batch();

-- Once the events are recorded: uses the codes up that were found and locked for them.
CREATE FUNCTION rules_claim_codes(claims jsonb) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    INSERT INTO rules_codeuse (batch_id, code_id, use, member_id, event_id, prize)
    SELECT c.batch, c.code, c.use, c.member, c.event, c.prize
    FROM jsonb_to_recordset(claims) AS c(batch bigint, code bigint, use int, member bigint, event bigint, prize text);
    UPDATE rules_code known SET uses_left = known.uses_left - claimed.times
    FROM (SELECT c.code, count(*)::int AS times FROM jsonb_to_recordset(claims) AS c(code bigint) GROUP BY 1) claimed
    WHERE known.id = claimed.code;
END $$;
