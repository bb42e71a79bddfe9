-- Trackers, the remote bugs that live in them, the watches on those bugs, and what became of them.
-- The schema bugwatch and its table "migration" are there before the first step (engine/migrate.c).

-- A remote tracker as its administrator set it up.
CREATE TABLE bugwatch.tracker (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL
    CONSTRAINT tracker_name_form CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
  type text NOT NULL,                 -- a driver's name, or "auto" until a probe has told
  base_url text NOT NULL
    CONSTRAINT tracker_base_url_form CHECK (base_url ~ '^https?://.*/$'),
  title text,
  enabled boolean NOT NULL DEFAULT true,
  batch_size integer CONSTRAINT tracker_batch_size CHECK (batch_size BETWEEN 1 AND 10000),
  max_connections integer NOT NULL DEFAULT 2
    CONSTRAINT tracker_max_connections CHECK (max_connections BETWEEN 1 AND 100),
  min_delay_ms integer NOT NULL DEFAULT 0
    CONSTRAINT tracker_min_delay CHECK (min_delay_ms BETWEEN 0 AND 3600000),
  changes_interval_s integer CONSTRAINT tracker_changes_interval CHECK (changes_interval_s >= 1),
  sync_comments text NOT NULL DEFAULT 'all'
    CONSTRAINT tracker_sync_comments CHECK (sync_comments IN ('all', 'none', 'products')),
  credentials bytea,                  -- sealed by the service (engine/vault.h)
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX tracker_name ON bugwatch.tracker (name);
-- http and https are the same tracker.
CREATE UNIQUE INDEX tracker_base_url
  ON bugwatch.tracker ((regexp_replace(base_url, '^https?://', '')));

-- What the service knows of a tracker and changes all the time: apart from the settings, narrow.
CREATE TABLE bugwatch.tracker_state (
  tracker_id bigint PRIMARY KEY REFERENCES bugwatch.tracker ON DELETE CASCADE,
  due_at timestamptz NOT NULL DEFAULT 'infinity', -- when it next wants a run
  -- Bugs last checked before this moment are due: "infinity" from a forced update until its run
  -- begins, then that beginning, so that what an abandoned run left stays due.
  forced_at timestamptz,
  retry_after timestamptz,            -- the tracker's own word: nothing before, forced or not
  server jsonb,                       -- what the last probe learnt (trackers/server.h)
  probed_at timestamptz,
  failures integer NOT NULL DEFAULT 0, -- of the tracker as a whole, in a row
  error_kind text,
  error_message text,
  error_since timestamptz,
  -- The lease: who may write this tracker's bugs, and until when. A new holder draws a new token.
  lease_token bigint NOT NULL DEFAULT 0,
  lease_owner text,
  lease_until timestamptz
) WITH (fillfactor = 50);

-- A bug in a tracker: its identity, and what was last read of it. Rarely changes.
CREATE TABLE bugwatch.bug (
  tracker_id bigint NOT NULL REFERENCES bugwatch.tracker ON DELETE CASCADE,
  id bigint GENERATED ALWAYS AS IDENTITY,
  remote_id text NOT NULL CONSTRAINT bug_remote_id_form CHECK (length(remote_id) BETWEEN 1 AND 100),
  title text,
  product text,
  remote_status text,
  remote_resolution text,
  remote_severity text,
  remote_priority text,
  remote_tags text,
  status text NOT NULL DEFAULT 'unknown',
  importance text NOT NULL DEFAULT 'unknown',
  remote_changed_at timestamptz,      -- by the tracker's clock
  last_changed_at timestamptz,        -- by ours: when a change was last seen
  first_read_at timestamptz,          -- null until it was read once
  PRIMARY KEY (tracker_id, id),
  CONSTRAINT bug_remote_id UNIQUE (tracker_id, remote_id)
) WITH (fillfactor = 85);

-- The checking of a bug: narrow, and no index on what a check changes, so that updates stay HOT.
-- A run walks a tracker's rows once, in the order of the primary key.
CREATE TABLE bugwatch.bug_check (
  tracker_id bigint NOT NULL,
  bug_id bigint NOT NULL,
  fingerprint bigint,                 -- of what was last read; null until then
  checked_at timestamptz,             -- a complete answer last spoke of it
  next_check_at timestamptz NOT NULL DEFAULT now(),
  failures integer NOT NULL DEFAULT 0, -- of this bug, in a row
  remote_id text NOT NULL,            -- beside the key, so that a claim reads one table
  error_kind text,
  error_message text,
  error_since timestamptz,
  PRIMARY KEY (tracker_id, bug_id),
  FOREIGN KEY (tracker_id, bug_id) REFERENCES bugwatch.bug ON DELETE CASCADE
) WITH (fillfactor = 70);

-- Somebody's interest in a bug. The same bug with another ref is another watch.
CREATE TABLE bugwatch.watch (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tracker_id bigint NOT NULL,
  bug_id bigint NOT NULL,
  url text NOT NULL CONSTRAINT watch_url_length CHECK (length(url) <= 2000),
  ref text CONSTRAINT watch_ref_length CHECK (length(ref) BETWEEN 1 AND 1000),
  created_at timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (tracker_id, bug_id) REFERENCES bugwatch.bug ON DELETE CASCADE
);
CREATE UNIQUE INDEX watch_bug_ref ON bugwatch.watch (tracker_id, bug_id, coalesce(ref, ''));

-- One pass over a tracker's due bugs.
CREATE TABLE bugwatch.run (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tracker_id bigint NOT NULL REFERENCES bugwatch.tracker ON DELETE CASCADE,
  reason text NOT NULL
    CONSTRAINT run_reason CHECK (reason IN ('schedule', 'forced', 'changes', 'new')),
  state text NOT NULL
    CONSTRAINT run_state CHECK (state IN ('queued', 'running', 'done', 'failed', 'abandoned')),
  queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at timestamptz,
  finished_at timestamptz,
  due integer NOT NULL DEFAULT 0,
  checked integer NOT NULL DEFAULT 0,
  changed integer NOT NULL DEFAULT 0,
  comments integer NOT NULL DEFAULT 0,
  errors integer NOT NULL DEFAULT 0,
  requests bigint NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  instance text,
  error_kind text,
  error_message text
) WITH (fillfactor = 70);
CREATE INDEX run_of_tracker ON bugwatch.run (tracker_id, id DESC);
CREATE UNIQUE INDEX run_queued ON bugwatch.run (tracker_id) WHERE state = 'queued';
CREATE UNIQUE INDEX run_running ON bugwatch.run (tracker_id) WHERE state = 'running';

-- What failed in a run, bug by bug.
CREATE TABLE bugwatch.run_error (
  tracker_id bigint NOT NULL REFERENCES bugwatch.tracker ON DELETE CASCADE,
  run_id bigint NOT NULL REFERENCES bugwatch.run ON DELETE CASCADE,
  bug_id bigint NOT NULL,
  kind text NOT NULL,
  message text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run_id, bug_id)
);

