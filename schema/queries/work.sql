-- What runs ask: whose turn it is, who is due, what is known, what became of it. Everything that
-- writes a tracker's bugs follows work_hold in the same transaction.

-- name: work_take kept
-- Leases for the trackers that have waited longest: $1 owner, $2 seconds, $3 how many. The token
-- only ever rises, so an older holder is known by a smaller one.
WITH waiting AS (
  SELECT s.tracker_id FROM bugwatch.tracker_state s
  JOIN bugwatch.tracker t ON t.id = s.tracker_id
  WHERE t.enabled AND s.due_at <= now() AND coalesce(s.lease_until, '-infinity') <= now()
    AND coalesce(s.retry_after, '-infinity') <= now()
  ORDER BY s.due_at LIMIT $3::integer
  FOR UPDATE OF s SKIP LOCKED
)
UPDATE bugwatch.tracker_state s
SET lease_token = s.lease_token + 1, lease_owner = $1,
  lease_until = clock_timestamp() + $2::integer * interval '1 second'
FROM waiting JOIN bugwatch.tracker t ON t.id = waiting.tracker_id
WHERE s.tracker_id = waiting.tracker_id
RETURNING s.tracker_id, s.lease_token, t.name, t.type, t.base_url, t.batch_size, t.max_connections,
  t.min_delay_ms, t.credentials,
  CASE WHEN s.probed_at > now() - interval '1 day' AND s.probed_mirror = (t.udd IS NOT NULL)
    THEN s.server END, s.failures,
  t.sync_comments <> 'none', t.changes_interval_s,
  coalesce((extract(epoch FROM s.changes_since) * 1000000)::bigint, 0),
  coalesce(s.changes_at, '-infinity') <= now(), t.udd,
  s.mode, s.stretch_s, s.batch_s, s.changes_s, s.doubtful,
  coalesce(s.reckoned_at, '-infinity') <= now() - interval '6 hours',
  coalesce(extract(epoch FROM now() - s.failing_since)::bigint, 0), t.schedule, t.store_private, s.forced

-- name: work_wait kept
-- Milliseconds until the next tracker wants a run that nobody has the lease of; null if none does.
SELECT ceil(extract(epoch FROM min(greatest(s.due_at, s.lease_until, s.retry_after))
  - clock_timestamp()) * 1000)::bigint
FROM bugwatch.tracker_state s JOIN bugwatch.tracker t ON t.id = s.tracker_id
WHERE t.enabled AND isfinite(s.due_at)

-- name: work_renew kept
-- Lengthens leases ($1 trackers, $2 tokens) by $3 seconds; answers the trackers still held. A lease
-- that ran out but that nobody took is still ours: its token says so.
UPDATE bugwatch.tracker_state s
SET lease_until = clock_timestamp() + $3::integer * interval '1 second'
FROM unnest($1::bigint[], $2::bigint[]) AS held (tracker_id, token)
WHERE s.tracker_id = held.tracker_id AND s.lease_token = held.token
RETURNING s.tracker_id

-- name: work_release kept
-- Gives back what owner $1 holds but no longer works on: all but the trackers $2. Others are told.
WITH released AS (
  UPDATE bugwatch.tracker_state SET lease_until = NULL
  WHERE lease_owner = $1 AND lease_until IS NOT NULL AND tracker_id <> ALL ($2::bigint[])
  RETURNING 1
)
SELECT pg_notify('bugwatch_work', '') WHERE EXISTS (SELECT FROM released)

-- name: work_hold kept
SELECT bugwatch.hold_lease($1::bigint, $2::bigint)

-- name: work_abandon kept
-- A run that still stands as running when its tracker is taken anew was left by its instance; what
-- it made due is asked about now.
WITH left_run AS (
  DELETE FROM bugwatch.run WHERE tracker_id = $1::bigint AND state = 'running' RETURNING *
), told AS (
  INSERT INTO bugwatch.past_run (id, tracker_id, reason, state, queued_at, started_at, finished_at,
    due, checked, changed, comments, errors, requests, bytes, instance)
  SELECT id, tracker_id, reason, 'abandoned', queued_at, started_at, now(), due, checked, changed,
    comments, errors, requests, bytes, instance
  FROM left_run
)
UPDATE bugwatch.tracker_state s SET batch_at = now()
FROM left_run WHERE s.tracker_id = left_run.tracker_id

