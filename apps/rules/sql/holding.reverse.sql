DROP TRIGGER append_only ON rules_helddecision;
DROP TRIGGER append_only ON rules_heldevent;
