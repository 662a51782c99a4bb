//! The checkpoints that presets name, tried: at the start, and when somebody says that their files may be others.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::config::complaints::Complaints;
use crate::diffusion::{Engine, ModelInfo};
use crate::plan::weights_name;
use crate::presets::Shelf;

/// By [`weights_name`]: what a checkpoint is, or why it cannot be drawn with.
pub type Found = (String, Result<ModelInfo, String>);

/// Loads each checkpoint once, off the event loop: gigabytes are read and hashed. One that cannot be loaded takes its models
/// away; where none can, that is a complaint.
pub(crate) async fn probe(engine: Engine, presets: Arc<Shelf>, complaints: &mut Complaints) -> Vec<Found> {
    let tried = tokio::task::spawn_blocking(move || try_all(&engine, &presets)).await;
    let found = tried.unwrap_or_else(|error| {
        complaints.add("diffusion", error.to_string());
        Vec::new()
    });
    if found.iter().all(|(_, found)| found.is_err()) {
        for (name, found) in &found {
            if let Err(reason) = found {
                complaints.add(name, reason);
            }
        }
    }
    found
}

/// Tries all anew, with their files as they are now. Blocks.
pub(crate) fn try_again(engine: &Engine, presets: &Shelf) {
    let found = try_all(engine, presets);
    presets.unavailable().forget();
    note(&found, presets);
}

/// Models of what cannot be loaded are unavailable for a while; of the others it is known what they are.
pub(crate) fn note(found: &[Found], presets: &Shelf) {
    for (weights, found) in found {
        match found {
            Ok(model) => presets.loaded().note(weights, model.files.clone()),
            Err(reason) => {
                tracing::error!(weights, reason, "its models are unavailable");
                presets.unavailable().note(weights, reason);
            }
        }
    }
}

fn try_all(engine: &Engine, presets: &Shelf) -> Vec<Found> {
    let (now, models_dir) = (presets.now(), presets.models_dir());
    let named: BTreeSet<_> = now.models.values().map(|model| (&model.checkpoint, &model.vae)).collect();
    let probe = |(checkpoint, vae): (&String, &Option<String>)| {
        let vae_path = vae.as_ref().map(|vae| models_dir.join(vae));
        let found = engine.probe(&models_dir.join(checkpoint), vae_path.as_deref());
        (weights_name(checkpoint, vae.as_deref()), found.map_err(|error| error.to_string()))
    };
    named.into_iter().map(probe).collect()
}
