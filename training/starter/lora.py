"""A LoRA on the denoiser: which layers it holds, and the files that the service reads (weights, and the register's entry)."""
import hashlib
import json
import os
import torch
from diffusers.models.attention_processor import AttnProcessor
from diffusers import UNet2DConditionModel
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import save_file

RANK = 8
LAYERS = r'.*\.(attn1\.(to_q|to_k|to_v|to_out\.0)|ff\.net\.(0\.proj|2)|proj_in|proj_out|conv1|conv2|time_emb_proj)'


def adapted(model):
    """The shipped denoiser, frozen, with fresh trainable layers of rank RANK; the scale (alpha / rank) is 1."""
    unet = UNet2DConditionModel.from_pretrained(f'{model}/unet', torch_dtype=torch.float32)
    unet.set_attn_processor(AttnProcessor())        # plain attention: the fused one's backward pass is slow on CPUs
    unet.requires_grad_(False)
    config = LoraConfig(r=RANK, lora_alpha=RANK, init_lora_weights=True, target_modules=LAYERS)
    unet.add_adapter(config)
    return unet, {n: p for n, p in unet.named_parameters() if p.requires_grad}


def write(unet, folder, name, trigger, licence, source):
    """folder/NAME.safetensors in the layout that diffusers writes, and folder/NAME.toml, its entry in the register."""
    os.makedirs(folder, exist_ok=True)
    weights = {f'unet.{k}': v.detach().half().contiguous() for k, v in sorted(get_peft_model_state_dict(unet).items())}
    assert all(v.isfinite().all() for v in weights.values()), 'not finite'
    modules = sorted({k.removeprefix('unet.').rsplit('.lora_', 1)[0] for k in weights})
    adapter = {'unet.peft_type': 'LORA', 'unet.r': RANK, 'unet.lora_alpha': RANK, 'unet.target_modules': modules, 'unet.bias': 'none'}
    meta = {'format': 'pt', 'base': 'starter', 'trigger': trigger, 'lora_adapter_metadata': json.dumps(adapter, sort_keys=True)}
    path = f'{folder}/{name}.safetensors'
    save_file(weights, path, meta)
    digest = hashlib.sha256(open(path, 'rb').read()).hexdigest()
    rows = {'sha256': digest, 'base': ['starter'], 'trigger': trigger, 'licence': licence, 'source': source}
    with open(f'{folder}/{name}.toml', 'w') as f:
        f.writelines(f'{k} = {json.dumps(v)}\n' for k, v in rows.items())
    return os.path.getsize(path)
