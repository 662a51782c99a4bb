//! Which libtorch the process runs with.
//!
//! The binary is linked against the lean CPU libtorch. The loader takes another one only from `LD_LIBRARY_PATH`, and
//! reads that when the process starts; so where a GPU's libtorch is named, the process starts itself once more.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::Failure;
use crate::config::load::process_vars;

const SEARCH_PATH: &str = "LD_LIBRARY_PATH";

/// Goes on in this process when `folder` is empty or already first in the search path; else becomes a process for
/// which it is.
///
/// # Errors
/// When the process cannot be started anew.
pub fn enter(folder: &Path) -> Result<(), Failure> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    let folder = folder.canonicalize()?;
    let now = process_vars().into_iter().find(|(name, _)| name == SEARCH_PATH).map(|(_, value)| value);
    let first = now.as_deref().and_then(|paths| paths.split(':').next());
    if first.is_some_and(|first| Path::new(first) == folder) {
        return Ok(());
    }
    let mut path = folder.into_os_string();
    if let Some(rest) = now.filter(|rest| !rest.is_empty()) {
        path.push(":");
        path.push(rest);
    }
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_else(|| "imgen".into());
    let failure =
        Command::new(std::env::current_exe()?).arg0(name).args(arguments).env(SEARCH_PATH, path).exec();
    Err(format!("cannot start again with the named libtorch: {failure}").into())
}