-- name: work_force kept
-- Begins the forced update of tracker $1, if one waits. How far an older one came that did not reach
-- its end is first written down, bug by bug.
WITH reached AS (
  UPDATE bugwatch.bug_check c SET checked_at = s.forced_at FROM bugwatch.tracker_state s
  WHERE s.tracker_id = $1::bigint AND s.forced
    AND s.swept_to BETWEEN 1 AND 9223372036854775806
    AND c.tracker_id = s.tracker_id AND c.bug_id <= s.swept_to AND c.checked_at < s.forced_at
)
UPDATE bugwatch.tracker_state
SET forced = false, forced_at = clock_timestamp(), swept_to = 0,
  swept_at = CASE WHEN swept_to = 9223372036854775807 THEN forced_at ELSE swept_at END
WHERE tracker_id = $1::bigint AND forced

-- name: work_begin kept
-- Begins the queued run of tracker $1, or one of the schedule's, on instance $2. Answers its id,
-- its horizon (what is due later than that is not its business), how many are due, whether it goes on
-- with a forced update, and whether it is time for a batch.
WITH due AS (
  SELECT count(*) AS bugs, bool_or(c.checked_at IS NULL) AS fresh
  FROM bugwatch.bug_check c JOIN bugwatch.tracker_state s USING (tracker_id)
  WHERE c.tracker_id = $1::bigint
    AND (c.next_check_at <= now() OR c.checked_at IS NULL OR bugwatch.last_check(c, s) < s.forced_at)
), queued AS (
  UPDATE bugwatch.run SET state = 'running', started_at = now(), instance = $2, due = due.bugs
  FROM due WHERE tracker_id = $1::bigint AND state = 'queued'
  RETURNING id, reason
), made AS (
  INSERT INTO bugwatch.run (tracker_id, reason, state, queued_at, started_at, instance, due)
  SELECT $1::bigint, CASE WHEN due.fresh THEN 'new'
    WHEN due.bugs = 0 AND s.changes_at <= now() THEN 'changes' ELSE 'schedule' END,
    'running', now(), now(), $2, due.bugs
  FROM due JOIN bugwatch.tracker_state s ON s.tracker_id = $1::bigint
  WHERE NOT EXISTS (SELECT FROM queued)
  RETURNING id, reason
)
SELECT run.id, run.reason, now(), due.bugs, s.forced_at IS NOT NULL AND s.swept_to < 9223372036854775807,
  s.batch_at <= now()
FROM (SELECT * FROM queued UNION ALL SELECT * FROM made) AS run, due, bugwatch.tracker_state s
WHERE s.tracker_id = $1::bigint

-- name: work_probed kept
-- What a probe learnt: $2 the driver's name, $3 the server; $4 says whether it knew of a mirror.
WITH typed AS (
  UPDATE bugwatch.tracker SET type = $2 WHERE id = $1::bigint AND type <> $2
)
UPDATE bugwatch.tracker_state SET server = $3::jsonb, probed_at = now(), probed_mirror = $4::boolean
WHERE tracker_id = $1::bigint

-- name: work_watched kept
-- Up to $2 bugs of tracker $1.
SELECT remote_id FROM bugwatch.bug_check WHERE tracker_id = $1::bigint LIMIT $2::integer

