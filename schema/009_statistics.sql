-- What the statistics count: kept in the transactions that change it, since counting anew takes too
-- long where there are many watches.

-- How many of what a tracker has. Of words (kinds of error, words that nobody knows) those are kept
-- that are there.
CREATE TABLE bugwatch.tally (
  tracker_id bigint NOT NULL REFERENCES bugwatch.tracker ON DELETE CASCADE,
  what text NOT NULL,
  word text NOT NULL,
  n bigint NOT NULL,
  PRIMARY KEY (tracker_id, what, word)
) WITH (fillfactor = 50);

-- What was done for a tracker, by the hours of a day: a row is used anew a day later.
CREATE TABLE bugwatch.activity (
  tracker_id bigint NOT NULL REFERENCES bugwatch.tracker ON DELETE CASCADE,
  hour_of_day smallint NOT NULL,
  began_at timestamptz NOT NULL,      -- the hour
  checks bigint NOT NULL,
  changes bigint NOT NULL,
  requests bigint NOT NULL,
  PRIMARY KEY (tracker_id, hour_of_day)
) WITH (fillfactor = 50);

-- The bugs in error; no check of a bug that is well touches it.
CREATE INDEX bug_check_error ON bugwatch.bug_check (tracker_id, error_kind, bug_id)
  WHERE error_kind IS NOT NULL;

-- What a bug counts for. A word is cut to what an index takes.
CREATE FUNCTION bugwatch.counts_for(status text, unmapped_status text, unmapped_importance text)
RETURNS TABLE (what text, word text) LANGUAGE sql STABLE AS $$
  SELECT f.what, left(f.word, 500) FROM (VALUES
    ('remote_bugs', ''),
    (CASE WHEN bugwatch.is_resolved(status) THEN 'resolved' END, ''),
    ('status', unmapped_status),
    ('importance', unmapped_importance)) AS f (what, word)
  WHERE f.what IS NOT NULL AND f.word IS NOT NULL
$$;

