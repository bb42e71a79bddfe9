-- A forced update asks about every bug of a tracker, and nearly all are as they were. That they were
-- checked is noted once for all of them, in the tracker's row, not in a row of each.
ALTER TABLE bugwatch.tracker_state
  ADD forced boolean NOT NULL DEFAULT false, -- a forced update waits for its run to begin
  -- Bugs up to this one were checked since forced_at; all were once this is the largest number.
  ADD swept_to bigint NOT NULL DEFAULT 0,
  ADD swept_at timestamptz;                  -- all bugs were checked since then
COMMENT ON COLUMN bugwatch.tracker_state.forced_at
  IS 'when the latest forced update began: bugs last checked before are due';
UPDATE bugwatch.tracker_state SET forced = true, forced_at = NULL WHERE forced_at = 'infinity';

-- When a bug was last checked, by itself or with all others; null where it was never read.
CREATE FUNCTION bugwatch.last_check(bug bugwatch.bug_check, tracker bugwatch.tracker_state)
RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN bug.checked_at IS NOT NULL THEN greatest(bug.checked_at, tracker.swept_at,
    CASE WHEN bug.bug_id <= tracker.swept_to THEN tracker.forced_at END) END
$$;

CREATE OR REPLACE VIEW bugwatch.watch_status AS
SELECT w.id, w.url, w.ref, t.name AS tracker, b.remote_id, b.title, b.product,
  b.remote_status, b.remote_resolution,
  coalesce(b.remote_severity, b.remote_priority) AS remote_importance,
  b.remote_severity, b.remote_priority, b.remote_tags, b.status, b.importance,
  w.created_at, bugwatch.last_check(c, s) AS last_checked_at, b.last_changed_at, b.remote_changed_at,
  CASE WHEN t.enabled THEN greatest(c.next_check_at, s.retry_after) END AS next_check_at,
  CASE
    WHEN NOT t.enabled THEN 'the tracker is switched off'
    WHEN s.retry_after > greatest(c.next_check_at, now())
      THEN 'the tracker asked to be left alone until then'
    WHEN c.checked_at IS NULL THEN 'not checked yet'
    WHEN c.next_check_at <= now() THEN 'due'
    WHEN c.failures > 0 THEN c.error_kind || ', ' || c.failures || ' in a row: again after '
      || bugwatch.in_words(c.next_check_at - c.checked_at)
    ELSE 'every ' || bugwatch.in_words(c.next_check_at - c.checked_at)
  END AS next_check_reason,
  (SELECT count(*) FROM bugwatch.comment m
    WHERE m.tracker_id = w.tracker_id AND m.bug_id = w.bug_id) AS comments,
  CASE WHEN c.error_kind IS NOT NULL THEN jsonb_build_object(
    'kind', c.error_kind, 'message', c.error_message,
    'since', bugwatch.rfc3339(c.error_since), 'count', c.failures) END AS error
FROM bugwatch.watch w
JOIN bugwatch.tracker t ON t.id = w.tracker_id
JOIN bugwatch.tracker_state s ON s.tracker_id = w.tracker_id
JOIN bugwatch.bug b ON b.tracker_id = w.tracker_id AND b.id = w.bug_id
JOIN bugwatch.bug_check c ON c.tracker_id = w.tracker_id AND c.bug_id = w.bug_id;
