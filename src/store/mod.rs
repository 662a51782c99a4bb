//! The only SQL: SQLite, one writer, durable before answered.