-- name: work_news kept
-- Tracker $1 says that bugs $2 changed at $3, by its clock, which is $8 seconds ahead of ours. Those
-- of them that were not read since then are due in run $4 with the horizon $5; one that was read in
-- the very second of its change may have changed again. What changed before $6 is known from now
-- on, and of the server what $9 says; $7 seconds later it is asked again. One that is dated in the
-- future is read once. Answers how many are to be read.
WITH told AS (
  SELECT n.remote_id, date_trunc('second', max(n.at)) AS at
  FROM unnest($2::text[], $3::timestamptz[]) AS n (remote_id, at) GROUP BY n.remote_id
), news AS (
  SELECT b.id
  FROM told JOIN bugwatch.bug b ON b.tracker_id = $1::bigint AND b.remote_id = told.remote_id
  JOIN bugwatch.bug_check c ON c.tracker_id = b.tracker_id AND c.bug_id = b.id
  JOIN bugwatch.tracker_state s ON s.tracker_id = b.tracker_id
  WHERE date_trunc('second', b.remote_changed_at) IS DISTINCT FROM told.at
    OR (told.at >= bugwatch.last_check(c, s) + ($8::bigint - 2) * interval '1 second'
      AND told.at <= now() + ($8::bigint + 2) * interval '1 second')
), due AS (
  UPDATE bugwatch.bug_check c SET next_check_at = $5::timestamptz
  FROM news WHERE c.tracker_id = $1::bigint AND c.bug_id = news.id
    AND c.next_check_at > $5::timestamptz
  RETURNING c.bug_id
), counted AS (
  UPDATE bugwatch.run SET due = due + (SELECT count(*) FROM due) WHERE id = $4::bigint
)
UPDATE bugwatch.tracker_state
SET changes_since = $6::timestamptz, changes_at = now() + $7::bigint * interval '1 second',
  server = coalesce($9::jsonb, server), changes_failed = false
WHERE tracker_id = $1::bigint
RETURNING (SELECT count(*) FROM news)

-- name: work_news_failed kept
-- The mirror of tracker $1 can't say what changed, for reason $3, $4: the tracker is checked all the
-- same, and asked again in $2 seconds from where it was. Answers as work_news does.
UPDATE bugwatch.tracker_state
SET changes_at = now() + $2::bigint * interval '1 second', changes_failed = true,
  error_since = CASE WHEN error_kind = $3 THEN error_since ELSE now() END,
  error_kind = $3, error_message = $4
WHERE tracker_id = $1::bigint
RETURNING 0

-- name: work_claim kept
-- The next $4 due bugs of tracker $1 after bug $2, in the order of the table: due by themselves at
-- the horizon $3 (now where that is null), or last checked before the forced update. One run walks each row once.
SELECT c.bug_id, c.remote_id, c.fingerprint, c.failures, c.error_kind, c.comments_wanted,
  c.next_check_at <= coalesce($3::timestamptz, now()),
  CASE WHEN c.next_check_at <= coalesce($3::timestamptz, now()) THEN bugwatch.quiet_s(c) END,
  CASE WHEN c.next_check_at <= coalesce($3::timestamptz, now()) THEN bugwatch.steady_s(c) END
FROM bugwatch.tracker_state s JOIN bugwatch.bug_check c USING (tracker_id)
WHERE s.tracker_id = $1::bigint AND c.tracker_id = $1::bigint AND c.bug_id > $2::bigint
  AND (c.next_check_at <= coalesce($3::timestamptz, now()) OR c.checked_at IS NULL
    OR bugwatch.last_check(c, s) < s.forced_at)
ORDER BY c.bug_id LIMIT $4::integer

-- name: work_claim_first kept
-- The $2 bugs of tracker $1 that are due first, whether their time has come or not: a batch costs the
-- same with few.
SELECT c.bug_id, c.remote_id, c.fingerprint, c.failures, c.error_kind, c.comments_wanted, true,
  bugwatch.quiet_s(c), bugwatch.steady_s(c)
FROM bugwatch.bug_check c
WHERE c.tracker_id = $1::bigint ORDER BY c.next_check_at, c.bug_id LIMIT $2::integer

-- name: work_reckon kept
-- How long the bugs of tracker $1 have been quiet, its clock being $2 seconds ahead: counts by
-- whether they are resolved and by half powers of two of hours.
SELECT bugwatch.is_resolved(b.status), round(2 * ln(greatest(1, extract(epoch FROM now()
    - coalesce(b.remote_changed_at - $2::bigint * interval '1 second', b.last_changed_at,
      b.first_read_at, now())) / 3600)::double precision) / ln(2))::integer, count(*)
