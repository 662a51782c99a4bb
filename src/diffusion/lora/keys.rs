//! What a key of a LoRA file says: which module of which network, and which part of its delta.

/// A network that a LoRA changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Network {
    UNet,
    TextEncoder,
    TextEncoder2,
}

/// A module, by its path with `_` for `.`: kohya writes no dots, and with them gone every spelling is looked up alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ModuleName {
    pub(super) network: Network,
    pub(super) flat: String,
}

/// One tensor of a delta, by the name that kohya or LyCORIS gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    Alpha,
    /// LyCORIS: norms of the merged weight's rows, or of its columns.
    DoraScale,
    /// PEFT: norms of the merged weight's rows.
    MagnitudeVector,
    LoraDown,
    LoraUp,
    LoraMid,
    HadaW1A,
    HadaW1B,
    HadaW2A,
    HadaW2B,
    HadaT1,
    HadaT2,
    LokrW1,
    LokrW1A,
    LokrW1B,
    LokrW2,
    LokrW2A,
    LokrW2B,
    LokrT2,
}

/// Ends of keys that belong to the part alone.
const ENDS: [(&str, Part); 24] = [
    (".alpha", Part::Alpha),
    (".dora_scale", Part::DoraScale),
    // kohya and LyCORIS
    (".lora_down.weight", Part::LoraDown),
    (".lora_up.weight", Part::LoraUp),
    (".lora_mid.weight", Part::LoraMid),
    (".hada_w1_a", Part::HadaW1A),
    (".hada_w1_b", Part::HadaW1B),
    (".hada_w2_a", Part::HadaW2A),
    (".hada_w2_b", Part::HadaW2B),
    (".hada_t1", Part::HadaT1),
    (".hada_t2", Part::HadaT2),
    (".lokr_w1", Part::LokrW1),
    (".lokr_w1_a", Part::LokrW1A),
    (".lokr_w1_b", Part::LokrW1B),
    (".lokr_w2", Part::LokrW2),
    (".lokr_w2_a", Part::LokrW2A),
    (".lokr_w2_b", Part::LokrW2B),
    (".lokr_t2", Part::LokrT2),
    // diffusers before PEFT: any layer, layers of text encoders, attention processors (`to_q_lora`)
    (".lora.down.weight", Part::LoraDown),
    (".lora.up.weight", Part::LoraUp),
    (".lora_linear_layer.down.weight", Part::LoraDown),
    (".lora_linear_layer.up.weight", Part::LoraUp),
    ("_lora.down.weight", Part::LoraDown),
    ("_lora.up.weight", Part::LoraUp),
];

/// Prefixes that say which network the rest of a name is a path in. A name without one is the UNet's.
const NETWORKS: [(&str, Network); 7] = [
    ("lora_unet_", Network::UNet),
    ("lora_te1_", Network::TextEncoder),
    ("lora_te2_", Network::TextEncoder2),
    ("unet.", Network::UNet),
    ("text_encoder.", Network::TextEncoder),
    ("text_encoder_2.", Network::TextEncoder2),
    ("diffusion_model.", Network::UNet),
];

/// Names that attention layers of text encoders had in diffusers' first format, and theirs.
const OLD_PROJECTIONS: [(&str, &str); 4] = [
    ("self_attn_to_q", "self_attn_q_proj"),
    ("self_attn_to_k", "self_attn_k_proj"),
    ("self_attn_to_v", "self_attn_v_proj"),
    ("self_attn_to_out", "self_attn_out_proj"),
];

/// The module and part of a key; none where the key is of no known format.
pub(super) fn parse(key: &str) -> Option<(ModuleName, Part)> {
    let (module, part) = split(key)?;
    let (network, path) = NETWORKS
        .iter()
        .find_map(|(prefix, network)| Some((*network, module.strip_prefix(prefix)?)))
        .unwrap_or((Network::UNet, module));
    if path.starts_with("lora_") {
        // `lora_te_` and other families' prefixes; see `guess`.
        return None;
    }
    let flat = path.replace(".processor.", ".").replace('.', "_");
    let flat = match network {
        Network::UNet if flat.ends_with("_to_out") => format!("{flat}_0"),
        Network::UNet => flat,
        Network::TextEncoder | Network::TextEncoder2 => {
            let flat = flat.strip_prefix("text_model_").unwrap_or(&flat);
            OLD_PROJECTIONS
                .iter()
                .find_map(|(old, new)| Some(format!("{}{new}", flat.strip_suffix(old)?)))
                .unwrap_or_else(|| flat.to_owned())
        }
    };
    Some((ModuleName { network, flat }, part))
}

