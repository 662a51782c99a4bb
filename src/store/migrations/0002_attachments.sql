-- Files that a job needs and that are not in its plan: watermarks. Named by their SHA-256, so that one that many jobs
-- use is kept once; gone some time after the last of them has ended.
CREATE TABLE attachments (
    sha256          BLOB    PRIMARY KEY CHECK (length(sha256) = 32),
    bytes           BLOB    NOT NULL
) STRICT;

ALTER TABLE jobs ADD COLUMN attachment_sha256 BLOB CHECK (length(attachment_sha256) = 32);

CREATE INDEX jobs_attached ON jobs (attachment_sha256)
    WHERE attachment_sha256 IS NOT NULL AND finished_at_ms IS NULL;
