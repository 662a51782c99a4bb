-- Times are milliseconds since 1970-01-01T00:00:00Z.

CREATE TABLE api_keys (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    name            TEXT    NOT NULL,
    -- The first characters of the token, to tell keys apart by eye; too few to guess from.
    prefix          TEXT    NOT NULL,
    token_sha256    BLOB    NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    enabled         INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    created_at_ms   INTEGER NOT NULL,
    revoked_at_ms   INTEGER,
    request_count   INTEGER NOT NULL DEFAULT 0,
    last_used_at_ms INTEGER
) STRICT;

CREATE TABLE jobs (
    -- The order of submission; the oldest waiting job is claimed first.
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT    NOT NULL UNIQUE,
    key_id          INTEGER NOT NULL REFERENCES api_keys (id),
    gen_id          TEXT    NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN
                        ('IN_QUEUE', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT')),
    -- How often the job was claimed; with lease_owner it fences off a worker that comes back late.
    attempt         INTEGER NOT NULL DEFAULT 0,
    -- JSON: what `generate` answered, so that a repeated request gets the same answer.
    receipt         TEXT    NOT NULL,
    plan_version    INTEGER,
    -- JSON; NULL where compliance blocked the prompt.
    plan            TEXT,
    compliance      TEXT    NOT NULL CHECK (compliance IN ('safe', 'unsafe')),
    created_at_ms   INTEGER NOT NULL,
    started_at_ms   INTEGER,
    finished_at_ms  INTEGER,
    lease_owner     TEXT,
    lease_until_ms  INTEGER,
    -- JSON of the outcome, of final states only.
    outcome         TEXT,
    -- The diagnosis for the operator, also of attempts that were tried again; never shown to a client.
    error_code      TEXT,
    error_text      TEXT
) STRICT;

CREATE INDEX jobs_waiting ON jobs (seq) WHERE state = 'IN_QUEUE';
CREATE INDEX jobs_running ON jobs (seq) WHERE state = 'IN_PROGRESS';
CREATE INDEX jobs_finished ON jobs (finished_at_ms) WHERE finished_at_ms IS NOT NULL;
CREATE INDEX jobs_of_key ON jobs (key_id, seq);

CREATE TABLE idempotency (
    key_id          INTEGER NOT NULL REFERENCES api_keys (id),
    key             TEXT    NOT NULL,
    body_sha256     BLOB    NOT NULL CHECK (length(body_sha256) = 32),
    job_id          TEXT    NOT NULL REFERENCES jobs (id),
    created_at_ms   INTEGER NOT NULL,
    PRIMARY KEY (key_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_age ON idempotency (created_at_ms);
