-- Questions that the REST API asks. Items of lists come as their JSON and the key that pages go by.
-- Who makes or removes watches holds the tracker's row meanwhile (api_hold_...), so that a bug is
-- there as long as it has a watch.

-- name: api_ready kept
SELECT max(version) FROM bugwatch.migration

-- name: api_wake kept
SELECT pg_notify('bugwatch_work', $1)

-- name: api_token kept
-- Whose hash $1 is. That it was used is noted once a minute.
WITH found AS (
  SELECT id, name, role, used_at, expires_at FROM bugwatch.token
  WHERE hash = $1::bytea AND (expires_at IS NULL OR expires_at > now())
), used AS (
  UPDATE bugwatch.token t SET used_at = now() FROM found f
  WHERE t.id = f.id AND (f.used_at IS NULL OR f.used_at < now() - interval '1 minute')
)
SELECT id, name, role, (extract(epoch FROM expires_at) * 1000000)::bigint FROM found

-- name: api_tokens
-- Page: after $1, limit $2.
SELECT row_to_json(r), r.id FROM (
  SELECT id::text AS id, name, role, bugwatch.rfc3339(created_at) AS created_at,
    bugwatch.rfc3339(expires_at) AS expires_at, bugwatch.rfc3339(used_at) AS used_at
  FROM bugwatch.token AS k WHERE k.id > coalesce($1::bigint, 0)
  ORDER BY k.id LIMIT $2::integer) AS r

-- name: api_make_token
-- For $4 days, or for ever.
INSERT INTO bugwatch.token AS k (name, role, hash, expires_at)
VALUES ($1, $2, $3::bytea, now() + $4::bigint * interval '1 day')
RETURNING id, bugwatch.rfc3339(created_at), bugwatch.rfc3339(expires_at)

-- name: api_remove_token
-- Its streams end at once.
DELETE FROM bugwatch.token WHERE id = $1::bigint
RETURNING id, pg_notify('bugwatch_tokens', id::text)

-- name: api_audit
-- Request $1 by token $2, called $3, from $4, is about to do this: $5 (method) $6 (path) $7 (body).
INSERT INTO bugwatch.audit (request, token_id, name, address, method, path, body)
VALUES ($1, $2::bigint, $3, $4, $5, $6, $7)

-- name: api_audit_status
-- Request $1 was answered with $2.
UPDATE bugwatch.audit SET status = $2::integer WHERE request = $1

-- name: api_audits
-- Page, newest first: before $1, limit $2.
SELECT row_to_json(r), r.id FROM (
  SELECT a.id::text AS id, bugwatch.rfc3339(a.at) AS at, a.token_id::text AS token, a.name, a.address,
    a.method, a.path, a.body, a.status
  FROM bugwatch.audit a WHERE ($1::bigint IS NULL OR a.id < $1::bigint)
  ORDER BY a.id DESC LIMIT $2::integer) AS r

-- name: api_forget_keys
DELETE FROM bugwatch.idempotency WHERE at < now() - interval '1 day'

-- name: api_take_key
-- Takes key $2 of token $1 for path $3, also from one who never answered.
INSERT INTO bugwatch.idempotency AS i (token_id, key, path) VALUES ($1::bigint, $2, $3)
ON CONFLICT (token_id, key) DO UPDATE SET at = now()
WHERE i.status IS NULL AND i.path = excluded.path AND i.at < now() - interval '1 minute'
RETURNING key

-- name: api_key
SELECT path, status, location, answer FROM bugwatch.idempotency
WHERE token_id = $1::bigint AND key = $2

-- name: api_answer_key
-- Key $2 of token $1 is answered with $3, $4 (location), $5; without a status it is free again.
WITH freed AS (
  DELETE FROM bugwatch.idempotency WHERE token_id = $1::bigint AND key = $2 AND $3::integer IS NULL
)
UPDATE bugwatch.idempotency SET status = $3::integer, location = $4, answer = $5
WHERE token_id = $1::bigint AND key = $2 AND $3::integer IS NOT NULL

-- name: api_count_tokens
SELECT count(*) FROM bugwatch.token

-- name: api_lock_tokens
SELECT pg_advisory_xact_lock(hashtext('bugwatch.token'))

