//! Where the service's own root and signer are kept: `{data_dir}/credentials/`, one file each, key and certificates together.
//!
//! A file appears whole or not at all, and is on the disk before it is used. The root is written once, by a link that fails
//! where another process was first; the signer is replaced by a rename. So a crash half-way, or two processes at once, leave
//! one root, and a signer whose key and certificates belong together.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::CredentialsError;

/// Largest file that is read here or is brought by the operator, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Vault {
    folder: PathBuf,
}

impl Vault {
    /// Makes the folder, for the owner only, unless it is there.
    pub(super) fn open(data_dir: &Path) -> Result<Self, CredentialsError> {
        let folder = data_dir.join("credentials");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .and_then(|()| fs::set_permissions(&folder, Permissions::from_mode(0o700)))
            .map_err(failed("making", &folder))?;
        Ok(Self { folder })
    }

    pub(super) fn root_path(&self) -> PathBuf {
        self.folder.join("root.pem")
    }

    pub(super) fn signer_path(&self) -> PathBuf {
        self.folder.join("signer.pem")
    }

    /// The text of `path`, if it is there. Closes it to others first.
    pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, CredentialsError> {
        match fs::set_permissions(path, Permissions::from_mode(0o600)) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            closed => closed.map_err(failed("closing to others", path))?,
        }
        read_file(path).map(Some)
    }

    /// Writes `path`, unless it is there; either way its text is returned.
    pub(super) fn write_once(&self, path: &Path, text: &str) -> Result<Vec<u8>, CredentialsError> {
        self.publish(path, text, |fresh| match fs::hard_link(fresh, path) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => fs::remove_file(fresh),
            linked => linked.and_then(|()| fs::remove_file(fresh)),
        })?;
        read_file(path)
    }

    /// Writes `path`, in the place of what was there.
    pub(super) fn replace(&self, path: &Path, text: &str) -> Result<(), CredentialsError> {
        self.publish(path, text, |fresh| fs::rename(fresh, path))
    }

    fn publish(
        &self,
        path: &Path,
        text: &str,
        show: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<(), CredentialsError> {
        // Process and thread make the name; what a crash left behind under it is overwritten, never read.
        let name = format!(".fresh.{}.{:?}", std::process::id(), std::thread::current().id());
        let fresh = self.folder.join(name.replace(['(', ')'], ""));
        let write = || {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
            file.set_permissions(Permissions::from_mode(0o600))?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            show(&fresh)?;
            File::open(&self.folder)?.sync_all()
        };
        write().map_err(failed("writing", path))
    }
}

/// A file that the operator or this room put there, up to a bound.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, CredentialsError> {
    let read = || {
        let mut text = Vec::new();
        File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut text)?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(io::Error::new(ErrorKind::FileTooLarge, "it is larger than 1 MiB"));
        }
        Ok(text)
    };
    read().map_err(failed("reading", path))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CredentialsError {
    let path = path.to_owned();
    move |source| CredentialsError::File { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_to_write_once_wins_and_nothing_else_stays() {
        let data = tempfile::tempdir().unwrap();
        let vault = Vault::open(data.path()).unwrap();
        let path = vault.root_path();
        assert_eq!(Vault::read(&path).unwrap(), None);
        let seen: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..8)
                .map(|i| {
                    let (vault, path) = (&vault, &path);
                    scope.spawn(move || vault.write_once(path, &format!("text {i}")).unwrap())
                })
                .collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        assert!(seen.iter().all(|text| *text == seen[0]));
        assert_eq!(fs::read_dir(data.path().join("credentials")).unwrap().count(), 1);
        assert_eq!(vault.write_once(&path, "late").unwrap(), seen[0]);
    }

    #[test]
    fn only_the_owner_reads_also_what_somebody_opened_up() {
        let data = tempfile::tempdir().unwrap();
        let vault = Vault::open(data.path()).unwrap();
        let path = vault.signer_path();
        vault.replace(&path, "one").unwrap();
        vault.replace(&path, "two").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&data.path().join("credentials"))), (0o600, 0o700));
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Vault::read(&path).unwrap().unwrap(), b"two");
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_file_without_end_is_not_read_to_its_end() {
        let refused = read_file(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(refused.contains("1 MiB"), "{refused}");
    }
}
