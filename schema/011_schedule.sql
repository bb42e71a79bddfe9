-- When to ask: what the schedule goes by, and in what words it is told (engine/schedule.c).

-- What this tracker has instead of the service's settings, by their names.
ALTER TABLE bugwatch.tracker
  ADD schedule jsonb NOT NULL DEFAULT '{}'
    CONSTRAINT tracker_schedule CHECK (jsonb_typeof(schedule) = 'object');

ALTER TABLE bugwatch.tracker_state
  ADD mode text,                        -- single, batch or changes; null until it was reckoned
  ADD stretch_s double precision NOT NULL DEFAULT 0, -- schedule_stretch's
  ADD batch_s bigint,                   -- from one batch to the next
  ADD changes_s bigint,                 -- from one question what changed to the next, of itself
  ADD batch_at timestamptz,             -- when the next batch is asked about; null in mode single
  ADD reckoned_at timestamptz,          -- when these were reckoned from the bugs' states
  ADD failing_since timestamptz,        -- the first of the failures in a row
  ADD swept bigint NOT NULL DEFAULT 0,  -- bugs looked at in mode changes without being told to
  ADD missed bigint NOT NULL DEFAULT 0, -- how many of them had changed without a word
  ADD doubtful boolean NOT NULL DEFAULT false; -- too many

ALTER TABLE bugwatch.bug ADD status_since timestamptz; -- as far as the tracker tells, by its clock
UPDATE bugwatch.bug SET status_since = coalesce(remote_changed_at, last_changed_at, first_read_at)
WHERE first_read_at IS NOT NULL;

-- Seconds since a bug was last seen to change, where the tracker does not say when it did.
CREATE FUNCTION bugwatch.quiet_s(bug bugwatch.bug_check) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT greatest(0, extract(epoch FROM now()
    - coalesce(b.remote_changed_at, b.last_changed_at, b.first_read_at, now())))::bigint
  FROM bugwatch.bug b WHERE b.tracker_id = bug.tracker_id AND b.id = bug.bug_id
$$;

-- Seconds since its status changed.
CREATE FUNCTION bugwatch.steady_s(bug bugwatch.bug_check) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT greatest(0, extract(epoch FROM now() - coalesce(b.status_since, now())))::bigint
  FROM bugwatch.bug b WHERE b.tracker_id = bug.tracker_id AND b.id = bug.bug_id
$$;

CREATE OR REPLACE VIEW bugwatch.watch_status AS
SELECT w.id, w.url, w.ref, t.name AS tracker, b.remote_id, b.title, b.product,
  b.remote_status, b.remote_resolution,
  coalesce(b.remote_severity, b.remote_priority) AS remote_importance,
  b.remote_severity, b.remote_priority, b.remote_tags, b.status, b.importance,
  w.created_at, bugwatch.last_check(c, s) AS last_checked_at, b.last_changed_at, b.remote_changed_at,
  CASE WHEN t.enabled THEN greatest(c.next_check_at, s.retry_after,
    CASE WHEN s.error_kind IS NOT NULL AND NOT s.changes_failed THEN s.due_at
      WHEN c.checked_at IS NOT NULL THEN s.batch_at END) END AS next_check_at,
  CASE
    WHEN NOT t.enabled THEN 'the tracker is switched off'
    WHEN s.retry_after > greatest(c.next_check_at, now())
      THEN 'the tracker asked to be left alone until then'
    WHEN c.checked_at IS NULL THEN 'not checked yet'
    WHEN s.error_kind IS NOT NULL AND NOT s.changes_failed AND s.due_at > greatest(c.next_check_at, now())
      THEN 'the tracker fails: tried again after a pause'
    WHEN c.failures > 0 THEN c.error_kind || ', ' || c.failures || ' in a row: again after '
      || bugwatch.in_words(c.next_check_at - c.checked_at)
    WHEN c.next_check_at <= now() AND s.batch_at > now() THEN 'due: with the next batch'
    WHEN c.next_check_at <= now() THEN 'due'
    ELSE CASE WHEN bugwatch.is_resolved(b.status)
        THEN 'resolved ' || bugwatch.in_words(greatest(now() - b.status_since, '0')) || ' ago: every '
        ELSE 'unchanged for ' || bugwatch.in_words(make_interval(secs => bugwatch.quiet_s(c)))
          || ': every ' END
      || bugwatch.in_words(c.next_check_at - c.checked_at)
      || CASE WHEN s.mode = 'changes' THEN ', and when the tracker says that it changed' ELSE '' END
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

CREATE OR REPLACE VIEW bugwatch.tracker_status AS
SELECT t.name, t.type, t.base_url, t.title, t.enabled,
  s.server ->> 'version' AS version,
  coalesce(s.server -> 'abilities', '[]') AS abilities,
  CASE
    WHEN NOT t.enabled THEN 'paused'
    WHEN s.error_kind IS NOT NULL THEN 'failing'
    WHEN s.probed_at IS NULL THEN 'new'
    ELSE 'ok'
  END AS health,
  CASE WHEN s.error_kind IS NOT NULL THEN jsonb_build_object(
    'kind', s.error_kind, 'message', s.error_message, 'since', bugwatch.rfc3339(s.error_since),
    'retry_at', bugwatch.rfc3339(CASE WHEN t.enabled THEN s.due_at END)) END AS error,
  (SELECT count(*) FROM bugwatch.watch w WHERE w.tracker_id = t.id) AS watches,
  (SELECT count(*) FROM bugwatch.watch w
    JOIN bugwatch.bug_check c ON c.tracker_id = w.tracker_id AND c.bug_id = w.bug_id
    WHERE w.tracker_id = t.id AND c.error_kind IS NOT NULL) AS watches_with_errors,
  CASE WHEN t.enabled AND isfinite(s.due_at)
    THEN greatest(s.due_at, s.retry_after) END AS next_check_at,
  t.credentials IS NOT NULL AS has_credentials, s.mode,
  CASE WHEN s.doubtful THEN 'sweeps found changes that the tracker did not tell of: it is swept more '
    'often' END AS warning
FROM bugwatch.tracker t JOIN bugwatch.tracker_state s ON s.tracker_id = t.id;
