-- What happened: events, runs that ended, and what failed in them. It is kept in a table for each
-- month, so that what is older than the settings say is dropped, not deleted row by row.

-- Makes the months of the table PARENT from now to three months ahead, and drops those that ended
-- more than KEEP_DAYS ago. Whoever waits for a table that is read for long stands in everybody's way:
-- then this fails soon, and is tried again.
CREATE FUNCTION bugwatch.keep_months(parent text, keep_days integer) RETURNS void
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
  this_month CONSTANT timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
  month timestamp;
  partition text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('bugwatch.keep_months'));
  FOR ahead IN 0 .. 3 LOOP
    month := this_month + ahead * interval '1 month';
    partition := parent || to_char(month, '_YYYY_MM');
    IF to_regclass('bugwatch.' || partition) IS NULL THEN
      EXECUTE format('CREATE TABLE bugwatch.%I PARTITION OF bugwatch.%I FOR VALUES FROM (%L) TO (%L)',
        partition, parent, month::text || '+00', (month + interval '1 month')::text || '+00');
    END IF;
  END LOOP;
  FOR partition IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = ('bugwatch.' || parent)::regclass
  LOOP
    month := to_date(right(partition, 7), 'YYYY_MM');
    IF month + interval '1 month' + keep_days * interval '1 day' < now() AT TIME ZONE 'UTC' THEN
      EXECUTE format('DROP TABLE bugwatch.%I', partition);
    END IF;
  END LOOP;
END $$;