-- name: api_first_token
INSERT INTO bugwatch.token (name, role, hash)
SELECT 'admin', 'admin', $1::bytea WHERE NOT EXISTS (SELECT FROM bugwatch.token)
RETURNING id

-- name: api_trackers
-- Tracker $1, or a page of all: after $2, limit $3.
SELECT row_to_json(r), r.name FROM (
  SELECT s.name, s.type, s.base_url, s.title, s.enabled, s.version, s.abilities, s.health, s.error,
    s.watches, s.watches_with_errors,
    (SELECT bugwatch.run_told(u, t.name) FROM bugwatch.any_run u
      WHERE u.tracker_id = t.id AND u.finished_at IS NOT NULL
      ORDER BY u.id DESC LIMIT 1) AS last_run,
    bugwatch.rfc3339(s.next_check_at) AS next_check_at, s.has_credentials,
    t.udd IS NOT NULL AS has_udd,
    t.batch_size, t.max_connections, t.min_delay_ms, t.changes_interval_s, t.sync_comments,
    t.schedule, s.mode, s.warning, t.store_private
  FROM bugwatch.tracker t JOIN bugwatch.tracker_status s ON s.name = t.name
  WHERE ($1::text IS NULL OR t.name = $1) AND ($2::text IS NULL OR t.name > $2)
  ORDER BY t.name LIMIT $3::integer) AS r

-- name: api_find_tracker
SELECT FROM bugwatch.tracker WHERE name = $1

-- name: api_products
-- Of tracker $1: product $2, or a page of all: after $3, limit $4.
SELECT row_to_json(r), r.product FROM (
  SELECT p.name AS product, p.sync_comments
  FROM bugwatch.product p JOIN bugwatch.tracker t ON t.id = p.tracker_id
  WHERE t.name = $1 AND ($2::text IS NULL OR p.name = $2) AND ($3::text IS NULL OR p.name > $3)
  ORDER BY p.name LIMIT $4::integer) AS r

-- name: api_set_product
-- Whether comments of product $2 of tracker $1 are kept ($3), and whether it is new. The tracker's
-- row is held, so that it does not vanish meanwhile.
WITH held AS (
  SELECT id FROM bugwatch.tracker WHERE name = $1 FOR KEY SHARE
), stored AS (
  INSERT INTO bugwatch.product (tracker_id, name, sync_comments)
  SELECT id, $2, $3::boolean FROM held
  ON CONFLICT (tracker_id, name) DO UPDATE SET sync_comments = excluded.sync_comments
  RETURNING name, sync_comments, xmax
)
SELECT row_to_json(r), s.xmax = 0
FROM stored s CROSS JOIN LATERAL (SELECT s.name AS product, s.sync_comments) AS r

-- name: api_remove_product
DELETE FROM bugwatch.product p USING bugwatch.tracker t
WHERE t.id = p.tracker_id AND t.name = $1 AND p.name = $2
RETURNING p.name

-- name: api_mappings
-- Of tracker $1: what value $3 of field $2 means, or a page of all: after $4, limit $5.
SELECT row_to_json(r), r.field || ' ' || r.value FROM (
  SELECT m.field, m.value, m.means
  FROM bugwatch.mapping m JOIN bugwatch.tracker t ON t.id = m.tracker_id
  WHERE t.name = $1 AND ($2::text IS NULL OR (m.field = $2 AND m.value = $3::text))
    AND ($4::text IS NULL OR m.field || ' ' || m.value > $4)
  ORDER BY m.field || ' ' || m.value LIMIT $5::integer) AS r

-- name: api_set_mapping
-- In tracker $1, value $3 of field $2 means $4; and whether that is a new row, of which there may be
-- $5. The tracker's state is held.
WITH stored AS (
  INSERT INTO bugwatch.mapping AS m (tracker_id, field, value, means)
  SELECT t.id, $2, $3, $4 FROM bugwatch.tracker t
  WHERE t.name = $1 AND $5::integer > (SELECT count(*) FROM bugwatch.mapping o
    WHERE o.tracker_id = t.id AND (o.field, o.value) <> ($2, $3))
  ON CONFLICT (tracker_id, field, value) DO UPDATE SET means = excluded.means
  RETURNING field, value, means, xmax
)
SELECT row_to_json(r), s.xmax = 0
FROM stored s CROSS JOIN LATERAL (SELECT s.field, s.value, s.means) AS r

