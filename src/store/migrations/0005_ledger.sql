-- What review decided, and why: each entry holds the hash of the one before, so that none can be changed or taken out unseen.
CREATE TABLE ledger (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms  INTEGER NOT NULL,
    -- Outlives the job.
    job_id TEXT    NOT NULL,
    -- JSON, as it was hashed.
    entry  TEXT    NOT NULL,
    hash   BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE INDEX ledger_jobs ON ledger (job_id);

-- Texts on which an operator ruled.
CREATE INDEX ledger_rulings ON ledger (json_extract(entry, '$.rules_on'));

CREATE TRIGGER ledger_is_not_changed BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TRIGGER ledger_is_not_shortened BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

-- How much stricter than the policy a key's requests are reviewed: JSON, category and mode.
ALTER TABLE api_keys ADD COLUMN tightened TEXT NOT NULL DEFAULT '{}';
