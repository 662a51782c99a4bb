//! The files: where an object lies, reading and removing it. Blocking; nothing here knows S3's protocol.
//!
//! `{folder}/{bucket}/{2 hex}/{2 hex}/{sha256 of bucket, slash, key}`. A name is never a path: `../x`, `a` beside `a/b`,
//! 1024 bytes of unicode or a leading dot are all 64 hexadecimal characters.

use std::fs::{self, DirBuilder, File};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::EmbeddedError;
use super::draft::{self, Draft};
use super::footer::Footer;

/// Where objects are written before they are visible; no bucket name begins with a dot.
const SPOOL: &str = ".spool";

/// The root of the store.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: PathBuf,
    max_object_bytes: u64,
}

/// An object, open: what it holds stays readable whatever is put or deleted meanwhile.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) file: File,
    pub(super) footer: Footer,
}

impl Folder {
    pub(super) fn open(root: &Path, max_object_bytes: u64) -> std::result::Result<Self, EmbeddedError> {
        let spool = root.join(SPOOL);
        let failed = |doing, path: &Path| {
            let path = path.to_owned();
            move |source| EmbeddedError::File { doing, path, source }
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&spool)
            .map_err(failed("making the folder", &spool))?;
        sync_folder(root).map_err(failed("making the folder", root))?;
        let removed = draft::sweep(&spool).map_err(failed("cleaning up", &spool))?;
        if removed > 0 {
            tracing::info!(removed, "removed half-written objects that a crash had left");
        }
        Ok(Self { root: root.to_owned(), max_object_bytes })
    }

    pub(super) fn max_object_bytes(&self) -> u64 {
        self.max_object_bytes
    }

    /// Returns whether the bucket is new.
    pub(super) fn create_bucket(&self, bucket: &str) -> Result<bool> {
        make_folder(&self.bucket_path(bucket)?)
    }

    pub(super) fn has_bucket(&self, bucket: &str) -> bool {
        self.bucket_path(bucket).is_ok_and(|path| path.is_dir())
    }

    pub(super) fn begin(&self) -> Result<Draft> {
        Draft::begin(&self.root.join(SPOOL), self.max_object_bytes)
    }

    /// Puts `draft` where `bucket` and `footer.key` say.
    ///
    /// # Errors
    /// `NotFound` without such a bucket; `AlreadyExists` where `only_new` and there is such an object.
    pub(super) fn publish(&self, draft: Draft, bucket: &str, footer: &Footer, only_new: bool) -> Result<()> {
        let path = self.object_path(bucket, &footer.key)?;
        let folders: Vec<&Path> = path.ancestors().skip(1).take(2).collect();
        for folder in folders.into_iter().rev() {
            make_folder(folder)?;
        }
        draft.publish(&path, footer, only_new)
    }

    /// # Errors
    /// `NotFound` where there is no such object; `InvalidData` where its file is damaged.
    pub(super) fn object(&self, bucket: &str, key: &str) -> Result<Object> {
        let file = File::open(self.object_path(bucket, key)?)?;
        let footer = Footer::read(&file)?;
        if footer.key != key {
            return Err(Error::new(ErrorKind::InvalidData, "damaged object: it has another's name"));
        }
        Ok(Object { file, footer })
    }

    /// Removes the object and all that is known of it. Returns whether it was there.
    pub(super) fn delete(&self, bucket: &str, key: &str) -> Result<bool> {
        let path = self.object_path(bucket, key)?;
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(false),
            Err(e) => return Err(e),
        }
        sync_folder(path.parent().unwrap_or(&self.root))?;
        Ok(true)
    }

    /// Calls `each` with what is known of every object of the bucket, in no order.
    pub(super) fn for_each(&self, bucket: &str, mut each: impl FnMut(Footer)) -> Result<()> {
        for outer in fs::read_dir(self.bucket_path(bucket)?)? {
            for inner in fs::read_dir(outer?.path())? {
                for file in fs::read_dir(inner?.path())? {
                    let path = file?.path();
                    match File::open(&path).and_then(|file| Footer::read(&file)) {
                        Ok(footer) => each(footer),
                        Err(e) if e.kind() == ErrorKind::NotFound => {}
                        // One damaged file must not hide all others.
                        Err(error) => tracing::error!(%error, ?path, "an object cannot be listed"),
                    }
                }
            }
        }
        Ok(())
    }

    /// The bucket's own name is a folder's; the S3 rules for it leave no dot at the front and no slash.
    fn bucket_path(&self, bucket: &str) -> Result<PathBuf> {
        if s3s::path::check_bucket_name(bucket) {
            Ok(self.root.join(bucket))
        } else {
            Err(Error::new(ErrorKind::InvalidInput, "not a bucket's name"))
        }
    }

    fn object_path(&self, bucket: &str, key: &str) -> Result<PathBuf> {
        let name = hex::encode(Sha256::digest(format!("{bucket}/{key}")));
        Ok(self.bucket_path(bucket)?.join(&name[..2]).join(&name[2..4]).join(name))
    }
}

/// Makes one folder for the owner only, durably. Returns whether it is new; its parent must be there.
fn make_folder(path: &Path) -> Result<bool> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(e) => return Err(e),
    }
    path.parent().map_or(Ok(()), sync_folder)?;
    Ok(true)
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(path: &Path) -> Result<()> {
    File::open(path)?.sync_all()
}
