-- Comments of remote bugs, and for which of them they are kept.

-- Products of a tracker (as the tracker calls them) whose comments are kept, or not, where the
-- tracker's sync_comments is "products".
CREATE TABLE bugwatch.product (
  tracker_id bigint NOT NULL REFERENCES bugwatch.tracker ON DELETE CASCADE,
  name text NOT NULL CONSTRAINT product_name_length CHECK (length(name) BETWEEN 1 AND 500),
  sync_comments boolean NOT NULL,
  PRIMARY KEY (tracker_id, name)
);

-- One comment; its number is the tracker's own and rises in its order.
CREATE TABLE bugwatch.comment (
  tracker_id bigint NOT NULL,
  bug_id bigint NOT NULL,
  number bigint NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  author text,
  posted_at timestamptz,
  text text NOT NULL,
  PRIMARY KEY (tracker_id, bug_id, number),
  FOREIGN KEY (tracker_id, bug_id) REFERENCES bugwatch.bug ON DELETE CASCADE
);

-- When all comments of a bug were first there: only those that come later make events.
ALTER TABLE bugwatch.bug ADD comments_read_at timestamptz;

-- Whether comments are to be read at the next check even if the bug did not change: those of a new
-- bug, of one whose comments could not be had, or of one whose comments were not kept until now.
ALTER TABLE bugwatch.bug_check ADD comments_wanted boolean NOT NULL DEFAULT true;

-- Whether the comments of a product's bugs are kept.
CREATE FUNCTION bugwatch.keeps_comments(tracker bigint, product text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE t.sync_comments
    WHEN 'all' THEN true
    WHEN 'products' THEN EXISTS (SELECT FROM bugwatch.product p
      WHERE p.tracker_id = t.id AND p.name = product AND p.sync_comments)
    ELSE false
  END FROM bugwatch.tracker t WHERE t.id = tracker
$$;

CREATE VIEW bugwatch.comment_text AS
SELECT c.id, w.id AS watch, c.number, c.author, c.posted_at, c.text
FROM bugwatch.comment c
JOIN bugwatch.watch w ON w.tracker_id = c.tracker_id AND w.bug_id = c.bug_id;

CREATE OR REPLACE VIEW bugwatch.watch_status AS
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
