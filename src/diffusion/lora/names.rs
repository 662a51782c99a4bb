//! A network's modules by every name that LoRA files have for them.

use std::collections::BTreeMap;

/// From flat names (`_` for `.`) to the paths of `modules`; for a UNet, also by the names of the original (LDM) layout.
pub(super) fn by_flat_name<'a>(
    modules: impl Iterator<Item = &'a str>,
    is_unet: bool,
) -> BTreeMap<String, String> {
    let modules: Vec<&str> = modules.collect();
    let blocks = if is_unet { Blocks::count(&modules) } else { Blocks::default() };
    let mut names = BTreeMap::new();
    for module in modules {
        names.insert(module.replace('.', "_"), module.to_owned());
        if let Some(original) = is_unet.then(|| blocks.original(module)).flatten() {
            names.insert(original.replace('.', "_"), module.to_owned());
        }
    }
    names
}

/// How a UNet's modules are numbered in the original layout, where blocks of all widths are in one list
/// (`sgm/modules/diffusionmodules/openaimodel.py`; `_maybe_map_sgm_blocks_to_diffusers` of diffusers 0.42.1 is the way
/// back).
#[derive(Debug, Default)]
struct Blocks {
    /// Residual blocks of each down block, and of each up block.
    resnets: BTreeMap<(String, usize), usize>,
    /// Blocks with transformers.
    attends: Vec<(String, usize)>,
}

impl Blocks {
    fn count(modules: &[&str]) -> Self {
        let mut blocks = Self::default();
        for module in modules {
            let mut words = module.split('.');
            let (Some(side), Some(Ok(block)), Some(what), Some(Ok(index))) = (
                words.next(),
                words.next().map(str::parse::<usize>),
                words.next(),
                words.next().map(str::parse::<usize>),
            ) else {
                continue;
            };
            match what {
                "resnets" => {
                    let count = blocks.resnets.entry((side.to_owned(), block)).or_default();
                    *count = (*count).max(index + 1);
                }
                "attentions" => blocks.attends.push((side.to_owned(), block)),
                _ => {}
            }
        }
        blocks
    }

    fn resnets(&self, side: &str, block: usize) -> usize {
        self.resnets.get(&(side.to_owned(), block)).copied().unwrap_or_default()
    }

    /// The name in the original layout.
    fn original(&self, module: &str) -> Option<String> {
        let whole = match module {
            "conv_in" => "input_blocks.0.0",
            "conv_out" => "out.2",
            "time_embedding.linear_1" => "time_embed.0",
            "time_embedding.linear_2" => "time_embed.2",
            "add_embedding.linear_1" => "label_emb.0.0",
            "add_embedding.linear_2" => "label_emb.0.2",
            _ => return self.within_blocks(module),
        };
        Some(whole.to_owned())
    }

    fn within_blocks(&self, module: &str) -> Option<String> {
        let (side, rest) = module.split_once('.')?;
        if side == "mid_block" {
            let (what, rest) = rest.split_once('.')?;
            let (index, inner) = rest.split_once('.')?;
            let place = match (what, index) {
                ("resnets", "0") => 0,
                ("attentions", "0") => 1,
                ("resnets", "1") => 2,
                _ => return None,
            };
            return Some(format!("middle_block.{place}.{}", inside(what, inner)));
        }
        let (block, rest) = rest.split_once('.')?;
        let (what, rest) = rest.split_once('.')?;
        let (index, inner) = rest.split_once('.')?;
        let (block, index): (usize, usize) = (block.parse().ok()?, index.parse().ok()?);
        let (list, start, last) = match side {
            // The first of the list is `conv_in`; a downsampler follows the layers of its block.
            "down_blocks" => {
                let before: usize = (0..block).map(|before| self.resnets(side, before) + 1).sum();
                ("input_blocks", 1 + before, self.resnets(side, block))
            }
            // An upsampler is part of its block's last entry.
            "up_blocks" => {
                let before: usize = (0..block).map(|before| self.resnets(side, before)).sum();
                ("output_blocks", before, self.resnets(side, block).checked_sub(1)?)
            }
            _ => return None,
        };
        let (entry, part, inner) = match what {
            "resnets" => (start + index, 0, inside(what, inner)),
            "attentions" => (start + index, 1, inner),
            "downsamplers" if inner == "conv" => (start + last, 0, "op"),
            "upsamplers" => {
                let attends = self.attends.contains(&(side.to_owned(), block));
                (start + last, 1 + usize::from(attends), inner)
            }
            _ => return None,
        };
        Some(format!("{list}.{entry}.{part}.{inner}"))
    }
}

