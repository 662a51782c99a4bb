-- Whether a claimed job still waits for the engine behind others: then the end of the process is not its doing.
ALTER TABLE jobs ADD COLUMN in_line INTEGER NOT NULL DEFAULT 0;