-- name: api_remove_mapping
DELETE FROM bugwatch.mapping m USING bugwatch.tracker t
WHERE t.id = m.tracker_id AND t.name = $1 AND m.field = $2 AND m.value = $3
RETURNING m.value

-- name: api_due_mapped
-- What value $3 of field $2 means in tracker $1 was changed: the bugs that it may be about are due.
-- It is compared as trackers/own_words.h says, and rather too often than too seldom.
WITH changed AS (
  SELECT t.id, replace(replace(replace(translate(lower($3), '-_', '  '), '!', '!!'), '%', '!%'),
    '*', '%') AS pattern
  FROM bugwatch.tracker t WHERE t.name = $1
), named AS (
  SELECT b.tracker_id, b.id, unnest(CASE $2::text
    WHEN 'status' THEN ARRAY[b.remote_status || coalesce(' ' || nullif(b.remote_resolution, ''), '')]
    ELSE ARRAY[b.remote_severity, b.remote_priority] END) AS value
  FROM changed n JOIN bugwatch.bug b ON b.tracker_id = n.id
), due AS (
  UPDATE bugwatch.bug_check c SET next_check_at = now()
  FROM named b JOIN changed n ON translate(lower(b.value), '-_', '  ') LIKE n.pattern ESCAPE '!'
  WHERE c.tracker_id = b.tracker_id AND c.bug_id = b.id
  RETURNING c.tracker_id
)
UPDATE bugwatch.tracker_state s
SET due_at = least(s.due_at, now()), batch_at = least(s.batch_at, now())
WHERE s.failures = 0 AND s.tracker_id IN (SELECT tracker_id FROM due)

-- name: api_lock_trackers
-- Held by whoever makes trackers, so that a free name stays free.
SELECT pg_advisory_xact_lock(hashtext('bugwatch.tracker'))

-- name: api_make_tracker
WITH made AS (
  INSERT INTO bugwatch.tracker (name, type, base_url) VALUES ($1, $2, $3) RETURNING id
)
INSERT INTO bugwatch.tracker_state (tracker_id, due_at) SELECT id, now() FROM made

-- name: api_change_tracker
-- Settings $2 (an object of those that change) of tracker $1; $3 says whether its credentials
-- change too, to $4, and $5 whether its mirror does, to $6: then what was wrong with the mirror
-- before is forgotten. Where private comments are kept from now on, or no longer, all are read anew at
-- the next check.
WITH mirrored AS (
  UPDATE bugwatch.tracker_state s SET changes_at = NULL, changes_failed = false,
    error_kind = CASE WHEN NOT s.changes_failed THEN s.error_kind END,
    error_message = CASE WHEN NOT s.changes_failed THEN s.error_message END,
    error_since = CASE WHEN NOT s.changes_failed THEN s.error_since END
  FROM bugwatch.tracker t WHERE t.id = s.tracker_id AND t.name = $1 AND $5::boolean
), reread AS (
  UPDATE bugwatch.bug_check c SET comments_wanted = true
  FROM bugwatch.tracker t
  WHERE t.name = $1 AND c.tracker_id = t.id AND NOT c.comments_wanted
    AND ($2::jsonb ->> 'store_private')::boolean <> t.store_private
)
UPDATE bugwatch.tracker t SET
  enabled = coalesce((n.fields ->> 'enabled')::boolean, t.enabled),
  title = CASE WHEN n.fields ? 'title' THEN n.fields ->> 'title' ELSE t.title END,
  batch_size = CASE WHEN n.fields ? 'batch_size' THEN (n.fields ->> 'batch_size')::integer
    ELSE t.batch_size END,
  max_connections = coalesce((n.fields ->> 'max_connections')::integer, t.max_connections),
  min_delay_ms = coalesce((n.fields ->> 'min_delay_ms')::integer, t.min_delay_ms),
  changes_interval_s = CASE WHEN n.fields ? 'changes_interval_s'
    THEN (n.fields ->> 'changes_interval_s')::integer ELSE t.changes_interval_s END,
  sync_comments = coalesce(n.fields ->> 'sync_comments', t.sync_comments),
  credentials = CASE WHEN $3::boolean THEN $4::bytea ELSE t.credentials END,
  udd = CASE WHEN $5::boolean THEN $6::bytea ELSE t.udd END,
  schedule = CASE WHEN n.fields ? 'schedule' THEN CASE jsonb_typeof(n.fields -> 'schedule')
      WHEN 'object' THEN jsonb_strip_nulls(t.schedule || (n.fields -> 'schedule')) ELSE '{}' END
    ELSE t.schedule END,
  store_private = coalesce((n.fields ->> 'store_private')::boolean, t.store_private)
