//! Whom a reader here trusts, and what it never does.

use std::path::Path;
use std::sync::Arc;

use c2pa::Context;
use c2pa::settings::Settings;

use super::chain;
use super::config::CredentialsConfig;
use super::error::CredentialsError;
use super::own_root::OwnRoot;
use super::vault;

/// c2pa files ingredients as gathered unless told otherwise; which picture a thumbnail was made from is the signer's own word.
const INGREDIENT: &str = "c2pa.ingredient";
/// Largest manifest that is decompressed, in MB.
const MAX_DECOMPRESSED_MB: usize = 16;

/// Roots in PEM: the service's own, one that it made before the operator brought a chain, and the configured ones.
pub(super) fn anchors(
    config: &CredentialsConfig,
    own: Option<&OwnRoot>,
    data_dir: &Path,
) -> Result<String, CredentialsError> {
    let mut pem = match own {
        Some(own) => own.pem().to_owned(),
        None => OwnRoot::earlier(data_dir)?.unwrap_or_default(),
    };
    let path = &config.trust_anchors_file;
    if !path.as_os_str().is_empty() {
        let text = vault::read_file(path)?;
        chain::certificates(&text, path)?;
        pem.push_str(&String::from_utf8_lossy(&text));
    }
    Ok(pem)
}

/// Settings of signing and reading alike: anchors, no thumbnails of c2pa's making, no network.
pub(super) fn context(anchors: &str) -> Result<Arc<Context>, CredentialsError> {
    let settings = || {
        let mut settings = Settings::new()
            .with_value("builder.thumbnail.enabled", false)?
            .with_value("builder.created_assertion_labels", [INGREDIENT])?
            .with_value("verify.remote_manifest_fetch", false)?
            .with_value("verify.ocsp_fetch", false)?
            .with_value("core.allowed_network_hosts", Vec::<String>::new())?
            .with_value("core.max_decompressed_manifest_size_in_mb", MAX_DECOMPRESSED_MB)?;
        if !anchors.is_empty() {
            settings = settings.with_value("trust.user_anchors", anchors)?;
        }
        Context::new().with_settings(settings)
    };
    let made: c2pa::Result<Context> = settings();
    made.map(Arc::new).map_err(|e| CredentialsError::Signing { detail: e.to_string() })
}
