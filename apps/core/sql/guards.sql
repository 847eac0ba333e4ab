-- Refuses every change of an append-only table, also from raw SQL and by the tables' owner.
CREATE FUNCTION core_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- Raised with every change of configuration, whoever makes it and however: processes compare it with their copy.
-- From a sequence, so that a number is never used again, not even after a rollback.
CREATE SEQUENCE core_epoch_seq;
CREATE FUNCTION core_raise_epoch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    UPDATE core_epoch SET value = nextval('core_epoch_seq');
    RETURN NULL;
END $$;

INSERT INTO core_epoch (id, value) VALUES (1, nextval('core_epoch_seq'));
