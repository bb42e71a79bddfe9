-- Who is told of events by POST: one cursor each, moved when an event was taken.
CREATE TABLE bugwatch.webhook (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  url text NOT NULL,
  name text,
  secret bytea NOT NULL,                -- sealed
  enabled boolean NOT NULL DEFAULT true,
  tracker text,                         -- only events of this tracker; null: of all
  kinds text[],                         -- only of these kinds; null: of all
  ref text,                             -- only of watches with this ref; null: of all
  created_at timestamptz NOT NULL DEFAULT now(),
  cursor bigint NOT NULL,               -- every event up to here was taken, or does not match
  delivered_at timestamptz,             -- when the last one was taken
  failures integer NOT NULL DEFAULT 0,  -- in a row
  failing_since timestamptz,
  error text,                           -- of the last failure
  next_at timestamptz NOT NULL DEFAULT now(), -- not tried before
  lease_owner text,
  lease_until timestamptz
);

-- How a webhook is told of over the API.
CREATE VIEW bugwatch.webhook_status AS
SELECT h.id, json_build_object('id', h.id::text, 'url', h.url, 'name', h.name, 'enabled', h.enabled,
  'tracker', h.tracker, 'kinds', h.kinds, 'ref', h.ref,
  'created_at', bugwatch.rfc3339(h.created_at), 'cursor', h.cursor,
  'delivered_at', bugwatch.rfc3339(h.delivered_at),
  'error', CASE WHEN h.failures > 0 THEN json_build_object('message', h.error, 'count', h.failures,
    'since', bugwatch.rfc3339(h.failing_since),
    'retry_at', CASE WHEN h.enabled THEN bugwatch.rfc3339(h.next_at) END) END) AS shown
FROM bugwatch.webhook h;
