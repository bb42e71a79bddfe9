-- Questions that runs ask: who is due, what is known, what became of it.

-- name: work_ping
SELECT 1