FROM bugwatch.bug b WHERE b.tracker_id = $1::bigint GROUP BY 1, 2

-- name: work_own_words kept
-- What words mean in tracker $1 alone, by precedence: exact ones, then the most exact of the others.
SELECT field, value, means FROM bugwatch.mapping WHERE tracker_id = $1::bigint
ORDER BY position('*' IN value) > 0, length(value) DESC, value

-- name: work_unchanged kept
-- Bugs $2 of tracker $1, due by themselves, were read and are as they were; next checks in $3
-- seconds. One that somebody made due after the run's horizon $4, when it may have been claimed
-- already, stays due. They lie between $5 and $6, which keeps the planner from reading the whole
-- tracker.
UPDATE bugwatch.bug_check c
SET checked_at = now(),
  next_check_at = CASE WHEN c.next_check_at > $4::timestamptz AND c.next_check_at <= now()
    THEN c.next_check_at ELSE now() + n.wait * interval '1 second' END
FROM unnest($2::bigint[], $3::bigint[]) AS n (bug_id, wait)
WHERE c.tracker_id = $1::bigint AND c.bug_id = n.bug_id
  AND c.bug_id BETWEEN $5::bigint AND $6::bigint

-- name: work_checked kept
-- Bugs $2 of tracker $1 were read: fingerprints $3, next checks in $4 seconds; $5 as above. The
-- bounds keep the planner from reading the whole tracker.
UPDATE bugwatch.bug_check c
SET checked_at = now(), failures = 0,
  next_check_at = CASE WHEN c.next_check_at > $5::timestamptz AND c.next_check_at <= now()
    THEN c.next_check_at ELSE now() + n.wait * interval '1 second' END,
  fingerprint = n.fingerprint, error_kind = NULL, error_message = NULL, error_since = NULL
FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS n (bug_id, fingerprint, wait)
WHERE c.tracker_id = $1::bigint AND c.bug_id = n.bug_id
  AND c.bug_id BETWEEN (SELECT min(i) FROM unnest($2::bigint[]) AS i)
    AND (SELECT max(i) FROM unnest($2::bigint[]) AS i)

-- name: work_newest_comments kept
-- Of bugs $2 with products $3, those whose comments are kept, in the order of their ids, each with
-- the number of its newest comment (-1 for none) and when that was posted (microseconds).
SELECT n.bug_id, coalesce(m.number, -1), (extract(epoch FROM m.posted_at) * 1000000)::bigint
FROM unnest($2::bigint[], $3::text[]) AS n (bug_id, product)
LEFT JOIN LATERAL (SELECT c.number, c.posted_at FROM bugwatch.comment c
  WHERE c.tracker_id = $1::bigint AND c.bug_id = n.bug_id ORDER BY c.number DESC LIMIT 1) m ON true
WHERE bugwatch.keeps_comments($1::bigint, n.product)
ORDER BY n.bug_id

-- name: work_event_order kept
-- Held until commit by whoever adds events, so that their ids rise in commit order.
SELECT pg_advisory_xact_lock(hashtext('bugwatch.event'))