/// Layers of a residual block.
fn inside<'a>(what: &str, inner: &'a str) -> &'a str {
    match (what, inner) {
        ("resnets", "conv1") => "in_layers.2",
        ("resnets", "conv2") => "out_layers.3",
        ("resnets", "time_emb_proj") => "emb_layers.1",
        ("resnets", "conv_shortcut") => "skip_connection",
        _ => inner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SDXL's modules of interest, and the numbers they have in its original checkpoint.
    #[test]
    fn original_names_of_sdxl() {
        let pairs = [
            ("conv_in", "input_blocks_0_0"),
            ("down_blocks.0.resnets.0.conv1", "input_blocks_1_0_in_layers_2"),
            ("down_blocks.0.resnets.1.time_emb_proj", "input_blocks_2_0_emb_layers_1"),
            ("down_blocks.0.downsamplers.0.conv", "input_blocks_3_0_op"),
            ("down_blocks.1.resnets.0.conv_shortcut", "input_blocks_4_0_skip_connection"),
            ("down_blocks.1.attentions.0.proj_in", "input_blocks_4_1_proj_in"),
            (
                "down_blocks.1.attentions.1.transformer_blocks.1.ff.net.0.proj",
                "input_blocks_5_1_transformer_blocks_1_ff_net_0_proj",
            ),
            ("down_blocks.1.resnets.1.conv1", "input_blocks_5_0_in_layers_2"),
            ("down_blocks.1.downsamplers.0.conv", "input_blocks_6_0_op"),
            ("down_blocks.2.resnets.1.conv2", "input_blocks_8_0_out_layers_3"),
            (
                "down_blocks.2.attentions.1.transformer_blocks.9.attn2.to_k",
                "input_blocks_8_1_transformer_blocks_9_attn2_to_k",
            ),
            ("mid_block.resnets.0.conv1", "middle_block_0_in_layers_2"),
            ("mid_block.attentions.0.proj_out", "middle_block_1_proj_out"),
            ("mid_block.resnets.1.conv2", "middle_block_2_out_layers_3"),
            ("up_blocks.0.resnets.2.conv1", "output_blocks_2_0_in_layers_2"),
            ("up_blocks.0.attentions.2.proj_in", "output_blocks_2_1_proj_in"),
            ("up_blocks.0.upsamplers.0.conv", "output_blocks_2_2_conv"),
            ("up_blocks.1.resnets.0.conv1", "output_blocks_3_0_in_layers_2"),
            ("up_blocks.1.attentions.2.proj_in", "output_blocks_5_1_proj_in"),
            ("up_blocks.1.resnets.2.conv1", "output_blocks_5_0_in_layers_2"),
            ("up_blocks.1.upsamplers.0.conv", "output_blocks_5_2_conv"),
            ("up_blocks.2.resnets.2.conv2", "output_blocks_8_0_out_layers_3"),
            ("time_embedding.linear_2", "time_embed_2"),
            ("add_embedding.linear_1", "label_emb_0_0"),
            ("conv_out", "out_2"),
        ];
        let names = by_flat_name(pairs.iter().map(|(path, _)| *path), true);
        for (path, original) in pairs {
            assert_eq!(names.get(original).map(String::as_str), Some(path), "{original}");
            assert_eq!(names.get(&path.replace('.', "_")).map(String::as_str), Some(path));
        }
        assert_eq!(names.len(), 2 * pairs.len());
    }

    /// An up block that does not attend has its upsampler in the second place.
    #[test]
    fn an_upsampler_follows_what_its_block_has() {
        let names =
            by_flat_name(["up_blocks.0.resnets.1.conv1", "up_blocks.0.upsamplers.0.conv"].into_iter(), true);
        assert_eq!(names["output_blocks_1_1_conv"], "up_blocks.0.upsamplers.0.conv");
    }
}
