//! Who signs, what a reader trusts, and what a manifest says when a request says nothing.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer};

use crate::config::complaints::Complaints;
use crate::storage::Secret;

/// Longest text of a default, in characters; the same bound that a request's `cs_*` has.
const MAX_TEXT_CHARS: usize = 1000;

/// The `[c2pa]` section. With nothing set, a private root, an intermediate and a certificate are made at the first start.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CredentialsConfig {
    /// Certificate chain in PEM, the signer's first, without the root. Empty: the service makes its own.
    pub chain_file: PathBuf,
    /// The certificate's P-256 key in PKCS#8 PEM, plain or encrypted (PBES2). Empty with `signer_command`.
    pub key_file: PathBuf,
    /// Password of an encrypted key; never printed.
    pub key_password: Secret,
    /// A program that signs instead of `key_file`: name and arguments, no shell. The bytes to sign come on its standard
    /// input; it answers with an ECDSA P-256 SHA-256 signature, raw (64 bytes) or DER, on its standard output.
    pub signer_command: Argv,
    /// How long that program may take, in seconds, 1 to 120.
    pub signer_timeout_s: u32,
    /// RFC 3161 time-stamp authority, `http://` or `https://`. Empty: no time-stamps.
    pub timestamp_url: String,
    /// What happens to a picture when the authority does not answer as it should.
    pub timestamp_policy: TimestampPolicy,
    /// How long the authority may take, in seconds, 1 to 120.
    pub timestamp_timeout_s: u32,
    /// More roots that readers here trust, in PEM: of the operator's chain, of time-stamp authorities, of others' pictures.
    pub trust_anchors_file: PathBuf,
    /// Author, where a request's `cs_author` is empty.
    pub author: String,
    /// Title, where `cs_title` is empty.
    pub title: String,
    /// Description, where `cs_description` is empty.
    pub description: String,
    /// Organization, where `cs_organization` is empty; also the name in the certificates that the service makes.
    pub organization: String,
    /// Vendor, where `cs_vendor` is empty.
    pub vendor: String,
    /// Whether manifests carry the prompt. Whoever gets the picture can then read it.
    pub include_prompt: bool,
}

/// Whether a picture may go out without the time-stamp that was configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimestampPolicy {
    /// No time-stamp, no picture.
    #[default]
    Required,
    /// Signed without one, and said so in the log.
    BestEffort,
}

/// A program and its arguments. In text: a JSON list (`["kms-sign", "--key", "a b"]`), or words between spaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Argv(pub Vec<String>);

impl Argv {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn parse(text: &str) -> Result<Self, String> {
        if text.trim_start().starts_with('[') {
            return serde_json::from_str(text)
                .map(Self)
                .map_err(|e| format!("is no JSON list of strings: {e}"));
        }
        Ok(Self(text.split_whitespace().map(str::to_owned).collect()))
    }
}

impl<'de> Deserialize<'de> for Argv {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a list of strings, or one string")]
        enum Said {
            List(Vec<String>),
            Text(String),
        }
        match Said::deserialize(deserializer)? {
            Said::List(words) => Ok(Self(words)),
            Said::Text(text) => Self::parse(&text).map_err(serde::de::Error::custom),
        }
    }
}

impl Default for CredentialsConfig {
    fn default() -> Self {
        Self {
            chain_file: PathBuf::new(),
            key_file: PathBuf::new(),
            key_password: Secret::default(),
            signer_command: Argv::default(),
            signer_timeout_s: 10,
            timestamp_url: String::new(),
            timestamp_policy: TimestampPolicy::default(),
            timestamp_timeout_s: 10,
            trust_anchors_file: PathBuf::new(),
            author: String::new(),
            title: String::new(),
            description: String::new(),
            organization: "imgen".to_owned(),
            vendor: String::new(),
            include_prompt: false,
        }
    }
}

impl CredentialsConfig {
    /// Whether the operator brought a chain, so that none is made here.
    pub(super) fn is_operators(&self) -> bool {
        !self.chain_file.as_os_str().is_empty()
    }