-- name: work_changed kept
-- What is new of bugs $2 of tracker $1: stores it, and makes the events of those read before.
WITH fresh AS (
  SELECT * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::text[], $14::text[])
  AS n (bug_id, title, product, remote_status, remote_resolution, remote_severity,
    remote_priority, remote_tags, status, importance, remote_changed_at, unmapped_status,
    unmapped_importance)
), old AS (
  SELECT b.id, b.remote_id, b.status, b.importance, b.title, n.status AS new_status,
    n.importance AS new_importance, n.title AS new_title
  FROM bugwatch.bug b JOIN fresh n ON b.tracker_id = $1::bigint AND b.id = n.bug_id
  WHERE b.first_read_at IS NOT NULL
), stored AS (
  UPDATE bugwatch.bug b
  SET title = n.title, product = n.product, remote_status = n.remote_status,
    remote_resolution = n.remote_resolution, remote_severity = n.remote_severity,
    remote_priority = n.remote_priority, remote_tags = n.remote_tags, status = n.status,
    importance = n.importance, remote_changed_at = n.remote_changed_at,
    status_since = CASE WHEN b.status = n.status THEN b.status_since
      ELSE coalesce(least(n.remote_changed_at, now()), now()) END,
    unmapped_status = n.unmapped_status, unmapped_importance = n.unmapped_importance,
    last_changed_at = CASE WHEN b.first_read_at IS NOT NULL THEN now() END,
    first_read_at = coalesce(b.first_read_at, now())
  FROM fresh n WHERE b.tracker_id = $1::bigint AND b.id = n.bug_id
), happened AS (
  SELECT o.id, o.remote_id, e.* FROM old o
  CROSS JOIN LATERAL (VALUES
    (1, 'status', o.status, o.new_status),
    (2, CASE WHEN bugwatch.is_resolved(o.new_status) THEN 'resolved' ELSE 'reopened' END,
      o.status, o.new_status),
    (3, 'importance', o.importance, o.new_importance),
    (4, 'title', o.title, o.new_title)) AS e (place, kind, old, new)
  WHERE e.old IS DISTINCT FROM e.new
    AND (e.place <> 2 OR bugwatch.is_resolved(o.status) <> bugwatch.is_resolved(o.new_status))
), told AS (
  INSERT INTO bugwatch.event
    (id, kind, tracker_id, bug_id, watch_id, tracker, remote_id, url, ref, old, new)
  SELECT nextval('bugwatch.event_id'), e.* FROM (
    SELECT h.kind, $1::bigint, h.id, w.id AS watch, t.name, h.remote_id, w.url, w.ref, h.old, h.new
    FROM happened h JOIN bugwatch.watch w ON w.tracker_id = $1::bigint AND w.bug_id = h.id
    JOIN bugwatch.tracker t ON t.id = w.tracker_id
    ORDER BY h.id, w.id, h.place) AS e
  RETURNING id
)
SELECT pg_notify('bugwatch_events', max(id)::text) FROM told HAVING count(*) > 0

-- name: work_failed kept
-- Bugs $2 of tracker $1 could not be read in run $7, or ($6 has a fingerprint) but for their
-- comments: kinds $3, messages $4, again in $5 seconds. What was last known of them stays, and so
-- does what was made due after the horizon $8. A kind that was not there before makes an event.
WITH bad AS (
  SELECT * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
    AS n (bug_id, kind, message, wait, fingerprint)
), old AS (
  SELECT c.bug_id, c.remote_id, c.error_kind, n.kind, n.message FROM bugwatch.bug_check c
  JOIN bad n ON c.tracker_id = $1::bigint AND c.bug_id = n.bug_id
), stored AS (
  UPDATE bugwatch.bug_check c
  SET checked_at = now(), failures = c.failures + 1,
    fingerprint = coalesce(n.fingerprint, c.fingerprint),
    next_check_at = CASE WHEN c.next_check_at > $8::timestamptz AND c.next_check_at <= now()
      THEN c.next_check_at ELSE now() + n.wait * interval '1 second' END,
    error_kind = n.kind, error_message = n.message,
    error_since = CASE WHEN c.error_kind = n.kind THEN c.error_since ELSE now() END
  FROM bad n WHERE c.tracker_id = $1::bigint AND c.bug_id = n.bug_id
), noted AS (
  INSERT INTO bugwatch.run_error (tracker_id, run_id, bug_id, kind, message)
  SELECT $1::bigint, $7::bigint, o.bug_id, o.kind, o.message FROM old o
  WHERE NOT EXISTS (SELECT FROM bugwatch.run_error e
    WHERE e.run_id = $7::bigint AND e.bug_id = o.bug_id)
), told AS (
  INSERT INTO bugwatch.event
    (id, kind, tracker_id, bug_id, watch_id, tracker, remote_id, url, ref, old, new)
  SELECT nextval('bugwatch.event_id'), e.* FROM (
    SELECT 'error', $1::bigint, o.bug_id, w.id AS watch, t.name, o.remote_id, w.url, w.ref,
      o.error_kind, o.kind
    FROM old o
    JOIN bugwatch.watch w ON w.tracker_id = $1::bigint AND w.bug_id = o.bug_id
    JOIN bugwatch.tracker t ON t.id = w.tracker_id
    WHERE o.error_kind IS DISTINCT FROM o.kind
    ORDER BY o.bug_id, w.id) AS e
  RETURNING id
)
SELECT pg_notify('bugwatch_events', max(id)::text) FROM told HAVING count(*) > 0

