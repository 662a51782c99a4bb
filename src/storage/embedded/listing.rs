//! Pages of names, in order.
//!
//! Files lie by hash, so a page is made by reading every footer of the bucket. Only operators list; the service never
//! does. An index would be a second source of what is there, to be kept true across crashes.

use std::collections::BTreeMap;
use std::io::Result;

use super::folder::Folder;
use super::footer::Footer;

/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) prefix: String,
    /// Names that share what is before it, after the prefix, are given as one.
    pub(super) delimiter: Option<String>,
    /// Only names after this one.
    pub(super) after: Option<String>,
    pub(super) max_keys: usize,
}

/// A line of a page.
#[derive(Debug)]
pub(super) enum Entry {
    Object(Box<Footer>),
    CommonPrefix,
}

/// The first `max_keys` names after `after`, and whether there are more.
pub(super) fn page(folder: &Folder, bucket: &str, query: &Query) -> Result<(BTreeMap<String, Entry>, bool)> {
    let mut entries = BTreeMap::new();
    let mut truncated = false;
    folder.for_each(bucket, |footer| {
        let Some(rest) = footer.key.strip_prefix(&query.prefix) else { return };
        let group = query.delimiter.as_deref().and_then(|d| rest.find(d).map(|at| at + d.len()));
        let (name, entry) = match group {
            Some(length) => (footer.key[..query.prefix.len() + length].to_owned(), Entry::CommonPrefix),
            None => (footer.key.clone(), Entry::Object(Box::new(footer))),
        };
        if query.after.as_ref().is_some_and(|after| name <= *after) {
            return;
        }
        entries.insert(name, entry);
        // Never more than one page in memory.
        if entries.len() > query.max_keys {
            entries.pop_last();
            truncated = true;
        }
    })?;
    Ok((entries, truncated))
}
