CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON members_erasure
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON members_erasureline
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON members_consent
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON members_consentwording
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();

CREATE TRIGGER only_words BEFORE UPDATE ON members_memberchange
    FOR EACH ROW EXECUTE FUNCTION core_only_words('changes', 'reason');
CREATE TRIGGER only_words BEFORE UPDATE ON members_look
    FOR EACH ROW EXECUTE FUNCTION core_only_words('what', 'reason');
CREATE TRIGGER only_words BEFORE UPDATE ON members_consent
    FOR EACH ROW EXECUTE FUNCTION core_only_words('proof');

-- The transaction that erases a member, and no other, may blank what append-only tables say of them.
ALTER TABLE members_erasure ADD COLUMN transaction xid8 NOT NULL DEFAULT pg_current_xact_id();

-- Every door begins with it: nothing is blanked without a certificate.
CREATE FUNCTION members_require_erasing(erased bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM members_erasure e WHERE e.member_id = erased AND e.transaction = pg_current_xact_id()
    ) THEN
        RAISE EXCEPTION 'member % is not being erased', erased USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;