-- What changed, one row for each watch of the bug. It stands by itself: deleting a watch or a
-- tracker leaves its history. Ids are drawn under a lock that is held until commit (store_changes
-- in queries/), so that they rise in commit order and a reader of "after N" misses none.
CREATE TABLE bugwatch.event (
  id bigint PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  kind text NOT NULL,
  tracker_id bigint NOT NULL,
  bug_id bigint NOT NULL,
  watch_id bigint NOT NULL,
  tracker text NOT NULL,
  remote_id text NOT NULL,
  url text NOT NULL,
  ref text,
  old text,
  new text
);
CREATE SEQUENCE bugwatch.event_id OWNED BY bugwatch.event.id;
CREATE INDEX event_of_watch ON bugwatch.event (watch_id, id);

-- Who may use the API. Only a hash of the token is kept.
CREATE TABLE bugwatch.token (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL CONSTRAINT token_name_length CHECK (length(name) BETWEEN 1 AND 100),
  role text NOT NULL CONSTRAINT token_role CHECK (role IN ('viewer', 'admin')),
  hash bytea NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Whoever writes a tracker's bugs calls this first in the same transaction: a run that lost its
-- lease fails here and writes nothing. The row stays locked, so that nobody takes over meanwhile.
CREATE FUNCTION bugwatch.hold_lease(tracker bigint, token bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM bugwatch.tracker_state s
    WHERE s.tracker_id = tracker AND s.lease_token = token AND s.lease_until > clock_timestamp()
    FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the lease of tracker % is no longer ours', tracker USING ERRCODE = 'BW001';
  END IF;
END $$;

-- Whether a status counts as resolved (trackers/words.def has the same list).
CREATE FUNCTION bugwatch.is_resolved(status text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT status IN ('fix-released', 'invalid', 'wont-fix', 'expired', 'opinion')
$$;

-- A moment as the API writes it.
CREATE FUNCTION bugwatch.rfc3339(at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') WHERE isfinite(at)
$$;

-- A length of time in words: "45 s", "30 min", "36 h", "12 days".
CREATE FUNCTION bugwatch.in_words(length interval) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN s < 120 THEN round(s) || ' s'
    WHEN s < 7200 THEN round(s / 60) || ' min'
    WHEN s < 172800 THEN round(s / 3600) || ' h'
    ELSE round(s / 86400) || ' days'
  END FROM (SELECT extract(epoch FROM length) AS s) AS seconds
$$;

-- The only tables that others may rely on: the same names as the API's fields.
CREATE VIEW bugwatch.watch_status AS
SELECT w.id, w.url, w.ref, t.name AS tracker, b.remote_id, b.title, b.product,
  b.remote_status, b.remote_resolution,
  coalesce(b.remote_severity, b.remote_priority) AS remote_importance,
  b.remote_severity, b.remote_priority, b.remote_tags, b.status, b.importance,
  w.created_at, c.checked_at AS last_checked_at, b.last_changed_at, b.remote_changed_at,
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
  0::bigint AS comments,
  CASE WHEN c.error_kind IS NOT NULL THEN jsonb_build_object(
    'kind', c.error_kind, 'message', c.error_message,
    'since', bugwatch.rfc3339(c.error_since), 'count', c.failures) END AS error
FROM bugwatch.watch w
JOIN bugwatch.tracker t ON t.id = w.tracker_id
JOIN bugwatch.tracker_state s ON s.tracker_id = w.tracker_id
JOIN bugwatch.bug b ON b.tracker_id = w.tracker_id AND b.id = w.bug_id
JOIN bugwatch.bug_check c ON c.tracker_id = w.tracker_id AND c.bug_id = w.bug_id;

CREATE VIEW bugwatch.tracker_status AS
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
  t.credentials IS NOT NULL AS has_credentials
FROM bugwatch.tracker t JOIN bugwatch.tracker_state s ON s.tracker_id = t.id;

CREATE VIEW bugwatch.event_feed AS
SELECT id, at, kind, watch_id AS watch, tracker, remote_id, url, ref, old, new
FROM bugwatch.event;

COMMENT ON SCHEMA bugwatch IS 'Remote bugs as bugwatch last saw them; rely only on the views.';
