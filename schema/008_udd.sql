-- A tracker's mirror, which can say what changed where the tracker can't.
ALTER TABLE bugwatch.tracker
  ADD udd bytea; -- a connection string, sealed by the service (engine/vault.h)
ALTER TABLE bugwatch.tracker_state
  ADD probed_mirror boolean NOT NULL DEFAULT false, -- whether one was set when it was probed
  -- The error is that of the last question what changed: checks go on, and do not take it away.
  ADD changes_failed boolean NOT NULL DEFAULT false;
