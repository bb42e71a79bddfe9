-- The newest events of one tracker, for its feed.
CREATE INDEX event_of_tracker ON bugwatch.event (tracker_id, id);
