//! A place: the S3 client, the embedded store, object keys.