FROM (SELECT $2::jsonb AS fields) AS n
WHERE t.name = $1

-- name: api_due_tracker
-- Its schedule is reckoned anew, and what it says of changes is trusted again.
UPDATE bugwatch.tracker_state s SET due_at = least(s.due_at, now()), reckoned_at = NULL,
  doubtful = false, swept = 0, missed = 0
FROM bugwatch.tracker t WHERE t.id = s.tracker_id AND t.name = $1 AND t.enabled

-- name: api_hold_tracker
SELECT FROM bugwatch.tracker WHERE name = $1 FOR NO KEY UPDATE

-- name: api_hold_tracker_state
-- Waits for the transaction of a run.
SELECT FROM bugwatch.tracker_state
WHERE tracker_id = (SELECT id FROM bugwatch.tracker WHERE name = $1) FOR UPDATE

-- name: api_remove_tracker
DELETE FROM bugwatch.tracker WHERE name = $1 RETURNING id

-- name: api_force_tracker kept
-- All bugs of tracker $1 are due at once, or just that of watch $2.
UPDATE bugwatch.tracker_state s SET
  due_at = CASE WHEN t.enabled THEN now() ELSE s.due_at END,
  forced = s.forced OR t.enabled AND $2::bigint IS NULL
FROM bugwatch.tracker t WHERE t.id = s.tracker_id AND t.name = $1
RETURNING t.enabled

-- name: api_force_watch
UPDATE bugwatch.bug_check c SET next_check_at = now()
FROM bugwatch.watch w
WHERE w.id = $1::bigint AND c.tracker_id = w.tracker_id AND c.bug_id = w.bug_id
RETURNING w.id

-- name: api_queue_run kept
-- The state's row is held, so that a queued run does not begin meanwhile.
INSERT INTO bugwatch.run (tracker_id, reason, state)
SELECT id, 'forced', 'queued' FROM bugwatch.tracker WHERE name = $1 AND enabled
ON CONFLICT (tracker_id) WHERE state = 'queued' DO NOTHING

-- name: api_run kept
-- Run $1.
SELECT bugwatch.run_told(u, t.name), u.id
FROM bugwatch.any_run u JOIN bugwatch.tracker t ON t.id = u.tracker_id WHERE u.id = $1::bigint

-- name: api_queued_run kept
-- The queued run of tracker $1.
SELECT bugwatch.run_told(u, t.name), u.id
FROM bugwatch.tracker t JOIN bugwatch.any_run u ON u.tracker_id = t.id AND u.state = 'queued'
WHERE t.name = $1

-- name: api_runs
-- A page of runs of tracker $1 in state $2: before $3, limit $4.
SELECT bugwatch.run_told(u, t.name), u.id
FROM bugwatch.any_run u JOIN bugwatch.tracker t ON t.id = u.tracker_id
WHERE ($1::text IS NULL OR t.name = $1) AND ($2::text IS NULL OR u.state = $2)
  AND ($3::bigint IS NULL OR u.id < $3::bigint)
ORDER BY u.id DESC LIMIT $4::integer

-- name: api_run_errors
-- What failed in run $1, with the oldest watch of each bug: after bug $2, limit $3.
SELECT row_to_json(r), e.bug_id FROM (
  SELECT * FROM bugwatch.run_error
  WHERE run_id = $1::bigint AND ($2::bigint IS NULL OR bug_id > $2::bigint)
  ORDER BY bug_id LIMIT $3::integer) AS e
