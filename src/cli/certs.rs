//! `imgen certs`: the certificates that pictures are signed with.

use clap::Subcommand;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Failure;
use crate::config::Config;
use crate::credentials::Credentials;

/// What can be asked of the certificates. At the first call they are made, as at the first start.
#[derive(Debug, Subcommand)]
pub enum CertsCommand {
    /// Print the service's own root certificate (PEM), for readers to trust
    Root,
    /// Show the chain that signs: subjects, ends, fingerprints
    Show,
}

/// Opens the certificates as serving does, so what is printed is what signs.
pub fn run(command: &CertsCommand, config: &Config) -> Result<(), Failure> {
    let credentials = Credentials::open(&config.c2pa, &config.store.data_dir, OffsetDateTime::now_utc())?;
    match command {
        CertsCommand::Root => {
            match credentials.root_pem() {
                Some(pem) => print!("{pem}"),
                None => return Err(
                    "the operator's chain signs (c2pa.chain_file); its root is the operator's to give out"
                        .into(),
                ),
            }
        }
        CertsCommand::Show => {
            for certificate in credentials.chain().certificates() {
                println!("subject      {}", certificate.subject);
                println!("issuer       {}", certificate.issuer);
                println!(
                    "valid        {} to {}",
                    moment(certificate.not_before),
                    moment(certificate.not_after)
                );
                println!("sha256       {}\n", certificate.fingerprint());
            }
        }
    }
    Ok(())
}

fn moment(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}
