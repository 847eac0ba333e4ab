DROP TRIGGER append_only ON orgs_viewas;