-- name: work_recovered kept
-- Bugs $2 of tracker $1 are read again: tells their watches. Comes before work_checked, which
-- forgets the error.
WITH told AS (
  INSERT INTO bugwatch.event
    (id, kind, tracker_id, bug_id, watch_id, tracker, remote_id, url, ref, old, new)
  SELECT nextval('bugwatch.event_id'), e.* FROM (
    SELECT 'recovered', $1::bigint, c.bug_id, w.id AS watch, t.name, c.remote_id, w.url, w.ref,
      c.error_kind, NULL::text
    FROM bugwatch.bug_check c
    JOIN bugwatch.watch w ON w.tracker_id = c.tracker_id AND w.bug_id = c.bug_id
    JOIN bugwatch.tracker t ON t.id = w.tracker_id
    WHERE c.tracker_id = $1::bigint AND c.bug_id = ANY ($2::bigint[])
      AND c.error_kind IS NOT NULL
    ORDER BY c.bug_id, w.id) AS e
  RETURNING id
)
SELECT pg_notify('bugwatch_events', max(id)::text) FROM told HAVING count(*) > 0

-- name: work_comments kept
-- New comments of bugs $2 of tracker $1, seen by run $7: numbers $3, authors $4, posted at $5,
-- texts $6. What is stored already is left out, but for a text that differs (one that was hidden is
-- shown again, or was edited), and so are bugs that were forgotten meanwhile. Bugs whose comments were
-- all there before tell.
WITH there AS (
  SELECT b.id FROM bugwatch.bug b WHERE b.tracker_id = $1::bigint AND b.id = ANY ($2::bigint[])
  FOR KEY SHARE
), written AS (
  INSERT INTO bugwatch.comment (tracker_id, bug_id, number, author, posted_at, text)
  SELECT DISTINCT ON (n.bug_id, n.number) $1::bigint, n.*
  FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[], $6::text[])
    AS n (bug_id, number, author, posted_at, text)
  WHERE n.bug_id IN (SELECT id FROM there)
  ORDER BY n.bug_id, n.number
  ON CONFLICT (tracker_id, bug_id, number) DO UPDATE
    SET text = excluded.text, author = excluded.author, posted_at = excluded.posted_at,
      hidden_at = NULL
    WHERE comment.hidden_at IS NOT NULL OR comment.text <> excluded.text
  RETURNING bug_id, number, xmax = 0 AS fresh
), made AS (
  SELECT bug_id, number FROM written WHERE fresh
), counted AS (
  UPDATE bugwatch.run SET comments = comments + (SELECT count(*) FROM made)
  WHERE id = $7::bigint
), told AS (
  INSERT INTO bugwatch.event
    (id, kind, tracker_id, bug_id, watch_id, tracker, remote_id, url, ref, old, new)
  SELECT nextval('bugwatch.event_id'), e.* FROM (
    SELECT 'comment', $1::bigint, b.id, w.id AS watch, t.name, b.remote_id, w.url, w.ref,
      NULL::text, m.number::text
    FROM made m
    JOIN bugwatch.bug b ON b.tracker_id = $1::bigint AND b.id = m.bug_id
      AND b.comments_read_at IS NOT NULL
    JOIN bugwatch.watch w ON w.tracker_id = b.tracker_id AND w.bug_id = b.id
    JOIN bugwatch.tracker t ON t.id = w.tracker_id
    ORDER BY b.id, w.id, m.number) AS e
  RETURNING id
)
SELECT pg_notify('bugwatch_events', max(id)::text) FROM told HAVING count(*) > 0

