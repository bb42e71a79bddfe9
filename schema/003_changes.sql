-- Asking a tracker what changed, where it can say so.
ALTER TABLE bugwatch.tracker_state
  ADD changes_since timestamptz, -- by the tracker's own clock: what changed before is known
  ADD changes_at timestamptz;    -- by ours: when to ask again; null where that is not done
