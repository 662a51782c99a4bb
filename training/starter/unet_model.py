"""The denoiser: an SDXL-style UNet in miniature (one resolution, since the latents are already 64 times smaller than the picture)."""
import torch
from diffusers import UNet2DConditionModel
from torch import nn
from .pca import Z

CONFIG = dict(sample_size=16, in_channels=Z, out_channels=Z, block_out_channels=[128], layers_per_block=1,
              down_block_types=['CrossAttnDownBlock2D'], up_block_types=['CrossAttnUpBlock2D'], mid_block_type='UNetMidBlock2DCrossAttn',
              transformer_layers_per_block=1, attention_head_dim=[4], cross_attention_dim=192, addition_embed_type='text_time',
              addition_time_embed_dim=32, projection_class_embeddings_input_dim=128 + 6 * 32, use_linear_projection=True, norm_num_groups=16)


def make():
    return UNet2DConditionModel(**CONFIG)


class Nothing(nn.Module):
    """Stands in for cross attention while training: what is written adds nothing (export.py)."""
    def forward(self, x, *args, **kw):
        return torch.zeros_like(x)


def without_cross_attention(unet):
    for m in unet.modules():
        if hasattr(m, 'attn2'):
            m.attn2 = Nothing()
            m.norm2 = nn.Identity()
