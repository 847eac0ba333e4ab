-- The one door in append-only tables: while a member is erased, functions of the tables' owner blank words in them. Such a
-- function opens the door for as long as it runs (`SET studio.door = 'erasure'`); whoever else sets it is not the owner.
CREATE FUNCTION core_door_is_open(relation oid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('studio.door', true), '') = 'erasure'
       AND EXISTS (SELECT FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
                   WHERE c.oid = relation AND r.rolname = current_user)
$$;

CREATE OR REPLACE FUNCTION core_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND core_door_is_open(TG_RELID) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- Through the door too, only the columns that its arguments name change: `EXECUTE FUNCTION core_only_words('reason')`.
CREATE FUNCTION core_only_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(OLD) - TG_ARGV::text[] <> to_jsonb(NEW) - TG_ARGV::text[] THEN
        RAISE EXCEPTION '% is append-only: only its words can be blanked', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