CROSS JOIN LATERAL (
  SELECT (SELECT min(w.id) FROM bugwatch.watch w
      WHERE w.tracker_id = e.tracker_id AND w.bug_id = e.bug_id)::text AS watch,
    (SELECT b.remote_id FROM bugwatch.bug b
      WHERE b.tracker_id = e.tracker_id AND b.id = e.bug_id) AS remote_id,
    e.kind, e.message, bugwatch.rfc3339(e.at) AS at) AS r
ORDER BY e.bug_id

-- name: api_tracker_stats
SELECT row_to_json(r) FROM (
  SELECT f.watches, f.remote_bugs, f.watches_with_errors, f.resolved, f.comments,
    f.watches_with_comments, bugwatch.run_told(u.run, t.name) AS last_run,
    (SELECT coalesce(json_agg(e), '[]') FROM (
      SELECT (SELECT min(w.id) FROM bugwatch.watch w
          WHERE w.tracker_id = e.tracker_id AND w.bug_id = e.bug_id)::text AS watch,
        (SELECT b.remote_id FROM bugwatch.bug b
          WHERE b.tracker_id = e.tracker_id AND b.id = e.bug_id) AS remote_id,
        e.kind, e.message, bugwatch.rfc3339(e.at) AS at
      FROM bugwatch.run_error e WHERE e.run_id = (u.run).id ORDER BY e.bug_id LIMIT 10) AS e)
      AS last_run_errors,
    f.common_errors, f.unmapped, f.checks_24h, f.changes_24h, f.requests_24h,
    CASE WHEN t.enabled THEN bugwatch.oldest_overdue(t.id) END AS oldest_overdue,
    bugwatch.rfc3339(CASE WHEN t.enabled THEN greatest(s.due_at, s.retry_after) END)
      AS next_check_at,
    CASE
      WHEN NOT t.enabled THEN 'the tracker is switched off'
      WHEN s.lease_until > now() THEN 'it is being checked'
      WHEN s.retry_after > greatest(s.due_at, now())
        THEN 'the tracker asked to be left alone until then'
      WHEN EXISTS (SELECT FROM bugwatch.run q WHERE q.tracker_id = t.id AND q.state = 'queued')
        THEN 'an update is asked for'
      WHEN s.failures > 0 THEN s.error_kind || ', ' || s.failures || ' in a row'
      WHEN NOT isfinite(s.due_at) THEN 'nothing is watched'
      WHEN s.due_at = s.changes_at THEN 'it is asked what changed'
      WHEN s.due_at <= now() THEN 'due'
      ELSE 'its first bug is due'
    END AS next_check_reason,
    json_build_object('state', bugwatch.breaker(s.failures, s.due_at), 'failures', s.failures,
      'since', bugwatch.rfc3339(s.error_since)) AS breaker
  FROM bugwatch.tracker t
  JOIN bugwatch.tracker_state s ON s.tracker_id = t.id
  CROSS JOIN LATERAL bugwatch.figures(t.id, t.id) f
  LEFT JOIN LATERAL (SELECT u AS run FROM bugwatch.any_run u
    WHERE u.tracker_id = t.id AND u.finished_at IS NOT NULL ORDER BY u.id DESC LIMIT 1) AS u ON true
  WHERE t.name = $1) AS r