-- Lets the table OLD, as it is, be the month up to now of the partitioned table PARENT.
CREATE FUNCTION bugwatch.be_first_month(old text, parent text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  month CONSTANT timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
  partition CONSTANT text := parent || to_char(month, '_YYYY_MM');
BEGIN
  EXECUTE format('ALTER TABLE bugwatch.%I RENAME TO %I', old, partition);
  EXECUTE format('ALTER TABLE bugwatch.%I ATTACH PARTITION bugwatch.%I FOR VALUES FROM (MINVALUE) TO (%L)',
    parent, partition, (month + interval '1 month')::text || '+00');
END $$;

-- ---- events ----

ALTER TABLE bugwatch.event RENAME TO old_event;
ALTER TABLE bugwatch.old_event DROP CONSTRAINT event_pkey, ADD PRIMARY KEY (id, at);
ALTER INDEX bugwatch.event_of_watch RENAME TO old_event_of_watch;
ALTER INDEX bugwatch.event_of_tracker RENAME TO old_event_of_tracker;
CREATE TABLE bugwatch.event (LIKE bugwatch.old_event INCLUDING DEFAULTS, PRIMARY KEY (id, at))
PARTITION BY RANGE (at);
CREATE INDEX event_of_watch ON bugwatch.event (watch_id, id);
CREATE INDEX event_of_tracker ON bugwatch.event (tracker_id, id);
ALTER SEQUENCE bugwatch.event_id OWNED BY bugwatch.event.id;
CREATE OR REPLACE VIEW bugwatch.event_feed AS
SELECT id, at, kind, watch_id AS watch, tracker, remote_id, url, ref, old, new
FROM bugwatch.event;
SELECT bugwatch.be_first_month('old_event', 'event');
SELECT bugwatch.keep_months('event', NULL);

-- ---- runs ----

-- From now on the table run has only those that are queued or running.
CREATE TABLE bugwatch.past_run (
  id bigint NOT NULL,
  tracker_id bigint NOT NULL REFERENCES bugwatch.tracker ON DELETE CASCADE,
  reason text NOT NULL,
  state text NOT NULL,
  queued_at timestamptz NOT NULL,
  started_at timestamptz,
  finished_at timestamptz NOT NULL,
  due integer NOT NULL,
  checked integer NOT NULL,
  changed integer NOT NULL,
  comments integer NOT NULL,
  errors integer NOT NULL,
  requests bigint NOT NULL,
  bytes bigint NOT NULL,
  instance text,
  error_kind text,
  error_message text,
  PRIMARY KEY (id, finished_at)
) PARTITION BY RANGE (finished_at);
CREATE INDEX past_run_of_tracker ON bugwatch.past_run (tracker_id, id DESC);
CREATE TABLE bugwatch.old_run (LIKE bugwatch.past_run);
SELECT bugwatch.be_first_month('old_run', 'past_run');
SELECT bugwatch.keep_months('past_run', NULL);
INSERT INTO bugwatch.past_run
SELECT id, tracker_id, reason, state, queued_at, started_at, finished_at, due, checked, changed,
  comments, errors, requests, bytes, instance, error_kind, error_message
FROM bugwatch.run WHERE finished_at IS NOT NULL;

ALTER TABLE bugwatch.run_error RENAME TO old_run_error;
ALTER TABLE bugwatch.old_run_error DROP CONSTRAINT run_error_run_id_fkey,
  DROP CONSTRAINT run_error_pkey, ADD PRIMARY KEY (run_id, bug_id, at);
DELETE FROM bugwatch.run WHERE finished_at IS NOT NULL;
CREATE TABLE bugwatch.run_error (LIKE bugwatch.old_run_error INCLUDING DEFAULTS,
  PRIMARY KEY (run_id, bug_id, at),
  FOREIGN KEY (tracker_id) REFERENCES bugwatch.tracker ON DELETE CASCADE)
PARTITION BY RANGE (at);
CREATE INDEX run_error_of_tracker ON bugwatch.run_error (tracker_id);
SELECT bugwatch.be_first_month('old_run_error', 'run_error');
SELECT bugwatch.keep_months('run_error', NULL);

-- The table run no longer changes its rows' reason and state but for one: from queued to running.
DROP INDEX bugwatch.run_of_tracker;
ALTER TABLE bugwatch.run DROP CONSTRAINT run_state,
  ADD CONSTRAINT run_state CHECK (state IN ('queued', 'running')),
  DROP COLUMN finished_at, DROP COLUMN error_kind, DROP COLUMN error_message;
DROP FUNCTION bugwatch.be_first_month;

CREATE VIEW bugwatch.any_run AS
SELECT id, tracker_id, reason, state, queued_at, started_at, NULL::timestamptz AS finished_at, due,
  checked, changed, comments, errors, requests, bytes, instance, NULL::text AS error_kind,
  NULL::text AS error_message
FROM bugwatch.run
UNION ALL
SELECT id, tracker_id, reason, state, queued_at, started_at, finished_at, due, checked, changed,
  comments, errors, requests, bytes, instance, error_kind, error_message
FROM bugwatch.past_run;

-- A run as the API tells it; null where there is none.
DROP FUNCTION bugwatch.run_told;
CREATE FUNCTION bugwatch.run_told(u bugwatch.any_run, tracker text) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT json_build_object('id', u.id::text, 'tracker', tracker, 'reason', u.reason,
    'state', u.state, 'queued_at', bugwatch.rfc3339(u.queued_at),
    'started_at', bugwatch.rfc3339(u.started_at), 'finished_at', bugwatch.rfc3339(u.finished_at),
    'due', u.due, 'checked', u.checked, 'changed', u.changed, 'comments', u.comments,
    'errors', u.errors, 'requests', u.requests, 'bytes', u.bytes, 'instance', u.instance,
    'error', CASE WHEN u.error_kind IS NOT NULL THEN
      json_build_object('kind', u.error_kind, 'message', u.error_message) END)
  WHERE u.id IS NOT NULL
$$;

-- In this language its plan is kept.
CREATE OR REPLACE FUNCTION bugwatch.keeps_comments(tracker bigint, product text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  RETURN (SELECT CASE t.sync_comments
    WHEN 'all' THEN true
    WHEN 'products' THEN EXISTS (SELECT FROM bugwatch.product p
      WHERE p.tracker_id = t.id AND p.name = keeps_comments.product AND p.sync_comments)
    ELSE false
  END FROM bugwatch.tracker t WHERE t.id = keeps_comments.tracker);
END $$;

-- Adds to what tracker TRACKER did in this hour; what is there of the same hour of another day goes.
CREATE FUNCTION bugwatch.count_activity(
  tracker bigint, more_checks integer, more_changes integer, more_requests bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO bugwatch.activity AS a (tracker_id, hour_of_day, began_at, checks, changes, requests)
  VALUES (tracker, extract(hour FROM now() AT TIME ZONE 'UTC'), date_trunc('hour', now(), 'UTC'),
    more_checks, more_changes, more_requests)
  ON CONFLICT (tracker_id, hour_of_day) DO UPDATE SET began_at = excluded.began_at,
    checks = excluded.checks + CASE WHEN a.began_at = excluded.began_at THEN a.checks ELSE 0 END,
    changes = excluded.changes + CASE WHEN a.began_at = excluded.began_at THEN a.changes ELSE 0 END,
    requests = excluded.requests
      + CASE WHEN a.began_at = excluded.began_at THEN a.requests ELSE 0 END;
END $$;