-- name: work_comments_hidden kept
-- Of bugs $2 of tracker $1 all comments are known that there are: those of bugs $3 with numbers $4.
-- Others are no longer for everybody. Comes before work_comments.
UPDATE bugwatch.comment c SET hidden_at = now(), text = ''
WHERE c.tracker_id = $1::bigint AND c.bug_id = ANY ($2::bigint[]) AND c.hidden_at IS NULL
  AND NOT EXISTS (SELECT FROM unnest($3::bigint[], $4::bigint[]) AS n (bug_id, number)
    WHERE n.bug_id = c.bug_id AND n.number = c.number)

-- name: work_comments_read kept
-- Whether the comments of bugs $2 are ($3) to be read at the next check, and whether they were
-- read now ($4). Comes after work_comments.
WITH n AS (
  SELECT * FROM unnest($2::bigint[], $3::boolean[], $4::boolean[]) AS n (bug_id, wanted, heard)
), noted AS (
  UPDATE bugwatch.bug b SET comments_read_at = now() FROM n
  WHERE b.tracker_id = $1::bigint AND b.id = n.bug_id AND n.heard AND b.comments_read_at IS NULL
)
UPDATE bugwatch.bug_check c SET comments_wanted = n.wanted FROM n
WHERE c.tracker_id = $1::bigint AND c.bug_id = n.bug_id AND c.comments_wanted <> n.wanted

-- name: work_swept kept
-- The forced update of tracker $1 checked the bugs up to $2.
UPDATE bugwatch.tracker_state SET swept_to = greatest(swept_to, $2::bigint)
WHERE tracker_id = $1::bigint

-- name: work_count kept
-- Run $1 went on: checked $2, changed $3, errors $4, requests $5, bytes $6 more.
UPDATE bugwatch.run
SET checked = checked + $2::integer, changed = changed + $3::integer,
  errors = errors + $4::integer, requests = requests + $5::bigint, bytes = bytes + $6::bigint
WHERE id = $1::bigint
RETURNING bugwatch.count_activity(tracker_id, $2::integer, $3::integer, $5::bigint)

-- name: work_end kept
-- Run $1 ended, with figures as above, in state $7, with the tracker's error $8, $9 where it failed.
WITH ended AS (
  DELETE FROM bugwatch.run WHERE id = $1::bigint RETURNING *
)
INSERT INTO bugwatch.past_run (id, tracker_id, reason, state, queued_at, started_at, finished_at,
  due, checked, changed, comments, errors, requests, bytes, instance, error_kind, error_message)
SELECT id, tracker_id, reason, $7, queued_at, started_at, clock_timestamp(),
  greatest(due, checked + $2::integer), checked + $2::integer, changed + $3::integer, comments,
  errors + $4::integer, requests + $5::bigint, bytes + $6::bigint, instance, $8, $9
FROM ended
RETURNING bugwatch.count_activity(tracker_id, $2::integer, $3::integer, $5::bigint)

