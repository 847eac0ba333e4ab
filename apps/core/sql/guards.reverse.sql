DELETE FROM core_epoch;
DROP FUNCTION core_raise_epoch();
DROP SEQUENCE core_epoch_seq;
DROP FUNCTION core_refuse_change();
