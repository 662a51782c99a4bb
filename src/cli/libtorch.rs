//! Which libtorch the process runs with, and how its threads wait.
//!
//! The binary is linked against the lean CPU libtorch. The loader takes another one only from `LD_LIBRARY_PATH`, and
//! reads that when the process starts. So does libtorch's thread library with `OMP_WAIT_POLICY`. Where one of them is
//! not as it should be, the process starts itself once more.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::Failure;
use crate::config::load::process_vars;

const SEARCH_PATH: &str = "LD_LIBRARY_PATH";

/// libtorch's threads spin while they wait for each other, unless it says otherwise. On a machine that does anything
/// beside, they spin away the very time the others wait for: a picture of 10 steps took 53 to 87 s on two busy cores,
/// and 0.7 to 1.4 s with `passive`.
const WAIT_POLICY: &str = "OMP_WAIT_POLICY";
/// Whoever sets this has chosen.
const SPIN_COUNT: &str = "GOMP_SPINCOUNT";

/// Goes on in this process when `folder` is empty or already first in the search path, and somebody has said how
/// threads wait; else becomes a process for which it is so.
///
/// # Errors
/// When the process cannot be started anew.
pub fn enter(folder: &Path) -> Result<(), Failure> {
    let vars = process_vars();
    let value = |name: &str| vars.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let mut changes = Vec::new();
    if value(WAIT_POLICY).is_none() && value(SPIN_COUNT).is_none() {
        changes.push((WAIT_POLICY, OsString::from("passive")));
    }
    if let Some(path) = search_path(folder, value(SEARCH_PATH))? {
        changes.push((SEARCH_PATH, path));
    }
    if changes.is_empty() {
        return Ok(());
    }
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_else(|| "imgen".into());
    let failure = Command::new(std::env::current_exe()?).arg0(name).args(arguments).envs(changes).exec();
    Err(format!("cannot start again with libtorch's settings: {failure}").into())
}

/// The search path that has `folder` first, if `now` has not.
fn search_path(folder: &Path, now: Option<&str>) -> Result<Option<OsString>, Failure> {
    if folder.as_os_str().is_empty() {
        return Ok(None);
    }
    let folder = folder.canonicalize()?;
    let first = now.and_then(|paths| paths.split(':').next());
    if first.is_some_and(|first| Path::new(first) == folder) {
        return Ok(None);
    }
    let mut path = folder.into_os_string();
    if let Some(rest) = now.filter(|rest| !rest.is_empty()) {
        path.push(":");
        path.push(rest);
    }
    Ok(Some(path))
}
