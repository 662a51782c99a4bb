"""Writes the pipeline folder: text encoders, denoiser, tokenizers, scheduler (the autoencoder is written by starter.vae).

usage: python -m starter.export OUT_FOLDER
"""
import json
import os
import sys
import torch
from diffusers import EulerDiscreteScheduler
from safetensors.torch import save_file
from .data import WORK
from .pca import Z
from .text import ONE, TWO, Text, Words
from .tokenizer import write
from .unet_model import make


def dump(path, o):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as f:
        f.write(json.dumps(o, indent=2) + '\n')


def clip(out, name, cfg, model, words, cls):
    """Weights as SDXL folders have them: prefix text_model., CLIP's whole vocabulary, unseen tokens as one unknown token."""
    sd = {}
    for k, v in model.state_dict().items():
        k = k if k.startswith(('text_model.', 'text_projection')) else 'text_model.' + k
        if k.endswith('token_embedding.weight'):
            full = v[words.unk].repeat(49408, 1)
            full[words.known] = v[:len(words.known)]
            full[49406], full[49407] = v[words.bos], v[words.eos]
            v = full
        if v.is_floating_point():
            sd[k] = v.half().contiguous()
    os.makedirs(f'{out}/{name}', exist_ok=True)
    save_file(sd, f'{out}/{name}/model.safetensors', {'format': 'pt'})
    c = dict(architectures=[cls], model_type='clip_text_model', attention_dropout=0.0, dropout=0.0, initializer_factor=1.0,
             initializer_range=0.02, layer_norm_eps=1e-5, bos_token_id=0, eos_token_id=2, pad_token_id=1, vocab_size=49408,
             torch_dtype='float16', max_position_embeddings=77, hidden_act='quick_gelu')
    c.update(cfg)
    dump(f'{out}/{name}/config.json', c)


@torch.no_grad()
def main(out):
    words = Words()
    text, unet = Text(words), make()
    text.load_state_dict(torch.load(f'{WORK}/text.pt')['text'])
    trained = {k.removeprefix('unet.'): v for k, v in torch.load(f'{WORK}/unet.pt')['ema'].items()}
    rest = unet.state_dict()
    for k, v in rest.items():                        # cross attention adds nothing unless it was trained
        if k not in trained:
            assert 'attn2' in k or 'norm2' in k, k
            trained[k] = torch.zeros_like(v) if 'to_out' in k else v
    unet.load_state_dict(trained)
    clip(out, 'text_encoder', ONE, text.one, words, 'CLIPTextModel')
    clip(out, 'text_encoder_2', TWO, text.two, words, 'CLIPTextModelWithProjection')
    unet.half().save_pretrained(f'{out}/unet')
    write(f'{WORK}/bpe_simple_vocab_16e6.txt.gz', out)
    EulerDiscreteScheduler(1000, .00085, .012, 'scaled_linear', prediction_type='v_prediction', timestep_spacing='trailing',
                           rescale_betas_zero_snr=True).save_pretrained(f'{out}/scheduler')
    part = lambda lib, cls: [lib, cls]
    dump(f'{out}/model_index.json', {
        '_class_name': 'StableDiffusionXLPipeline', '_diffusers_version': '0.30.0', 'force_zeros_for_empty_prompt': True,
        'feature_extractor': [None, None], 'image_encoder': [None, None],
        'scheduler': part('diffusers', 'EulerDiscreteScheduler'), 'text_encoder': part('transformers', 'CLIPTextModel'),
        'text_encoder_2': part('transformers', 'CLIPTextModelWithProjection'), 'tokenizer': part('transformers', 'CLIPTokenizer'),
        'tokenizer_2': part('transformers', 'CLIPTokenizer'), 'unet': part('diffusers', 'UNet2DConditionModel'),
        'vae': part('diffusers', 'AutoencoderKL')})
    size = sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(out) for f in fs)
    print('%.1f MB in all' % (size / 1e6))


if __name__ == '__main__':
    main(sys.argv[1])