-- name: api_stats
-- Over all trackers.
SELECT row_to_json(r) FROM (
  SELECT f.watches, f.remote_bugs, f.watches_with_errors, f.resolved, f.comments,
    f.watches_with_comments,
    (SELECT bugwatch.run_told(u, t.name) FROM bugwatch.any_run u
      JOIN bugwatch.tracker t ON t.id = u.tracker_id
      WHERE u.finished_at IS NOT NULL ORDER BY u.id DESC LIMIT 1) AS last_run,
    f.common_errors, f.unmapped, f.checks_24h, f.changes_24h, f.requests_24h,
    (SELECT o.oldest FROM (SELECT bugwatch.oldest_overdue(s.tracker_id) AS oldest FROM (
        SELECT s.tracker_id FROM bugwatch.tracker_state s
        JOIN bugwatch.tracker t ON t.id = s.tracker_id
        WHERE t.enabled AND CASE WHEN s.failures > 0 THEN s.error_since ELSE s.due_at END <= now()
        ORDER BY CASE WHEN s.failures > 0 THEN s.error_since ELSE s.due_at END LIMIT 3) AS s
        OFFSET 0) AS o
      WHERE o.oldest IS NOT NULL LIMIT 1) AS oldest_overdue,
    (SELECT row_to_json(b) FROM (
      SELECT count(*) FILTER (WHERE state = 'closed') AS closed,
        count(*) FILTER (WHERE state = 'open') AS open,
        count(*) FILTER (WHERE state = 'half-open') AS "half-open"
      FROM (SELECT bugwatch.breaker(s.failures, s.due_at) AS state
        FROM bugwatch.tracker_state s) AS s) AS b) AS breakers
  FROM bugwatch.figures(0, 9223372036854775807) AS f) AS r

-- name: api_trackers_stats
-- Tracker by tracker: after $1, limit $2.
SELECT row_to_json(r), r.name FROM (
  SELECT t.name, f.watches, f.remote_bugs, f.watches_with_errors, f.resolved, f.comments,
    f.watches_with_comments, (SELECT bugwatch.run_told(u, t.name) FROM bugwatch.any_run u
      WHERE u.tracker_id = t.id AND u.finished_at IS NOT NULL
      ORDER BY u.id DESC LIMIT 1) AS last_run,
    f.common_errors, f.unmapped, f.checks_24h, f.changes_24h, f.requests_24h
  FROM (SELECT t.id, t.name FROM bugwatch.tracker t WHERE $1::text IS NULL OR t.name > $1
    ORDER BY t.name LIMIT $2::integer) AS t
  CROSS JOIN LATERAL bugwatch.figures(t.id, t.id) AS f
  ORDER BY t.name) AS r

-- name: api_events
-- Of watch $1, or of all: after $2, limit $3.
SELECT row_to_json(r), r.id FROM (
  SELECT id, bugwatch.rfc3339(at) AS at, kind, watch::text AS watch, tracker, remote_id, url, ref,
    old, new
  FROM bugwatch.event_feed
  WHERE ($1::bigint IS NULL OR watch = $1::bigint) AND id > coalesce($2::bigint, 0)
  ORDER BY id LIMIT $3::integer) AS r

-- name: api_newest_events
-- The newest hundred, newest first, of tracker $1 or of all; with the bugs' titles.
SELECT e.id, bugwatch.rfc3339(e.at), e.kind, e.tracker, e.remote_id, e.url, e.old, e.new, b.title
FROM (
  SELECT * FROM bugwatch.event
  WHERE $1::text IS NULL OR tracker_id = (SELECT id FROM bugwatch.tracker WHERE name = $1)
  ORDER BY id DESC LIMIT 100) AS e
LEFT JOIN bugwatch.bug b ON b.tracker_id = e.tracker_id AND b.id = e.bug_id
ORDER BY e.id DESC

-- name: api_newest_event
SELECT coalesce(max(id), 0) FROM bugwatch.event

