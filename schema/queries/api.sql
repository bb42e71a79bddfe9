-- Questions that the REST API asks.

-- name: api_ready
SELECT 1