-- name: work_settle kept
-- Tracker $1 after a run, the lease given back. $2 and $3 are its error, or null where it answered.
-- Where it answered it is due for what changed, for the next batch ($6 its mode; $8 seconds from one
-- to the next, half of that while more than $13 bugs are due; $11 says that one was asked now), or, bug
-- by bug, for the first. After a failure it is not asked for $4 seconds unless forced, and
-- for the $5 seconds that it asked for not at all. $7 and $9 are what else the schedule goes by,
-- $10 says that they were reckoned anew; $12 is how far its clock is ahead of ours. What it says of
-- changes is not to be trusted if over a thousandth of the bugs that were swept, $14 now, had changed
-- without a word of it, $15 now. A failure that is ours
-- (not $16) does not count.
WITH first AS (
  SELECT min(c.next_check_at) AS at, min(bugwatch.last_check(c, s)) AS oldest,
    coalesce(bool_or(c.bug_id IS NOT NULL AND (c.checked_at IS NULL
      OR bugwatch.last_check(c, s) < s.forced_at)), false) AS fresh,
    count(*) FILTER (WHERE c.next_check_at <= now()) > $13::integer AS backlog,
    EXISTS (SELECT FROM bugwatch.run r WHERE r.tracker_id = $1::bigint AND r.state = 'queued')
      OR bool_or(s.forced) AS forced
  FROM bugwatch.tracker_state s LEFT JOIN bugwatch.bug_check c USING (tracker_id)
  WHERE s.tracker_id = $1::bigint
), next AS (
  SELECT first.*,
    CASE WHEN $6::text IS NULL OR $6 = 'single' OR first.at IS NULL THEN NULL
      WHEN $2::text IS NOT NULL THEN now()
      WHEN $11::boolean OR s.batch_at IS NULL
        THEN now() + $8::bigint * interval '1 second' * CASE WHEN first.backlog THEN 0.5 ELSE 1 END
      ELSE least(s.batch_at, now() + $8::bigint * interval '1 second') END AS batch_at,
    $6 = 'changes' AND s.mode IS DISTINCT FROM 'changes' AND s.changes_since IS NULL AS begins,
    s.missed + $15::bigint > 1 AND (s.missed + $15::bigint) * 1000 > s.swept + $14::bigint AS misses
  FROM first, bugwatch.tracker_state s WHERE s.tracker_id = $1::bigint
)
UPDATE bugwatch.tracker_state s
SET lease_until = NULL, retry_after = now() + $5::bigint * interval '1 second',
  failures = CASE WHEN $2::text IS NULL THEN 0 ELSE s.failures + $16::boolean::integer END,
  failing_since = CASE WHEN $2::text IS NOT NULL
    THEN CASE WHEN $16::boolean THEN coalesce(s.failing_since, now()) ELSE s.failing_since END END,
  error_since = CASE WHEN s.error_kind = $2 OR ($2::text IS NULL AND s.changes_failed)
    THEN s.error_since WHEN $2::text IS NOT NULL THEN now() END,
  error_kind = CASE WHEN $2::text IS NULL AND s.changes_failed THEN s.error_kind ELSE $2 END,
  error_message = CASE WHEN $2::text IS NULL AND s.changes_failed
    THEN s.error_message ELSE $3 END,
  changes_failed = s.changes_failed AND $2::text IS NULL,
  probed_at = CASE WHEN $2::text IS NULL THEN s.probed_at END,
  mode = $6, stretch_s = $7::double precision, batch_s = $8::bigint, changes_s = $9::bigint,
  reckoned_at = CASE WHEN $10::boolean THEN now() ELSE s.reckoned_at END,
  batch_at = next.batch_at,
  changes_since = CASE WHEN next.begins THEN next.oldest + $12::bigint * interval '1 second'
    ELSE s.changes_since END,
  changes_at = CASE WHEN next.begins THEN now() ELSE s.changes_at END,
  swept = s.swept + $14::bigint, missed = s.missed + $15::bigint,
  doubtful = s.doubtful OR next.misses,
  due_at = CASE WHEN next.forced THEN now()
    WHEN $2::text IS NULL THEN coalesce(least(CASE WHEN next.fresh OR next.begins THEN now() END,
      CASE WHEN $6::text IS NULL OR $6 = 'single' THEN next.at END, next.batch_at, s.changes_at),
      'infinity')
    ELSE greatest(now() + $4::bigint * interval '1 second',
      now() + $5::bigint * interval '1 second') END
FROM next WHERE s.tracker_id = $1::bigint

-- name: work_leave kept
-- Tracker $1 when its run is given up: what is due stays due, and anybody may take it, now.
WITH released AS (
  UPDATE bugwatch.tracker_state SET lease_until = NULL, batch_at = now()
  WHERE tracker_id = $1::bigint RETURNING 1
)
SELECT pg_notify('bugwatch_work', '') FROM released

-- name: work_keep_house kept
-- Makes months ahead, and drops what is older than $1 days (events) and $2 (runs).
SELECT bugwatch.keep_months('event', $1::integer), bugwatch.keep_months('past_run', $2::integer),
  bugwatch.keep_months('run_error', $2::integer)
