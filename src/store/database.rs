//! Opening the database file, and holding the data folder for one process.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{StoreConfig, StoreError, migrations};

/// The write-ahead log is cut back to this size, in bytes, after a checkpoint.
const WAL_LIMIT_BYTES: i64 = 64 << 20;

/// A connection that writes: folder and file made where missing, schema brought up to date.
pub(super) fn open(config: &StoreConfig) -> Result<Connection, StoreError> {
    make_folder(&config.data_dir)?;
    let path = resolved(config)?;
    // SQLite gives the -wal and -shm files the mode of the database itself.
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| StoreError::Folder { path: path.clone(), detail: error.to_string() })?;
    let at = StoreError::at(&path);
    let mut connection = Connection::open_with_flags(
        &path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW,
    )
    .map_err(&at)?;
    set_up(&connection, config).map_err(&at)?;
    let found = migrations::version(&connection)?;
    if found > migrations::KNOWN {
        return Err(StoreError::TooNew { path: path.clone(), found, known: migrations::KNOWN });
    }
    migrations::migrate(&mut connection)?;
    Ok(connection)
}

/// A connection that only reads, for jobs that have left memory.
pub(super) fn open_reader(config: &StoreConfig) -> Result<Connection, StoreError> {
    let path = resolved(config)?;
    let connection = Connection::open_with_flags(
        &path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW,
    )?;
    connection.busy_timeout(Duration::from_millis(config.busy_timeout_ms))?;
    Ok(connection)
}

/// [`open_reader`], with the schema that was found; `None` where there is no database yet.
///
/// # Errors
/// One that is newer than this program, or cannot be read.
pub(super) fn open_known(config: &StoreConfig) -> Result<Option<(Connection, u32)>, StoreError> {
    let path = config.database();
    if !path.exists() {
        return Ok(None);
    }
    let connection = open_reader(config)?;
    let found = migrations::version(&connection)?;
    if found > migrations::KNOWN {
        return Err(StoreError::TooNew { path, found, known: migrations::KNOWN });
    }
    Ok(Some((connection, found)))
}

/// The database's path with its folder's links followed: an operator may link the folder to another disk, while a link in
/// the file's own place is refused when it is opened.
fn resolved(config: &StoreConfig) -> Result<PathBuf, StoreError> {
    let path = config.database();
    let failed = |error: std::io::Error| StoreError::Folder { path: path.clone(), detail: error.to_string() };
    let folder = config.data_dir.canonicalize().map_err(failed)?;
    Ok(path.file_name().map_or(path.clone(), |name| folder.join(name)))
}

fn set_up(connection: &Connection, config: &StoreConfig) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_millis(config.busy_timeout_ms))?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update_and_check(None, "journal_size_limit", WAL_LIMIT_BYTES, |_| Ok(()))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Refuses a damaged file. Reads the whole of it.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let said: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(StoreError::at(path))?;
    if said == "ok" {
        Ok(())
    } else {
        Err(StoreError::Corrupt { path: path.display().to_string(), detail: said })
    }
}

/// Holds the data folder for this process until the file is dropped; a crash lets go of it too.
pub(super) fn hold(config: &StoreConfig) -> Result<File, StoreError> {
    make_folder(&config.data_dir)?;
    let path = config.lock();
    let failed = |error: std::io::Error| StoreError::Folder { path: path.clone(), detail: error.to_string() };
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            file.read_to_string(&mut pid).map_err(failed)?;
            return Err(StoreError::Held { path: config.data_dir.clone(), pid: pid.trim().to_owned() });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    // The number is only for the message above; without it (a full disk) the lock holds all the same.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}

fn make_folder(path: &Path) -> Result<(), StoreError> {
    let failed =
        |error: std::io::Error| StoreError::Folder { path: path.to_owned(), detail: error.to_string() };
    match std::fs::metadata(path) {
        Ok(there) => {
            if there.mode() & 0o077 != 0 {
                tracing::warn!(path = %path.display(), "others on this machine can look into the data folder");
            }
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}
