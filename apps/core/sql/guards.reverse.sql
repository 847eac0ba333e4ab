DELETE FROM core_epoch;
DROP FUNCTION core_raise_epoch();
DROP FUNCTION core_refuse_change();
