//! `imgen keys`: create, list, enable, disable, revoke, tighten. A running service notices within seconds.

use clap::Subcommand;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Failure, print_lines};
use crate::compliance::{Category, Mode, Tightened};
use crate::config::Config;
use crate::store::{KeyChange, KeyDesk, KeyInfo, ids};

/// What can be done with keys. A key is named by its number, its name, or the first characters of its token.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key; its token is printed once and stored hashed
    Create { name: String },
    /// List all keys with their request counts, and how much stricter than the policy they are
    List,
    /// Let a disabled key in again
    Enable { key: String },
    /// Refuse a key until it is enabled again
    Disable { key: String },
    /// Refuse a key for good
    Revoke { key: String },
    /// Review a key's requests more strictly than the policy: `imgen keys tighten KEY sexual=block violence=flag` in place of what was said before; none for as the policy says
    Tighten {
        key: String,
        #[arg(value_name = "CATEGORY=MODE", value_parser = tightening)]
        modes: Vec<(Category, Mode)>,
    },
}

/// `violence=block`
fn tightening(text: &str) -> Result<(Category, Mode), String> {
    let (category, mode) = text.split_once('=').ok_or("write it as category=flag or category=block")?;
    match Tightened::one(category, mode)? {
        (_, Mode::Off) => Err("a key can be stricter than the policy, never laxer: flag or block".to_owned()),
        stricter => Ok(stricter),
    }
}

/// Runs one command on the database in the data folder.
pub fn run(command: KeysCommand, config: &Config) -> Result<(), Failure> {
    let mut desk = KeyDesk::open(&config.store, OffsetDateTime::now_utc())?;
    match command {
        KeysCommand::Create { name } => {
            let made = desk.create(&name, ids::os_random()?)?;
            println!("{}", made.token);
            eprintln!("key {} ({name}); it is not shown again", made.id);
        }
        KeysCommand::List => list(&desk.list()?)?,
        KeysCommand::Enable { key } => change(&mut desk, &key, KeyChange::Enable)?,
        KeysCommand::Disable { key } => change(&mut desk, &key, KeyChange::Disable)?,
        KeysCommand::Revoke { key } => change(&mut desk, &key, KeyChange::Revoke)?,
        KeysCommand::Tighten { key, modes } => {
            let id = find(&desk.list()?, &key)?;
            desk.tighten(id, &modes.into_iter().collect())?;
        }
    }
    Ok(())
}

fn change(desk: &mut KeyDesk, named: &str, made: KeyChange) -> Result<(), Failure> {
    let keys = desk.list()?;
    let id = find(&keys, named)?;
    if desk.change(id, made)? { Ok(()) } else { Err(format!("key {id} is revoked, and stays so").into()) }
}

fn find(keys: &[KeyInfo], named: &str) -> Result<i64, Failure> {
    let found: Vec<_> = keys
        .iter()
        .filter(|key| {
            let called = key.name == named || key.prefix == named;
            // A revoked key leaves its name free for the next.
            key.id.to_string() == named || called && key.revoked_at.is_none()
        })
        .collect();
    match found.as_slice() {
        [key] => Ok(key.id),
        [] => Err(format!("no key is called `{named}`; `imgen keys list` shows them").into()),
        _ => Err(format!("several keys are called `{named}`; use the number").into()),
    }
}

fn list(keys: &[KeyInfo]) -> Result<(), Failure> {
    let head = format!(
        "{:>4}  {:<20}  {:<14}  {:<8}  {:>9}  {:<20}  {:<20}  stricter",
        "id", "name", "token", "state", "requests", "created", "last used"
    );
    let line = |key: &KeyInfo| {
        let state = match (key.revoked_at, key.enabled) {
            (Some(_), _) => "revoked",
            (None, true) => "enabled",
            (None, false) => "disabled",
        };
        format!(
            "{:>4}  {:<20}  {:<14}  {state:<8}  {:>9}  {:<20}  {:<20}  {}",
            key.id,
            key.name,
            format!("{}…", key.prefix),
            key.request_count,
            moment(Some(key.created_at)),
            moment(key.last_used_at),
            if key.tightened.is_empty() { "-".to_owned() } else { key.tightened.to_string() }
        )
    };
    print_lines(std::iter::once(head).chain(keys.iter().map(line)))
}

fn moment(at: Option<OffsetDateTime>) -> String {
    at.and_then(|at| at.replace_nanosecond(0).ok()?.format(&Rfc3339).ok())
        .unwrap_or_else(|| "never".to_owned())
}
