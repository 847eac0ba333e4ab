DROP TRIGGER raise_epoch ON orgs_specialday;
