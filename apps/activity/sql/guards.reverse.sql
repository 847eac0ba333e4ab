DROP TRIGGER append_only ON activity_eventline;
DROP TRIGGER append_only ON activity_event;
