//! `imgen check`: configuration, presets, weights and storage, everything that is wrong at once.

use super::Failure;
use crate::app::{AppError, Rooms};
use crate::config::Config;
use crate::enhance::EnhanceError;
use crate::presets::Counts;

/// Opens everything that serving needs, except the queue, which a running service may hold.
pub fn run(config: &Config) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let rooms = runtime.block_on(Rooms::open(config)).map_err(AppError::Complaints)?;
    println!("configuration  ok");
    let Counts { models, styles, characters, loras, recipes } = rooms.presets.now().counts();
    println!(
        "presets        ok: models {models}, styles {styles}, characters {characters}, LoRAs {loras}, recipes {recipes}"
    );
    let mut broken = Vec::new();
    for (name, found) in &rooms.models {
        match found {
            Ok(model) => println!(
                "weights        ok: {name}, {} M parameters, {} on {}",
                model.parameters / 1_000_000,
                model.dtype,
                model.device
            ),
            Err(reason) => {
                println!("weights        unusable: {name}: {reason}");
                broken.push(name.as_str());
            }
        }
    }
    let picture_filter =
        rooms.filter.check().map(|()| "it looks at pictures").map_err(|error| error.to_string())?;
    println!("compliance     ok: policy {}, {picture_filter}", rooms.reviewer.version());
    // It stops nothing but itself.
    match config.enhance.open().check() {
        Ok(what) => println!("enhancement    ok: {what}"),
        Err(EnhanceError::Disabled) => println!("enhancement    none, as configured: `optimize` answers 502"),
        Err(error) => println!("enhancement    missing: {error}; `optimize` answers 502"),
    }
    let place = config.storage.endpoint.as_deref().unwrap_or("embedded");
    println!("storage        ok: {place}, an object was put, read and deleted");
    if broken.is_empty() {
        return Ok(());
    }
    Err(format!("checkpoints that cannot be drawn with: {}", broken.join(", ")).into())
}
