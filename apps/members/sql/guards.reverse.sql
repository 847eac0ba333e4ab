DROP TRIGGER append_only ON members_look;
DROP TRIGGER append_only ON members_memberchange;
