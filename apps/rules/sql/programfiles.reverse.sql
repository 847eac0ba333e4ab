DROP TRIGGER append_only ON rules_programfile;
