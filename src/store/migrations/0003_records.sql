-- One row for each picture that was delivered: what any copy of it can be traced back to.
CREATE TABLE records (
    -- The order of completion, so that a reader can ask for what is new.
    seq                   INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The 64 bits that the invisible mark carries, as the signed number of the same bits.
    record_id             INTEGER NOT NULL UNIQUE,
    job_id                TEXT    NOT NULL REFERENCES jobs (id),
    key_id                INTEGER NOT NULL REFERENCES api_keys (id),
    -- Counts from 0 within the job.
    picture_index         INTEGER NOT NULL,
    created_at_ms         INTEGER NOT NULL,
    pdq                   BLOB    NOT NULL CHECK (length(pdq) = 32),
    pdq_quality           INTEGER NOT NULL CHECK (pdq_quality BETWEEN 0 AND 100),
    -- NULL where no mark was set.
    mark_alg              TEXT,
    mark_bit_errors       INTEGER,
    mark_strength         REAL,
    -- NULL where nothing was signed.
    manifest_id           TEXT    UNIQUE,
    -- The C2PA manifest store (JUMBF) as it stands in the file.
    manifest              BLOB,
    thumbnail_manifest_id TEXT    UNIQUE,
    -- JSON: how the picture was made.
    facts                 TEXT    NOT NULL,
    UNIQUE (job_id, picture_index)
) STRICT;

-- All that the search by likeness reads, without the manifests between.
CREATE INDEX records_fingerprints ON records (seq, record_id, pdq, pdq_quality);
