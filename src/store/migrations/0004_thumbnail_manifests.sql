-- SHA-256 of the thumbnail's manifest store, by which it is known again. NULL where nothing was signed, and in records from
-- before: their thumbnails lead here by mark or likeness only.
ALTER TABLE records ADD COLUMN thumbnail_manifest_sha256 BLOB CHECK (length(thumbnail_manifest_sha256) = 32);
