-- Comments that are not for everybody: kept only where that is wanted, and dropped when one turns so.

ALTER TABLE bugwatch.tracker ADD store_private boolean NOT NULL DEFAULT false;

-- When the tracker no longer showed a comment; its text is then empty.
ALTER TABLE bugwatch.comment ADD hidden_at timestamptz;

CREATE OR REPLACE VIEW bugwatch.comment_text AS
SELECT c.id, w.id AS watch, c.number, c.author, c.posted_at, c.text,
  c.hidden_at IS NOT NULL AS hidden
FROM bugwatch.comment c
JOIN bugwatch.watch w ON w.tracker_id = c.tracker_id AND w.bug_id = c.bug_id;
