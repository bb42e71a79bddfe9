-- What the delivery of events asks. A webhook is worked on by one instance at a time, by lease.

-- name: hook_take
-- Up to $2 webhooks that may have something to be told, leased to $1 for $3 seconds.
WITH newest AS (SELECT coalesce(max(id), 0) AS id FROM bugwatch.event)
UPDATE bugwatch.webhook h SET lease_owner = $1, lease_until = now() + $3::integer * interval '1 second'
FROM newest
WHERE h.id IN (
  SELECT w.id FROM bugwatch.webhook w
  WHERE w.enabled AND w.next_at <= now() AND (w.lease_until IS NULL OR w.lease_until <= now())
    AND w.cursor < newest.id
  ORDER BY w.next_at LIMIT $2::integer FOR UPDATE SKIP LOCKED)
RETURNING h.id, h.url, h.secret, h.failures

-- name: hook_next_try
-- Seconds until the first webhook that waits may be tried again; null where none waits.
SELECT greatest(0, ceil(extract(epoch FROM min(greatest(next_at, coalesce(lease_until, next_at))) - now())))
FROM bugwatch.webhook WHERE enabled AND (next_at > now() OR lease_until > now())

-- name: hook_events
-- The next $2 events for webhook $1 that $3 has the lease of, and how far the table was looked
-- through for them ($4 events).
WITH hook AS (
  SELECT * FROM bugwatch.webhook WHERE id = $1::bigint AND lease_owner = $3 AND enabled
), seen AS (
  SELECT f.*, e.kind = ANY (coalesce(h.kinds, ARRAY[e.kind]))
    AND e.tracker = coalesce(h.tracker, e.tracker)
    AND (h.ref IS NULL OR e.ref IS NOT DISTINCT FROM h.ref) AS matches
  FROM hook h CROSS JOIN LATERAL (
    SELECT * FROM bugwatch.event v WHERE v.id > h.cursor ORDER BY v.id LIMIT $4::integer) AS e
  CROSS JOIN LATERAL (
    SELECT e.id, bugwatch.rfc3339(e.at) AS at, e.kind, e.watch_id::text AS watch, e.tracker,
      e.remote_id, e.url, e.ref, e.old, e.new) AS f
)
SELECT s.id, s.kind, s.at, row_to_json(r), (SELECT max(id) FROM seen)
FROM seen s CROSS JOIN LATERAL (
  SELECT s.id, s.at, s.kind, s.watch, s.tracker, s.remote_id, s.url, s.ref, s.old, s.new) AS r
WHERE s.matches
UNION ALL
(SELECT NULL, NULL, NULL, NULL, max(id) FROM seen HAVING NOT bool_or(matches))
ORDER BY 1 LIMIT $2::integer

-- name: hook_taken
-- Webhook $1, leased by $2, has all events up to $3; $4 says whether one was delivered just now. The
-- lease is good for $5 more seconds.
UPDATE bugwatch.webhook
SET cursor = greatest(cursor, $3::bigint), failures = 0, failing_since = NULL, error = NULL,
  delivered_at = CASE WHEN $4::boolean THEN now() ELSE delivered_at END,
  lease_until = now() + $5::integer * interval '1 second'
WHERE id = $1::bigint AND lease_owner = $2
RETURNING id

-- name: hook_failed
-- Webhook $1, leased by $2, took nothing, says $3: again in $4 seconds. It is switched off if it is
-- gone ($5), or has failed for $6 days.
UPDATE bugwatch.webhook
SET failures = failures + 1, failing_since = coalesce(failing_since, now()), error = $3,
  next_at = now() + $4::integer * interval '1 second', lease_owner = NULL, lease_until = NULL,
  enabled = NOT ($5::boolean OR coalesce(failing_since, now()) < now() - $6::integer * interval '1 day')
WHERE id = $1::bigint AND lease_owner = $2
RETURNING enabled

-- name: hook_release
-- Webhook $1 is done with by $2; null: all of its.
UPDATE bugwatch.webhook SET lease_owner = NULL, lease_until = NULL
WHERE lease_owner = $2 AND ($1::bigint IS NULL OR id = $1::bigint)

-- name: api_webhooks
-- Webhook $1, or a page of all: after $2, limit $3.
SELECT shown, id FROM bugwatch.webhook_status
WHERE ($1::bigint IS NULL OR id = $1::bigint) AND ($2::bigint IS NULL OR id > $2::bigint)
ORDER BY id LIMIT $3::integer

-- name: api_newest_webhook
-- The one that this transaction made.
SELECT shown FROM bugwatch.webhook_status
WHERE id = currval(pg_get_serial_sequence('bugwatch.webhook', 'id'))

-- name: api_make_webhook
-- To $1, with the sealed secret $2; it is told of events from now on.
INSERT INTO bugwatch.webhook AS h (url, secret, cursor)
SELECT $1, $2::bytea, coalesce(max(id), 0) FROM bugwatch.event
RETURNING h.id

-- name: api_change_webhook
-- Settings $2 (an object of those that change) of webhook $1, null: of the newest. Switched on, it is
-- tried at once.
UPDATE bugwatch.webhook h SET
  url = coalesce(n.fields ->> 'url', h.url),
  name = CASE WHEN n.fields ? 'name' THEN n.fields ->> 'name' ELSE h.name END,
  tracker = CASE WHEN n.fields ? 'tracker' THEN n.fields ->> 'tracker' ELSE h.tracker END,
  ref = CASE WHEN n.fields ? 'ref' THEN n.fields ->> 'ref' ELSE h.ref END,
  kinds = CASE WHEN NOT n.fields ? 'kinds' THEN h.kinds
    WHEN jsonb_typeof(n.fields -> 'kinds') = 'array'
    THEN ARRAY(SELECT jsonb_array_elements_text(n.fields -> 'kinds')) END,
  enabled = coalesce((n.fields ->> 'enabled')::boolean, h.enabled),
  next_at = CASE WHEN n.fields ->> 'enabled' = 'true' THEN now() ELSE h.next_at END,
  failing_since = CASE WHEN n.fields ->> 'enabled' = 'true' THEN NULL ELSE h.failing_since END,
  failures = CASE WHEN n.fields ->> 'enabled' = 'true' THEN 0 ELSE h.failures END,
  error = CASE WHEN n.fields ->> 'enabled' = 'true' THEN NULL ELSE h.error END
FROM (SELECT $2::jsonb AS fields) AS n
WHERE h.id = coalesce($1::bigint, currval(pg_get_serial_sequence('bugwatch.webhook', 'id')))

-- name: api_replay_webhook
-- Webhook $1 is told of all events after $2 (again); whoever is telling it loses it.
UPDATE bugwatch.webhook
SET cursor = $2::bigint, next_at = now(), lease_owner = NULL, lease_until = NULL
WHERE id = $1::bigint

-- name: api_remove_webhook
DELETE FROM bugwatch.webhook WHERE id = $1::bigint RETURNING id

-- name: api_wake_postman
SELECT pg_notify('bugwatch_webhooks', '')