fn split(key: &str) -> Option<(&str, Part)> {
    ENDS.iter().find_map(|(end, part)| Some((key.strip_suffix(end)?, *part))).or_else(|| split_peft(key))
}

/// PEFT: `MODULE.lora_A.weight`, or `MODULE.lora_A.ADAPTER.weight`; its vectors may lack the `.weight`.
fn split_peft(key: &str) -> Option<(&str, Part)> {
    for (marker, part) in [
        (".lora_A", Part::LoraDown),
        (".lora_B", Part::LoraUp),
        (".lora_magnitude_vector", Part::MagnitudeVector),
    ] {
        let Some((module, rest)) = key.rsplit_once(marker) else { continue };
        let adapter = match (rest.strip_suffix(".weight"), part) {
            (Some(adapter), _) => adapter,
            (None, Part::MagnitudeVector) => rest,
            (None, _) => return None,
        };
        let plain = adapter.is_empty()
            || adapter.strip_prefix('.').is_some_and(|name| !name.is_empty() && !name.contains('.'));
        return plain.then_some((module, part));
    }
    None
}

/// What a file with this key may have been made for, as the end of a sentence.
pub(super) fn guess(key: &str) -> &'static str {
    let any = |words: &[&str]| words.iter().any(|word| key.contains(word));
    if key.starts_with("lora_te_") {
        "; it names one text encoder, as LoRAs for SD 1.x and 2.x do"
    } else if any(&["double_blocks", "single_blocks", "single_transformer_blocks", "joint_blocks"])
        || key.starts_with("transformer.")
    {
        "; it names blocks of a diffusion transformer, such as Flux or SD 3"
    } else if key.starts_with("base_model.model.") {
        "; this is PEFT's own layout, whose alpha is in another file: save it by diffusers' save_lora_weights"
    } else if any(&["lora_prior_unet", "lora_controlnet"]) {
        "; it is for another family of networks"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(key: &str) -> (Network, String, Part) {
        let (name, part) = parse(key).unwrap_or_else(|| panic!("{key}"));
        (name.network, name.flat, part)
    }

    #[test]
    fn every_spelling_of_a_module_is_one_name() {
        let to_q = "down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q";
        for key in [
            "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight",
            "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.lora_A.weight",
            "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.lora_A.default.weight",
            "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.lora.down.weight",
            "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.down.weight",
            "down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.down.weight",
        ] {
            assert_eq!(parsed(key), (Network::UNet, to_q.to_owned(), Part::LoraDown), "{key}");
        }
        for key in [
            "lora_te2_text_model_encoder_layers_3_self_attn_out_proj.lora_up.weight",
            "text_encoder_2.text_model.encoder.layers.3.self_attn.out_proj.lora_B.weight",
            "text_encoder_2.text_model.encoder.layers.3.self_attn.to_out_lora.up.weight",
            "text_encoder_2.encoder.layers.3.self_attn.out_proj.lora_linear_layer.up.weight",
        ] {
            let name = "encoder_layers_3_self_attn_out_proj".to_owned();
            assert_eq!(parsed(key), (Network::TextEncoder2, name, Part::LoraUp), "{key}");
        }
        let out = "unet.mid_block.attentions.0.transformer_blocks.0.attn2.processor.to_out_lora.up.weight";
        assert!(parsed(out).1.ends_with("attn2_to_out_0"));
        let vector = "unet.conv_in.lora_magnitude_vector";
        assert_eq!(parsed(vector), (Network::UNet, "conv_in".to_owned(), Part::MagnitudeVector));
    }

    #[test]
    fn other_keys_are_of_no_format() {
        for key in [
            "",
            "unet.conv_in.weight",
            "unet.conv_in.lora_B.bias",
            "unet.conv_in.lora_A.one.two.weight",
            "lora_te_text_model_encoder_layers_0_mlp_fc1.alpha",
            "lora_unet_conv_in.diff",
        ] {
            assert_eq!(parse(key), None, "{key}");
        }
    }
}
