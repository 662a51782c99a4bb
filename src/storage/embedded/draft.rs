//! An object being written: spooled out of sight, synced, then renamed into place.

use std::fs::{self, File, TryLockError};
use std::io::{Error, ErrorKind, Result, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::folder::sync_folder;
use super::footer::Footer;

/// A file in the spool folder, gone unless published.
///
/// Its writer holds a lock on it, which the kernel lets go when the writer dies: so whoever can take the lock of a
/// spooled file knows that nobody is writing it.
#[derive(Debug)]
pub(super) struct Draft {
    file: File,
    path: PathBuf,
    length_bytes: u64,
    max_bytes: u64,
}

impl Draft {
    /// Begins an object of at most `max_bytes` in the folder `spool`.
    pub(super) fn begin(spool: &Path, max_bytes: u64) -> Result<Self> {
        loop {
            let mut token = [0; 16];
            getrandom::fill(&mut token).map_err(|e| Error::other(e.to_string()))?;
            let path = spool.join(hex::encode(token));
            let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.lock()?;
            // A sweep may have taken it between the two calls; then it has no name any more.
            if file.metadata()?.nlink() > 0 {
                return Ok(Self { file, path, length_bytes: 0, max_bytes });
            }
        }
    }

    /// Bytes written so far.
    pub(super) fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    /// # Errors
    /// `FileTooLarge` past `max_bytes`.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.length_bytes += bytes.len() as u64;
        if self.length_bytes > self.max_bytes {
            return Err(Error::new(ErrorKind::FileTooLarge, "the object is larger than this store takes"));
        }
        self.file.write_all(bytes)
    }

    /// Makes the object visible at `path`, durably: when this returns, a power cut does not take it back.
    ///
    /// # Errors
    /// `AlreadyExists` where `only_new` and there is one at `path`.
    pub(super) fn publish(mut self, path: &Path, footer: &Footer, only_new: bool) -> Result<()> {
        self.file.write_all(&footer.encode()?)?;
        self.file.sync_all()?;
        let folder = path.parent().ok_or_else(|| Error::other("an object lies in no folder"))?;
        if only_new {
            fs::hard_link(&self.path, path)?;
        } else {
            fs::rename(&self.path, path)?;
        }
        sync_folder(folder)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename there is nothing to remove; any other leftover goes with the next sweep.
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes what crashed writers left in `spool`, and nothing that is being written. Returns how many.
pub(super) fn sweep(spool: &Path) -> Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(spool)? {
        let path = entry?.path();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            Err(e) => return Err(e),
        };
        match file.try_lock() {
            Ok(()) => match fs::remove_file(&path) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
                _ => removed += 1,
            },
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(e)) => return Err(e),
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_takes_what_crashed_and_leaves_what_is_written() {
        let spool = tempfile::tempdir().unwrap();
        let mut live = Draft::begin(spool.path(), 100).unwrap();
        fs::write(spool.path().join("left-by-a-crash"), "half").unwrap();
        assert_eq!(sweep(spool.path()).unwrap(), 1);
        live.write(b"more").unwrap();
        assert_eq!(fs::read(&live.path).unwrap(), b"more");
        drop(live);
        assert_eq!(fs::read_dir(spool.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_cap_holds_across_writes() {
        let spool = tempfile::tempdir().unwrap();
        let mut draft = Draft::begin(spool.path(), 8).unwrap();
        draft.write(&[0; 8]).unwrap();
        assert_eq!(draft.write(&[0]).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }
}
