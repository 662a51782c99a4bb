//! `imgen verify`: a copy of a picture, back to its record, without a server.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::Value;
use time::format_description::well_known::Rfc3339;

use super::{Failure, LOCAL_LIMITS, files};
use crate::config::Config;
use crate::credentials::Reader;
use crate::finish::invisible_mark::readers;
use crate::plan::record_name;
use crate::store::{Record, Records};
use crate::verify::{Examined, Verifier};

/// What `imgen verify` takes.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// A JPEG, PNG, WebP or AVIF
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print the facts as JSON
    #[arg(long)]
    pub json: bool,
}

/// Examines one file; looks into the data folder's records where there are any, and changes nothing.
pub fn run(arguments: &VerifyArgs, config: &Config) -> Result<(), Failure> {
    let verifier = Verifier::new(
        Reader::open(&config.c2pa, &config.store.data_dir)?,
        readers(config.mark.open()?),
        Records::open(&config.store)?,
        LOCAL_LIMITS,
    );
    let place = arguments.file.display();
    let bytes = files::read(&arguments.file)?;
    let examined = verifier.examine(&bytes).map_err(|error| format!("{place}: {error}"))?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&examined.report())?)?;
    } else {
        write!(out, "{}", told(&examined))?;
    }
    Ok(())
}

/// A few lines for a person.
fn told(examined: &Examined) -> String {
    let Examined { evidence, near, verdict } = examined;
    let mut lines = Vec::new();
    lines.push(match (verdict.record_by.or(verdict.layer), &verdict.record) {
        (None, _) => "verdict   nothing leads to a record here, which proves nothing".to_owned(),
        (Some(layer), Some(record)) => {
            format!(
                "verdict   {}: record {} by {}",
                verdict.sure.words(),
                record_name(record.record_id),
                layer.name()
            )
        }
        (Some(layer), None) => {
            format!("verdict   {} by {}; the record is not kept here", verdict.sure.words(), layer.name())
        }
    });
    for finding in &verdict.findings {
        lines.push(format!("mind      {}", finding.message));
    }
    let c2pa = &evidence.c2pa;
    lines.push(match c2pa.state {
        None => "c2pa      none".to_owned(),
        Some(state) => format!("c2pa      {state:?} {}", c2pa.manifest_id.as_deref().unwrap_or_default()),
    });
    lines.extend(c2pa.reasons.iter().map(|reason| format!("          {reason}")));
    lines.push(match &evidence.mark {
        None => "mark      none".to_owned(),
        Some(found) => format!(
            "mark      {}, {} of {} bits put right, confidence {:.3} ({})",
            record_name(found.detection.payload),
            found.detection.bit_errors,
            found.detection.coded_bits,
            found.detection.confidence,
            found.alg
        ),
    });
    lines.push(match &evidence.looks {
        None => "pdq       none".to_owned(),
        Some(looks) => format!("pdq       {}, quality {}", looks.hash, looks.quality),
    });
    lines.extend(
        near.iter()
            .map(|near| format!("          {} at distance {}", record_name(near.record_id), near.distance)),
    );
    if let Some(record) = &verdict.record {
        lines.extend(facts(record));
    }
    lines.join("\n") + "\n"
}

fn facts(record: &Record) -> Vec<String> {
    let mut lines = vec![
        format!("made      {}", record.created_at.format(&Rfc3339).unwrap_or_default()),
        format!("job       {}, picture {}", record.job_id, record.picture_index + 1),
    ];
    for name in ["prompt", "negative", "model", "style", "character", "seed", "steps", "guidance", "sampler"]
    {
        match &record.facts[name] {
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            Value::String(text) => lines.push(format!("{name:10}{text}")),
            other => lines.push(format!("{name:10}{other}")),
        }
    }
    lines
}
