//! Access key and secret of the store inside this process, minted once.

use std::fs::{self, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::EmbeddedError;
use crate::storage::config::Secret;

/// Name of the file in the store's folder; no bucket name begins with a dot.
const FILE: &str = ".keys.json";

/// The pair that signs requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    pub access_key: String,
    pub secret_key: Secret,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    access_key: String,
    secret_key: String,
}

/// Reads the keys of `folder`, or mints them. Two processes that start at once end with the same pair.
pub(super) fn read_or_mint(folder: &Path) -> Result<Keys, EmbeddedError> {
    let path = folder.join(FILE);
    let failed = |doing| {
        let path = path.clone();
        move |source| EmbeddedError::File { doing, path, source }
    };
    if !path.exists() {
        let [id, secret] = [chance::<8>()?, chance::<32>()?];
        let minted = Stored { access_key: format!("IMGEN{}", id.to_uppercase()), secret_key: secret };
        let fresh = folder.join(format!("{FILE}.{id}"));
        let text = serde_json::to_string(&minted)
            .map_err(|e| EmbeddedError::Keys { path: path.clone(), detail: e.to_string() })?;
        let written = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            // A link fails where another process was first; its keys are then the ones to read.
            .and_then(|()| match fs::hard_link(&fresh, &path) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
                linked => linked,
            });
        let removed = fs::remove_file(&fresh);
        written.and(removed).map_err(failed("writing keys to"))?;
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("writing keys to"))?;
    }
    fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed("closing to others"))?;
    let text = fs::read_to_string(&path).map_err(failed("reading"))?;
    let stored: Stored = serde_json::from_str(&text)
        .map_err(|e| EmbeddedError::Keys { path: path.clone(), detail: e.to_string() })?;
    if stored.access_key.is_empty() || stored.secret_key.len() < 16 {
        return Err(EmbeddedError::Keys { path, detail: "too short".to_owned() });
    }
    Ok(Keys { access_key: stored.access_key, secret_key: Secret::new(stored.secret_key) })
}

/// `N` random bytes in hexadecimal.
fn chance<const N: usize>() -> Result<String, EmbeddedError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(EmbeddedError::Chance)?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minted_once_and_for_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let keys = read_or_mint(folder.path()).unwrap();
        assert_eq!(keys.access_key.len(), 21);
        assert_eq!(keys.secret_key.reveal().len(), 64);
        assert_eq!(read_or_mint(folder.path()).unwrap(), keys);
        let file = folder.path().join(FILE);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no other file stays");
        fs::write(&file, "{}").unwrap();
        let refused = read_or_mint(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("access key"), "{refused}");
    }

    #[test]
    fn many_at_once_agree() {
        let folder = tempfile::tempdir().unwrap();
        let minted: Vec<Keys> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| read_or_mint(folder.path()).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(minted.iter().all(|keys| *keys == minted[0]));
    }
}
