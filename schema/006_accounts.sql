-- Tokens that end by themselves and tell of their use, a record of what administrators did, and
-- requests that are safe to send twice.

ALTER TABLE bugwatch.token
  ADD expires_at timestamptz,           -- null: never
  ADD used_at timestamptz;              -- to the minute

-- One row an act, written before it or together with it.
CREATE TABLE bugwatch.audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  request text NOT NULL UNIQUE,         -- the request's own random name
  token_id bigint NOT NULL,
  name text NOT NULL,                   -- the token's, as it was then
  address text NOT NULL,                -- whence it came
  method text NOT NULL,
  path text NOT NULL,
  body text,                            -- without what is secret
  status integer                        -- what it was answered; null: the service ended before
);
CREATE INDEX audit_at ON bugwatch.audit (at);

-- What was sent with an Idempotency-Key within the last day.
CREATE TABLE bugwatch.idempotency (
  token_id bigint NOT NULL REFERENCES bugwatch.token ON DELETE CASCADE,
  key text NOT NULL,
  path text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  status integer,                       -- null: not answered yet
  location text,
  answer text,
  PRIMARY KEY (token_id, key)
);
CREATE INDEX idempotency_at ON bugwatch.idempotency (at);