-- Adds to the tallies, which are held (below).
CREATE FUNCTION bugwatch.tally(trackers bigint[], whats text[], words text[], ns bigint[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO bugwatch.tally AS t (tracker_id, what, word, n)
  SELECT u.tracker_id, u.what, u.word, sum(u.n)
  FROM unnest(trackers, whats, words, ns) AS u (tracker_id, what, word, n)
  GROUP BY u.tracker_id, u.what, u.word HAVING sum(u.n) <> 0
  ON CONFLICT (tracker_id, what, word) DO UPDATE SET n = t.n + excluded.n;
  DELETE FROM bugwatch.tally t USING unnest(trackers, whats, words) AS u (tracker_id, what, word)
  WHERE u.word <> '' AND (t.tracker_id, t.what, t.word) = (u.tracker_id, u.what, u.word) AND t.n = 0;
END $$;

-- Who counts holds one tally of each tracker until commit, and reads only then: so nobody counts what
-- another is about to change. False where nothing is to be counted, or the tracker itself is going.
CREATE FUNCTION bugwatch.hold_tallies(trackers bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO bugwatch.tally (tracker_id, what, word, n)
    SELECT t.id, 'watches', '', 0 FROM bugwatch.tracker t
    WHERE t.id = ANY (trackers) AND NOT EXISTS (SELECT FROM bugwatch.tally a
      WHERE a.tracker_id = t.id AND a.what = 'watches' AND a.word = '')
    ORDER BY t.id ON CONFLICT DO NOTHING;
  PERFORM FROM bugwatch.tally a JOIN bugwatch.tracker t ON t.id = a.tracker_id
    WHERE a.tracker_id = ANY (trackers) AND a.what = 'watches' AND a.word = ''
    ORDER BY a.tracker_id FOR UPDATE OF a;
  RETURN FOUND;
END $$;

CREATE FUNCTION bugwatch.tally_bugs() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  trackers bigint[]; whats text[]; words text[]; ns bigint[];
BEGIN
  IF TG_OP = 'UPDATE' THEN
    SELECT array_agg(d.tracker_id), array_agg(d.what), array_agg(d.word), array_agg(d.n)
    INTO trackers, whats, words, ns FROM (
      SELECT b.tracker_id, f.what, f.word, sum(b.n) AS n FROM (
        SELECT tracker_id, status, unmapped_status, unmapped_importance, 1 AS n FROM new_rows
        UNION ALL
        SELECT tracker_id, status, unmapped_status, unmapped_importance, -1 FROM old_rows) AS b
      CROSS JOIN LATERAL
        bugwatch.counts_for(b.status, b.unmapped_status, b.unmapped_importance) AS f
      GROUP BY 1, 2, 3 HAVING sum(b.n) <> 0) AS d;
  ELSIF TG_OP = 'INSERT' THEN
    SELECT array_agg(d.tracker_id), array_agg(d.what), array_agg(d.word), array_agg(d.n)
    INTO trackers, whats, words, ns FROM (
      SELECT b.tracker_id, f.what, f.word, count(*) AS n FROM new_rows b CROSS JOIN LATERAL
        bugwatch.counts_for(b.status, b.unmapped_status, b.unmapped_importance) AS f
      GROUP BY 1, 2, 3) AS d;
  ELSE
    SELECT array_agg(d.tracker_id), array_agg(d.what), array_agg(d.word), array_agg(d.n)
    INTO trackers, whats, words, ns FROM (
      SELECT b.tracker_id, f.what, f.word, -count(*) AS n FROM old_rows b CROSS JOIN LATERAL
        bugwatch.counts_for(b.status, b.unmapped_status, b.unmapped_importance) AS f
      GROUP BY 1, 2, 3) AS d;
  END IF;
  IF trackers IS NOT NULL AND bugwatch.hold_tallies(trackers) THEN
    PERFORM bugwatch.tally(trackers, whats, words, ns);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tally_new AFTER INSERT ON bugwatch.bug
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION bugwatch.tally_bugs();
CREATE TRIGGER tally_changed AFTER UPDATE ON bugwatch.bug
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION bugwatch.tally_bugs();
CREATE TRIGGER tally_gone AFTER DELETE ON bugwatch.bug
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION bugwatch.tally_bugs();

-- A bug's error begins, ends or becomes another.
CREATE FUNCTION bugwatch.tally_error() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  watches bigint := 0;
  began text := CASE WHEN TG_OP = 'UPDATE' THEN NEW.error_kind END;
BEGIN
  IF NOT bugwatch.hold_tallies(ARRAY[OLD.tracker_id]) THEN
    RETURN NULL;
  END IF;
  IF (began IS NULL) <> (OLD.error_kind IS NULL) THEN
    SELECT CASE WHEN began IS NULL THEN -count(*) ELSE count(*) END INTO watches
    FROM bugwatch.watch w WHERE w.tracker_id = OLD.tracker_id AND w.bug_id = OLD.bug_id;
  END IF;
  PERFORM bugwatch.tally(array_agg(OLD.tracker_id), array_agg(d.what), array_agg(d.word), array_agg(d.n))
  FROM (VALUES ('watches_with_errors', '', watches), ('error', OLD.error_kind, -1::bigint),
    ('error', began, 1)) AS d (what, word, n)
  WHERE d.word IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER tally_error AFTER UPDATE OF error_kind ON bugwatch.bug_check
  FOR EACH ROW WHEN (OLD.error_kind IS DISTINCT FROM NEW.error_kind)
  EXECUTE FUNCTION bugwatch.tally_error();
CREATE TRIGGER tally_gone AFTER DELETE ON bugwatch.bug_check
  FOR EACH ROW WHEN (OLD.error_kind IS NOT NULL) EXECUTE FUNCTION bugwatch.tally_error();

-- With its last watch a bug is forgotten, after it was counted.
CREATE FUNCTION bugwatch.watches_changed() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
  IF NOT bugwatch.hold_tallies(ARRAY(SELECT DISTINCT tracker_id FROM rows)) THEN
    RETURN NULL;
  END IF;
  PERFORM bugwatch.tally(array_agg(d.tracker_id), array_agg(d.what), array_agg(''::text),
    array_agg(d.n))
  FROM (
    SELECT w.tracker_id, f.what, sign * count(*) AS n
    FROM rows w CROSS JOIN LATERAL (VALUES
      ('watches', true),
      ('watches_with_errors', (SELECT c.error_kind IS NOT NULL FROM bugwatch.bug_check c
        WHERE c.tracker_id = w.tracker_id AND c.bug_id = w.bug_id)),
      ('watches_with_comments', EXISTS (SELECT FROM bugwatch.comment m
        WHERE m.tracker_id = w.tracker_id AND m.bug_id = w.bug_id))) AS f (what, holds)
    WHERE f.holds GROUP BY 1, 2) AS d;
  IF TG_OP = 'DELETE' THEN
    DELETE FROM bugwatch.bug b USING rows r
    WHERE b.tracker_id = r.tracker_id AND b.id = r.bug_id AND NOT EXISTS (
      SELECT FROM bugwatch.watch w WHERE w.tracker_id = r.tracker_id AND w.bug_id = r.bug_id);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tally_new AFTER INSERT ON bugwatch.watch
  REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION bugwatch.watches_changed();
CREATE TRIGGER tally_gone AFTER DELETE ON bugwatch.watch
  REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION bugwatch.watches_changed();

CREATE FUNCTION bugwatch.tally_comments() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
  IF NOT bugwatch.hold_tallies(ARRAY(SELECT DISTINCT tracker_id FROM rows)) THEN
    RETURN NULL;
  END IF;
  -- A bug's first comments, or its last: it has no others.
  PERFORM bugwatch.tally(array_agg(d.tracker_id), array_agg(f.what), array_agg(''::text),
    array_agg(f.n))
  FROM (SELECT tracker_id, bug_id, count(*) AS n FROM rows GROUP BY 1, 2) AS d
  CROSS JOIN LATERAL (VALUES
    ('comments', sign * d.n),
    ('watches_with_comments', CASE
      WHEN EXISTS (SELECT FROM bugwatch.comment m
        WHERE m.tracker_id = d.tracker_id AND m.bug_id = d.bug_id
        OFFSET CASE sign WHEN 1 THEN d.n ELSE 0 END) THEN 0
      ELSE sign * (SELECT count(*) FROM bugwatch.watch w
        WHERE w.tracker_id = d.tracker_id AND w.bug_id = d.bug_id) END)) AS f (what, n);
  RETURN NULL;
END $$;
CREATE TRIGGER tally_new AFTER INSERT ON bugwatch.comment
  REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION bugwatch.tally_comments();
CREATE TRIGGER tally_gone AFTER DELETE ON bugwatch.comment
  REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION bugwatch.tally_comments();

-- All of it counted anew: what the tallies are, if nothing ever went wrong.
CREATE VIEW bugwatch.tally_anew AS
SELECT b.tracker_id, f.what, f.word, count(*) AS n FROM bugwatch.bug b CROSS JOIN LATERAL
  bugwatch.counts_for(b.status, b.unmapped_status, b.unmapped_importance) AS f GROUP BY 1, 2, 3
UNION ALL
SELECT tracker_id, 'error', error_kind, count(*) FROM bugwatch.bug_check
WHERE error_kind IS NOT NULL GROUP BY 1, 3
UNION ALL
SELECT tracker_id, 'comments', '', count(*) FROM bugwatch.comment GROUP BY 1
UNION ALL
SELECT tracker_id, 'watches', '', count(*) FROM bugwatch.watch GROUP BY 1
UNION ALL
SELECT w.tracker_id, 'watches_with_errors', '', count(*) FROM bugwatch.watch w
JOIN bugwatch.bug_check c ON c.tracker_id = w.tracker_id AND c.bug_id = w.bug_id
WHERE c.error_kind IS NOT NULL GROUP BY 1
UNION ALL
SELECT w.tracker_id, 'watches_with_comments', '', count(*) FROM bugwatch.watch w
WHERE EXISTS (SELECT FROM bugwatch.comment m
  WHERE m.tracker_id = w.tracker_id AND m.bug_id = w.bug_id) GROUP BY 1;

INSERT INTO bugwatch.tally SELECT * FROM bugwatch.tally_anew;

-- A run as the API tells it; null where there is none.
CREATE FUNCTION bugwatch.run_told(u bugwatch.run, tracker text) RETURNS json
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

-- Figures of the trackers with these ids, all together: one row.
CREATE FUNCTION bugwatch.figures(least_id bigint, greatest_id bigint) RETURNS TABLE (
  watches numeric, remote_bugs numeric, watches_with_errors numeric, resolved numeric,
  comments numeric, watches_with_comments numeric, common_errors json, unmapped json,
  checks_24h numeric, changes_24h numeric, requests_24h numeric)
LANGUAGE sql STABLE ROWS 1 SET jit = off AS $$
  WITH counts AS (
    SELECT sum(a.n) FILTER (WHERE a.what = 'watches') AS watches,
      sum(a.n) FILTER (WHERE a.what = 'remote_bugs') AS remote_bugs,
      sum(a.n) FILTER (WHERE a.what = 'watches_with_errors') AS watches_with_errors,
      sum(a.n) FILTER (WHERE a.what = 'resolved') AS resolved,
      sum(a.n) FILTER (WHERE a.what = 'comments') AS comments,
      sum(a.n) FILTER (WHERE a.what = 'watches_with_comments') AS watches_with_comments
    FROM bugwatch.tally a WHERE a.tracker_id BETWEEN least_id AND greatest_id AND a.word = ''
  ), errors AS (
    SELECT a.word, sum(a.n) AS n, (max(ARRAY[a.n, a.tracker_id]))[2] AS most
    FROM bugwatch.tally a
    WHERE a.tracker_id BETWEEN least_id AND greatest_id AND a.what = 'error'
    GROUP BY a.word ORDER BY n DESC, a.word LIMIT 10
  ), unmapped AS (
    SELECT a.what, a.word, sum(a.n) AS n FROM bugwatch.tally a
    WHERE a.tracker_id BETWEEN least_id AND greatest_id AND a.what IN ('status', 'importance')
      AND a.word <> ''
    GROUP BY a.what, a.word ORDER BY n DESC, a.what DESC, a.word LIMIT 10
  ), done AS (
    SELECT sum(a.checks) AS checks, sum(a.changes) AS changes, sum(a.requests) AS requests
    FROM bugwatch.activity a WHERE a.tracker_id BETWEEN least_id AND greatest_id
      AND a.began_at > now() - interval '24 hours'
  )
  SELECT coalesce(n.watches, 0), coalesce(n.remote_bugs, 0), coalesce(n.watches_with_errors, 0),
    coalesce(n.resolved, 0), coalesce(n.comments, 0), coalesce(n.watches_with_comments, 0),
    (SELECT coalesce(json_agg(json_build_object('kind', e.word, 'count', e.n,
        'example', c.error_message, 'remote_id', c.remote_id, 'watch', c.watch)
        ORDER BY e.n DESC, e.word), '[]')
      FROM errors e LEFT JOIN LATERAL (
        SELECT c.error_message, c.remote_id, (SELECT min(w.id) FROM bugwatch.watch w
          WHERE w.tracker_id = c.tracker_id AND w.bug_id = c.bug_id)::text AS watch
        FROM bugwatch.bug_check c WHERE c.tracker_id = e.most AND c.error_kind = e.word
          AND c.error_kind IS NOT NULL
        ORDER BY c.bug_id LIMIT 1) AS c ON true),
    (SELECT coalesce(json_agg(json_build_object('field', u.what, 'value', u.word, 'count', u.n)
      ORDER BY u.n DESC, u.what DESC, u.word), '[]') FROM unmapped u),
    coalesce(d.checks, 0), coalesce(d.changes, 0), coalesce(d.requests, 0)
  FROM counts n, done d
$$;

-- The bug of a tracker that has waited longest for a check, or null.
CREATE FUNCTION bugwatch.oldest_overdue(tracker bigint) RETURNS json
LANGUAGE sql STABLE AS $$
  SELECT json_build_object('watch', (SELECT min(w.id) FROM bugwatch.watch w
      WHERE w.tracker_id = c.tracker_id AND w.bug_id = c.bug_id)::text,
    'tracker', (SELECT t.name FROM bugwatch.tracker t WHERE t.id = c.tracker_id),
    'remote_id', c.remote_id, 'due_at', bugwatch.rfc3339(c.next_check_at),
    'overdue_s', floor(extract(epoch FROM now() - c.next_check_at)))
  FROM bugwatch.bug_check c WHERE c.tracker_id = tracker AND c.next_check_at <= now()
  ORDER BY c.next_check_at LIMIT 1
$$;

-- Whether a tracker is asked (closed), left alone because it failed (open), or about to show that it
-- is well again (half-open).
CREATE FUNCTION bugwatch.breaker(failures integer, due_at timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN failures = 0 THEN 'closed' WHEN due_at > now() THEN 'open' ELSE 'half-open' END
$$;
