//! `unet/config.json` (`diffusers/models/unets/unet_2d_condition.py`, `__init__`, 0.42.1).

use serde::Deserialize;
use serde_json::{Value, json};

use crate::diffusion::checkpoint::{CheckpointError, ConfigFile};

/// One number for all blocks, or one for each.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum PerBlock {
    All(i64),
    Each(Vec<i64>),
}

/// What one down block and its mirror, an up block, are built from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::diffusion) struct BlockConfig {
    pub(super) out_channels: i64,
    /// `CrossAttnDownBlock2D` rather than `DownBlock2D`.
    pub(super) down_cross_attention: bool,
    /// `CrossAttnUpBlock2D` rather than `UpBlock2D`, of the mirror.
    pub(super) up_cross_attention: bool,
    /// `layers_per_block`
    pub(super) layers: i64,
    /// `transformer_layers_per_block`
    pub(super) transformer_layers: i64,
    /// What `attention_head_dim` says: diffusers keeps the number of heads under that name.
    pub(super) num_attention_heads: i64,
    pub(super) cross_attention_dim: i64,
}

#[derive(Debug, Clone)]
pub(in crate::diffusion) struct UNet2DConditionConfig {
    pub(in crate::diffusion) in_channels: i64,
    pub(in crate::diffusion) out_channels: i64,
    /// From the widest picture to the narrowest.
    pub(super) blocks: Vec<BlockConfig>,
    pub(super) flip_sin_to_cos: bool,
    pub(super) freq_shift: f64,
    pub(super) norm_num_groups: i64,
    pub(super) norm_eps: f64,
    pub(super) use_linear_projection: bool,
    pub(super) addition_time_embed_dim: i64,
    pub(in crate::diffusion) projection_class_embeddings_input_dim: i64,
}

/// Fields of which this build knows one value only.
fn fixed() -> [(&'static str, Vec<Value>); 28] {
    [
        ("center_input_sample", vec![json!(false)]),
        ("mid_block_type", vec![json!("UNetMidBlock2DCrossAttn")]),
        ("only_cross_attention", vec![json!(false)]),
        ("mid_block_only_cross_attention", vec![json!(false)]),
        ("downsample_padding", vec![json!(1)]),
        ("mid_block_scale_factor", vec![json!(1)]),
        ("act_fn", vec![json!("silu"), json!("swish")]),
        ("reverse_transformer_layers_per_block", vec![]),
        ("encoder_hid_dim", vec![]),
        ("encoder_hid_dim_type", vec![]),
        ("num_attention_heads", vec![]),
        ("dual_cross_attention", vec![json!(false)]),
        ("class_embed_type", vec![]),
        ("upcast_attention", vec![json!(false)]),
        ("resnet_time_scale_shift", vec![json!("default")]),
        ("resnet_skip_time_act", vec![json!(false)]),
        ("resnet_out_scale_factor", vec![json!(1)]),
        ("time_embedding_type", vec![json!("positional")]),
        ("time_embedding_dim", vec![]),
        ("time_embedding_act_fn", vec![]),
        ("timestep_post_act", vec![]),
        ("time_cond_proj_dim", vec![]),
        ("num_class_embeds", vec![]),
        ("conv_in_kernel", vec![json!(3)]),
        ("conv_out_kernel", vec![json!(3)]),
        ("attention_type", vec![json!("default")]),
        ("class_embeddings_concat", vec![json!(false)]),
        ("cross_attention_norm", vec![]),
    ]
}

impl UNet2DConditionConfig {
    pub(super) fn read(mut file: ConfigFile) -> Result<Self, CheckpointError> {
        for (field, supported) in fixed() {
            file.only(field, &supported)?;
        }
        let addition_embed_type: Option<String> = file.take_optional("addition_embed_type")?;
        if addition_embed_type.as_deref() != Some("text_time") {
            return Err(file.refuse("addition_embed_type", "only `text_time`, which is SDXL's, is supported"));
        }
        // Training only, or of an embedding type that is refused above.
        file.ignore(&["sample_size", "dropout", "addition_embed_type_num_heads"]);
        let config = Self {
            in_channels: file.take("in_channels", 4)?,
            out_channels: file.take("out_channels", 4)?,
            blocks: blocks(&mut file)?,
            flip_sin_to_cos: file.take("flip_sin_to_cos", true)?,
            freq_shift: file.take("freq_shift", 0.0)?,
            norm_num_groups: file.take("norm_num_groups", 32)?,
            norm_eps: file.take("norm_eps", 1e-5)?,
            use_linear_projection: file.take("use_linear_projection", false)?,
            addition_time_embed_dim: file.require("addition_time_embed_dim")?,
            projection_class_embeddings_input_dim: file.require("projection_class_embeddings_input_dim")?,
        };
        config.check(&file)?;
        file.finish()?;
        Ok(config)
    }

    /// Width of the time embedding that the blocks get (`_set_time_proj`).
    pub(super) fn time_embed_dim(&self) -> i64 {
        self.blocks[0].out_channels * 4
    }

    /// `cross_attention_dim` of every block that attends.
    pub(in crate::diffusion) fn cross_attention_dims(&self) -> impl Iterator<Item = i64> + '_ {
        let last = self.blocks.len() - 1;
        self.blocks
            .iter()
            .enumerate()
            .filter(move |(index, block)| {
                block.down_cross_attention || block.up_cross_attention || *index == last
            })
            .map(|(_, block)| block.cross_attention_dim)
    }

    /// Width of the embedding of the six time ids.
    pub(in crate::diffusion) fn time_ids_dim(&self) -> i64 {
        6 * self.addition_time_embed_dim
    }

    /// Divisions that libtorch would only complain about in the middle of a picture.
    fn check(&self, file: &ConfigFile) -> Result<(), CheckpointError> {
        for (index, block) in self.blocks.iter().enumerate() {
            let channels = block.out_channels;
            if channels < 1 || self.norm_num_groups < 1 || channels % self.norm_num_groups != 0 {
                let reason = format!(
                    "{} does not divide the {channels} channels of block {index}",
                    self.norm_num_groups
                );
                return Err(file.refuse("norm_num_groups", reason));
            }
            let heads = block.num_attention_heads;
            let attends =
                block.down_cross_attention || block.up_cross_attention || index + 1 == self.blocks.len();
            if attends && (heads < 1 || channels % heads != 0) {
                let reason = format!("{heads} heads do not divide the {channels} channels of block {index}");
                return Err(file.refuse("attention_head_dim", reason));
            }
            if block.layers < 1 {
                return Err(file.refuse("layers_per_block", "must be at least 1"));
            }
        }
        Ok(())
    }
}