    /// Adds all that is wrong to `complaints`. Files are looked into by [`Credentials::open`](super::Credentials::open).
    pub fn validate(&self, complaints: &mut Complaints) {
        let mut complain = |field: &str, message: &str| complaints.add(format!("c2pa.{field}"), message);
        let has_key = !self.key_file.as_os_str().is_empty();
        match (self.is_operators(), has_key, !self.signer_command.is_empty()) {
            (true, false, false) => complain("key_file", "a chain needs key_file or signer_command"),
            (_, true, true) => complain("signer_command", "key_file and signer_command exclude each other"),
            (false, true, _) => complain("chain_file", "key_file needs the certificate chain"),
            (false, _, true) => complain("chain_file", "signer_command needs the certificate chain"),
            _ => {}
        }
        if !has_key && !self.key_password.is_empty() {
            complain("key_password", "there is no key_file to open with it");
        }
        if self.signer_command.0.first().is_some_and(String::is_empty) {
            complain("signer_command", "the program's name is empty");
        }
        if !self.timestamp_url.is_empty()
            && let Err(message) = check_url(&self.timestamp_url)
        {
            complain("timestamp_url", &message);
        }
        for (field, seconds) in
            [("signer_timeout_s", self.signer_timeout_s), ("timestamp_timeout_s", self.timestamp_timeout_s)]
        {
            if !(1..=120).contains(&seconds) {
                complain(field, &format!("{seconds} is not within 1 to 120"));
            }
        }
        for (field, text) in [
            ("author", &self.author),
            ("title", &self.title),
            ("description", &self.description),
            ("organization", &self.organization),
            ("vendor", &self.vendor),
        ] {
            if text.chars().count() > MAX_TEXT_CHARS {
                complain(field, &format!("is longer than {MAX_TEXT_CHARS} characters"));
            }
        }
        let organization = &self.organization;
        if organization.trim().is_empty() || organization.chars().any(char::is_control) {
            complain(
                "organization",
                "is the name in the certificates: it cannot be empty or hold control characters",
            );
        }
    }
}

fn check_url(url: &str) -> Result<(), String> {
    let uri: http::Uri = url.parse().map_err(|e| format!("{url:?} is no URL: {e}"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(format!("{url:?} must begin with http:// or https://"));
    }
    match uri.authority() {
        Some(authority) if authority.as_str().contains('@') => {
            Err("must not hold a user or password".to_owned())
        }
        Some(authority) if !authority.host().is_empty() => Ok(()),
        _ => Err(format!("{url:?} has no host")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(config: &CredentialsConfig) -> Vec<String> {
        let mut complaints = Complaints::default();
        config.validate(&mut complaints);
        complaints.0.into_iter().map(|c| c.place).collect()
    }

    #[test]
    fn the_default_is_valid_and_keeps_the_prompt_to_itself() {
        let config = CredentialsConfig::default();
        assert_eq!(places(&config), Vec::<String>::new());
        assert!(!config.include_prompt && !config.is_operators());
        assert_eq!(config.timestamp_policy, TimestampPolicy::Required);
    }

    #[test]
    fn a_signer_is_whole_or_is_complained_about() {
        let with = |chain: &str, key: &str, command: &str| {
            places(&CredentialsConfig {
                chain_file: chain.into(),
                key_file: key.into(),
                signer_command: Argv::parse(command).unwrap(),
                ..CredentialsConfig::default()
            })
        };
        assert_eq!(with("c", "k", ""), Vec::<String>::new());
        assert_eq!(with("c", "", "sign me"), Vec::<String>::new());
        assert_eq!(with("c", "", ""), ["c2pa.key_file"]);
        assert_eq!(with("c", "k", "sign me"), ["c2pa.signer_command"]);
        assert_eq!(with("", "k", ""), ["c2pa.chain_file"]);
        assert_eq!(with("", "", "sign me"), ["c2pa.chain_file"]);
    }

    #[test]
    fn all_complaints_come_at_once() {
        let config = CredentialsConfig {
            key_password: Secret::new("x"),
            timestamp_url: "file:///etc/passwd".to_owned(),
            signer_timeout_s: 0,
            timestamp_timeout_s: 121,
            title: "x".repeat(1001),
            organization: " ".to_owned(),
            ..CredentialsConfig::default()
        };
        let expected = [
            "key_password",
            "timestamp_url",
            "signer_timeout_s",
            "timestamp_timeout_s",
            "title",
            "organization",
        ];
        assert_eq!(places(&config), expected.map(|field| format!("c2pa.{field}")));
    }

    #[test]
    fn a_command_is_a_list_or_words() {
        let read =
            |text: &str| toml::from_str::<CredentialsConfig>(text).map(|config| config.signer_command.0);
        assert_eq!(read("signer_command = ['a', 'b c']").unwrap(), ["a", "b c"]);
        assert_eq!(read("signer_command = 'a  b'").unwrap(), ["a", "b"]);
        assert_eq!(read("signer_command = '[\"a\", \"b c\"]'").unwrap(), ["a", "b c"]);
        assert!(read("signer_command = '[1]'").is_err());
        assert!(read("signer_command = 1").is_err());
    }
}