-- name: api_comments
-- Of watch $1: after number $2, limit $3. Comments may be long: those after 4 MiB of text are left
-- to the next page (no item).
SELECT CASE WHEN c.before < 4194304 THEN (SELECT to_jsonb(r)
    || CASE WHEN c.hidden_at IS NULL THEN '{}' ELSE '{"hidden": true}'::jsonb END FROM (
  SELECT c.id::text AS id, c.number, c.author, bugwatch.rfc3339(c.posted_at) AS posted_at, c.text
) AS r) END, c.number
FROM (
  SELECT m.*, coalesce(sum(octet_length(m.text)) OVER (ORDER BY m.number
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
  FROM bugwatch.comment m JOIN bugwatch.watch w USING (tracker_id, bug_id)
  WHERE w.id = $1::bigint AND ($2::bigint IS NULL OR m.number > $2::bigint)
  ORDER BY m.number LIMIT $3::integer) AS c
ORDER BY c.number

-- name: api_watches
-- Watches $1, or a page of those of tracker $2, status $3, error $4 (any, none or a kind), ref $5,
-- and bug $7 of the tracker at base URL $6: after $8, limit $9.
SELECT row_to_json(r), r.id FROM (
  SELECT s.id::text AS id, s.url, s.ref, s.tracker, s.remote_id, s.title, s.product,
    s.remote_status, s.remote_resolution, s.remote_importance, s.remote_severity,
    s.remote_priority, s.remote_tags, s.status, s.importance,
    bugwatch.rfc3339(s.created_at) AS created_at,
    bugwatch.rfc3339(s.last_checked_at) AS last_checked_at,
    bugwatch.rfc3339(s.last_changed_at) AS last_changed_at,
    bugwatch.rfc3339(s.remote_changed_at) AS remote_changed_at,
    bugwatch.rfc3339(s.next_check_at) AS next_check_at, s.next_check_reason, s.comments, s.error
  FROM bugwatch.watch_status s
  WHERE ($1::bigint[] IS NULL OR s.id = ANY ($1::bigint[]))
    AND ($2::text IS NULL OR s.tracker = $2) AND ($3::text IS NULL OR s.status = $3)
    AND ($4::text IS NULL OR CASE $4 WHEN 'any' THEN s.error IS NOT NULL
      WHEN 'none' THEN s.error IS NULL ELSE s.error ->> 'kind' = $4 END)
    AND ($5::text IS NULL OR s.ref = $5)
    AND ($6::text IS NULL OR (s.remote_id = $7::text AND s.tracker = (
      SELECT t.name FROM bugwatch.tracker t WHERE regexp_replace(t.base_url, '^https?://', '')
        = regexp_replace($6::text, '^https?://', ''))))
    AND ($8::bigint IS NULL OR s.id > $8::bigint)
  ORDER BY s.id LIMIT $9::integer) AS r

-- name: api_watch_tracker
SELECT t.name FROM bugwatch.watch w JOIN bugwatch.tracker t ON t.id = w.tracker_id
WHERE w.id = $1::bigint

-- name: api_lock_new_trackers
-- Takes the lock of api_lock_trackers where one of the base URLs $1 has no tracker yet.
SELECT pg_advisory_xact_lock(hashtext('bugwatch.tracker'))
WHERE EXISTS (
  SELECT FROM unnest($1::text[]) AS n (base_url) WHERE NOT EXISTS (
    SELECT FROM bugwatch.tracker t WHERE regexp_replace(t.base_url, '^https?://', '')
      = regexp_replace(n.base_url, '^https?://', '')))

-- name: api_make_trackers
-- Trackers for those of the base URLs $1 that have none: types $2, and names $3 with a number
-- where they are taken.
WITH wanted AS (
  SELECT DISTINCT ON (regexp_replace(n.base_url, '^https?://', '')) n.base_url, n.type, n.name
  FROM unnest($1::text[], $2::text[], $3::text[]) AS n (base_url, type, name)
  WHERE n.type IS NOT NULL AND NOT EXISTS (
    SELECT FROM bugwatch.tracker t WHERE regexp_replace(t.base_url, '^https?://', '')
      = regexp_replace(n.base_url, '^https?://', ''))
  ORDER BY regexp_replace(n.base_url, '^https?://', ''), n.base_url DESC
), placed AS (
  SELECT *, row_number() OVER (PARTITION BY name ORDER BY base_url) AS place FROM wanted
), made AS (
  INSERT INTO bugwatch.tracker (name, type, base_url)
  SELECT free.name, p.type, p.base_url FROM placed p CROSS JOIN LATERAL (
    SELECT c.name FROM generate_series(1, p.place
      + (SELECT count(*) FROM bugwatch.tracker t WHERE starts_with(t.name, p.name))) AS k
    CROSS JOIN LATERAL (SELECT p.name || CASE WHEN k > 1 THEN '-' || k ELSE '' END) AS c (name)
    WHERE NOT EXISTS (SELECT FROM bugwatch.tracker t WHERE t.name = c.name)
    ORDER BY k OFFSET p.place - 1 LIMIT 1) AS free
  ON CONFLICT DO NOTHING
  RETURNING id
)
INSERT INTO bugwatch.tracker_state (tracker_id, due_at) SELECT id, now() FROM made

-- name: api_hold_trackers
-- In order of their ids, so that two who hold several don't wait for each other.
SELECT FROM bugwatch.tracker t
WHERE regexp_replace(t.base_url, '^https?://', '') IN (
  SELECT regexp_replace(n.base_url, '^https?://', '') FROM unnest($1::text[]) AS n (base_url))
ORDER BY t.id FOR NO KEY UPDATE

-- name: api_make_bugs
-- Bugs $2 of the trackers at base URLs $1; those that are new are due now.
WITH made AS (
  INSERT INTO bugwatch.bug (tracker_id, remote_id)
  SELECT t.id, n.remote_id
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS n (base_url, remote_id, place)
  JOIN bugwatch.tracker t ON regexp_replace(t.base_url, '^https?://', '')
    = regexp_replace(n.base_url, '^https?://', '')
  GROUP BY t.id, n.remote_id ORDER BY min(n.place)
  ON CONFLICT DO NOTHING
  RETURNING tracker_id, id, remote_id
), checked AS (
  INSERT INTO bugwatch.bug_check (tracker_id, bug_id, remote_id)
  SELECT tracker_id, id, remote_id FROM made
), held AS (
  SELECT s.tracker_id FROM bugwatch.tracker_state s
  WHERE s.tracker_id IN (SELECT made.tracker_id FROM made)
  ORDER BY s.tracker_id FOR UPDATE
)
UPDATE bugwatch.tracker_state s SET due_at = least(s.due_at, now())
FROM held WHERE s.tracker_id = held.tracker_id
RETURNING pg_notify('bugwatch_work', '')

-- name: api_learn_bugs
-- After many rows at once the planner must not wait for the autovacuum: with no statistics it takes
-- a tracker's bugs to be few, and then needs the square of their number.
ANALYZE bugwatch.bug, bugwatch.bug_check

-- name: api_learn_watches
ANALYZE bugwatch.watch

-- name: api_make_watches
-- Watches on bugs $2 of the trackers at base URLs $1: URLs $3, refs $4.
INSERT INTO bugwatch.watch (tracker_id, bug_id, url, ref)
SELECT b.tracker_id, b.id, (array_agg(n.url ORDER BY n.place))[1], n.ref
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY
  AS n (base_url, remote_id, url, ref, place)
JOIN bugwatch.tracker t ON regexp_replace(t.base_url, '^https?://', '')
  = regexp_replace(n.base_url, '^https?://', '')
JOIN bugwatch.bug b ON b.tracker_id = t.id AND b.remote_id = n.remote_id
GROUP BY b.tracker_id, b.id, n.ref ORDER BY min(n.place)
ON CONFLICT DO NOTHING

-- name: api_made_watches
-- In the order sent, the watch on bug $2 at base URL $1 with ref $3, and whether this transaction
-- made it (for the first that asked for it).
SELECT w.id, w.xmin = pg_current_xact_id()::xid
  AND row_number() OVER (PARTITION BY w.id ORDER BY n.place) = 1
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS n (base_url, remote_id, ref, place)
LEFT JOIN bugwatch.tracker t ON regexp_replace(t.base_url, '^https?://', '')
  = regexp_replace(n.base_url, '^https?://', '')
LEFT JOIN bugwatch.bug b ON b.tracker_id = t.id AND b.remote_id = n.remote_id
LEFT JOIN bugwatch.watch w ON w.tracker_id = b.tracker_id AND w.bug_id = b.id
  AND coalesce(w.ref, '') = coalesce(n.ref, '')
ORDER BY n.place

-- name: api_hold_watch
-- Waits for the transaction of a run as well: it may hold the bug.
SELECT FROM bugwatch.tracker t JOIN bugwatch.tracker_state s ON s.tracker_id = t.id
WHERE t.id = (SELECT w.tracker_id FROM bugwatch.watch w WHERE w.id = $1::bigint)
FOR NO KEY UPDATE OF t FOR UPDATE OF s

-- name: api_remove_watch
DELETE FROM bugwatch.watch WHERE id = $1::bigint RETURNING id
