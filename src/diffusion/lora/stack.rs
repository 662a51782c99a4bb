//! What is merged into the weights of one checkpoint.
//!
//! A weight that is to change is copied first, and what is merged is computed in f32 from that copy and rounded once.
//! Going back is copying it back: nothing is ever subtracted, so no rounding stays behind.

use std::collections::{BTreeMap, HashMap};

use tch::{Kind, Tensor};

use super::delta::Delta;
use super::file::is_finite;
use super::keys::{ModuleName, Network, guess};
use super::lora_file::LoraFile;
use super::names;
use super::shelf::ChosenLora;
use super::{AppliedLora, LoraError};
use crate::diffusion::checkpoint::LiveWeights;

#[derive(Debug)]
pub(in crate::diffusion) struct LoraStack {
    /// Places in `weights`.
    modules: HashMap<ModuleName, usize>,
    weights: Vec<Weight>,
    /// None while the weights are being changed, and after a panic in the midst of it.
    merged: Option<Vec<AppliedLora>>,
    /// By place in `weights`: what the merged ones were.
    pristine: BTreeMap<usize, Tensor>,
}

/// The weight of one module, shared with the layer that computes with it.
#[derive(Debug)]
struct Weight {
    name: String,
    live: Tensor,
}

/// A delta for one weight.
struct Change<'a> {
    file: &'a LoraFile,
    key: &'a str,
    delta: &'a Delta,
    /// Of the network that the weight belongs to.
    weight: f64,
}

impl LoraStack {
    /// The networks as they were loaded, with nothing merged.
    pub(in crate::diffusion) fn new(
        unet: &LiveWeights,
        text_encoder: &LiveWeights,
        text_encoder_2: &LiveWeights,
    ) -> Self {
        let (mut modules, mut weights) = (HashMap::new(), Vec::new());
        for (network, live) in [
            (Network::UNet, unet),
            (Network::TextEncoder, text_encoder),
            (Network::TextEncoder2, text_encoder_2),
        ] {
            let paths = live.names().filter_map(|name| name.strip_suffix(".weight"));
            let mut places = HashMap::new();
            for (flat, path) in names::by_flat_name(paths, network == Network::UNet) {
                let name = format!("{path}.weight");
                let Some(tensor) = live.get(&name) else { continue };
                let place = *places.entry(path).or_insert_with(|| {
                    weights.push(Weight { name, live: tensor.shallow_clone() });
                    weights.len() - 1
                });
                modules.insert(ModuleName { network, flat }, place);
            }
        }
        Self { modules, weights, merged: Some(Vec::new()), pristine: BTreeMap::new() }
    }

    /// What is merged now, in an order that does not depend on that of the request.
    pub(in crate::diffusion) fn merged(&self) -> &[AppliedLora] {
        self.merged.as_deref().unwrap_or_default()
    }

    /// Whether the weights are those of the checkpoint plus these, in any order.
    pub(in crate::diffusion) fn holds(&self, chosen: &[ChosenLora]) -> bool {
        self.merged.as_ref() == Some(&in_order(chosen).1)
    }

    /// Makes the weights those of the checkpoint plus these LoRAs, whatever they were before. The set that is merged
    /// already costs nothing. Deltas are added up in the order of their files' hashes, so that a set gives the same
    /// bits in any order.
    ///
    /// # Errors
    /// The first key of a file that does not suit the checkpoint, before anything is changed; a sum that is not
    /// finite, after which the weights are the checkpoint's own.
    pub(in crate::diffusion) fn set(&mut self, chosen: &[ChosenLora]) -> Result<(), LoraError> {
        let (chosen, wanted) = in_order(chosen);
        if self.merged.as_ref() == Some(&wanted) {
            return Ok(());
        }
        let changes = self.plan(&chosen)?;
        self.restore();
        self.merged = None;
        for (place, changes) in &changes {
            if let Err(error) = self.merge(*place, changes) {
                self.restore();
                return Err(error);
            }
        }
        self.merged = Some(wanted);
        Ok(())
    }

    /// Which weights change by what. A strength of 0 changes nothing, but its file is checked.
    fn plan<'a>(&self, chosen: &'a [ChosenLora]) -> Result<BTreeMap<usize, Vec<Change<'a>>>, LoraError> {
        let mut changes: BTreeMap<usize, Vec<Change<'a>>> = BTreeMap::new();
        for ChosenLora { file, weight, te_weight } in chosen {
            let absent: Vec<_> =
                file.modules.iter().filter(|(name, _)| !self.modules.contains_key(name)).collect();
            if let Some((_, module)) = absent.iter().min_by_key(|(_, module)| &module.key) {
                return Err(LoraError::Foreign {
                    path: file.path.display().to_string(),
                    key: module.key.clone(),
                    absent: absent.len(),
                    modules: file.modules.len(),
                    guess: guess(&module.key),
                });
            }
            let mut taken: HashMap<usize, &str> = HashMap::new();
            for (name, module) in &file.modules {
                let Some(&place) = self.modules.get(name) else { continue };
                let refuse = |reason: String| LoraError::key(&file.path, &module.key, reason);
                if let Some(other) = taken.insert(place, &module.key) {
                    return Err(refuse(format!("is for the same weight as `{other}`")));
                }
                module
                    .delta
                    .check(&self.weights[place].live.size())
                    .map_err(|reason| refuse(format!("{reason} (`{}`)", self.weights[place].name)))?;
                let weight = if name.network == Network::UNet { *weight } else { *te_weight };
                if weight != 0.0 {
                    let change = Change { file, key: &module.key, delta: &module.delta, weight };
                    changes.entry(place).or_default().push(change);
                }
            }
        }
        Ok(changes)
    }

    fn merge(&mut self, place: usize, changes: &[Change<'_>]) -> Result<(), LoraError> {
        let live = &self.weights[place].live;
        let base = live.to_kind(Kind::Float);
        let mut gains = changes.iter().map(|change| change.delta.gain(&base, change.weight));
        let Some(first) = gains.next() else { return Ok(()) };
        let sum = gains.fold(first, |sum, gain| sum + gain);
        let merged = (&base + sum).to_kind(live.kind());
        if !is_finite(&merged) {
            let change = &changes[changes.len() - 1];
            return Err(LoraError::key(&change.file.path, change.key, "makes its weight NaN or infinite"));
        }
        // Kept before the first bit changes, so that a panic in between leaves the way back.
        self.pristine.insert(place, live.copy());
        live.shallow_clone().copy_(&merged);
        Ok(())
    }

    /// Back to the checkpoint's own weights, to the bit.
    fn restore(&mut self) {
        self.merged = None;
        while let Some((&place, pristine)) = self.pristine.first_key_value() {
            self.weights[place].live.shallow_clone().copy_(pristine);
            self.pristine.remove(&place);
        }
        self.merged = Some(Vec::new());
    }
}

/// In the order of their files' hashes, and what that comes to.
fn in_order(chosen: &[ChosenLora]) -> (Vec<ChosenLora>, Vec<AppliedLora>) {
    let mut chosen = chosen.to_vec();
    chosen.sort_by(|a, b| {
        let by_weight = || a.weight.total_cmp(&b.weight).then(a.te_weight.total_cmp(&b.te_weight));
        a.file.sha256.cmp(&b.file.sha256).then_with(by_weight)
    });
    let applied = chosen.iter().map(ChosenLora::applied).collect();
    (chosen, applied)
}

impl ChosenLora {
    fn applied(&self) -> AppliedLora {
        AppliedLora { sha256: self.file.sha256.clone(), weight: self.weight, te_weight: self.te_weight }
    }
}