/// The lists of the file, one entry a block, turned into one list of blocks.
fn blocks(file: &mut ConfigFile) -> Result<Vec<BlockConfig>, CheckpointError> {
    let channels: Vec<i64> = file.require("block_out_channels")?;
    let down_types: Vec<String> = file.require("down_block_types")?;
    let up_types: Vec<String> = file.require("up_block_types")?;
    let mut each = |field: &str, default: i64| -> Result<Vec<i64>, CheckpointError> {
        match file.take(field, PerBlock::All(default))? {
            PerBlock::All(one) => Ok(vec![one; channels.len()]),
            PerBlock::Each(list) => Ok(list),
        }
    };
    let layers = each("layers_per_block", 2)?;
    let transformer_layers = each("transformer_layers_per_block", 1)?;
    let num_attention_heads = each("attention_head_dim", 8)?;
    let cross_attention_dim = each("cross_attention_dim", 1280)?;
    for (field, length) in [
        ("down_block_types", down_types.len()),
        ("up_block_types", up_types.len()),
        ("layers_per_block", layers.len()),
        ("transformer_layers_per_block", transformer_layers.len()),
        ("attention_head_dim", num_attention_heads.len()),
        ("cross_attention_dim", cross_attention_dim.len()),
    ] {
        if length != channels.len() || length == 0 {
            let reason = format!("has {length} entries, block_out_channels has {}", channels.len());
            return Err(file.refuse(field, reason));
        }
    }
    let mut blocks = Vec::new();
    for (index, &out_channels) in channels.iter().enumerate() {
        let up = &up_types[channels.len() - 1 - index];
        blocks.push(BlockConfig {
            out_channels,
            down_cross_attention: cross(
                file,
                "down_block_types",
                &down_types[index],
                "CrossAttnDownBlock2D",
                "DownBlock2D",
            )?,
            up_cross_attention: cross(file, "up_block_types", up, "CrossAttnUpBlock2D", "UpBlock2D")?,
            layers: layers[index],
            transformer_layers: transformer_layers[index],
            num_attention_heads: num_attention_heads[index],
            cross_attention_dim: cross_attention_dim[index],
        });
    }
    Ok(blocks)
}

/// Whether a block type is the one with cross-attention.
fn cross(
    file: &ConfigFile,
    field: &str,
    found: &str,
    with: &str,
    without: &str,
) -> Result<bool, CheckpointError> {
    if found == with {
        Ok(true)
    } else if found == without {
        Ok(false)
    } else {
        Err(file.refuse(field, format!("`{found}` is not supported, only {with} and {without}")))
    }
}
