-- What a tracker's words mean there alone, and the words whose meaning nobody knows.

-- A row of an administrator's; trackers/own_words.h says what its value is compared with.
CREATE TABLE bugwatch.mapping (
  tracker_id bigint NOT NULL REFERENCES bugwatch.tracker ON DELETE CASCADE,
  field text NOT NULL CONSTRAINT mapping_field CHECK (field IN ('status', 'importance')),
  value text NOT NULL CONSTRAINT mapping_value_length CHECK (length(value) BETWEEN 1 AND 500),
  means text NOT NULL,
  PRIMARY KEY (tracker_id, field, value)
);

-- The remote words of a bug that mean nothing to us; null where there are none, as there should be.
ALTER TABLE bugwatch.bug ADD unmapped_status text, ADD unmapped_importance text;
UPDATE bugwatch.bug SET
  unmapped_status = CASE WHEN status = 'unknown'
    THEN remote_status || coalesce(' ' || nullif(remote_resolution, ''), '') END,
  unmapped_importance = CASE WHEN importance = 'unknown'
    THEN coalesce(nullif(remote_severity, ''), remote_priority) END
WHERE (status = 'unknown' AND remote_status IS NOT NULL)
  OR (importance = 'unknown' AND coalesce(remote_severity, remote_priority) IS NOT NULL);
