DROP TRIGGER raise_epoch ON orgs_orgunit;
DROP TRIGGER raise_epoch ON orgs_program;
