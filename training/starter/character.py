"""Trains one character's LoRA and writes it with its entry in the register.

usage: python -m starter.character NAME MODEL_FOLDER LORA_FOLDER       resumes from work/characters/NAME.ckpt.pt
Every step draws from its own seed, so a run that was interrupted ends with the same weights as one that was not.
"""
import os
import sys
import time
import zlib
import torch
from diffusers import DDPMScheduler
from . import characters, lora
from .character_data import dataset
from .data import SIZES, WORK
from .pca import Z
from .unet_model import without_cross_attention

CELLS, PEAK, HIGH, UNSAID = 2304, 2e-3, .25, .1     # latent cells in a batch; rate; shares at pure noise and without a prompt
KEEP = 100                                          # steps between checkpoints
LICENCE = 'as imgen itself; drawn with avataaars by Pablo Stanley (avataaars.com), free for personal and commercial use'
SOURCE = 'trained by training/starter/character.py from drawings of our own design'


def batch(data, g):
    """Latents of pictures at one of the sizes, their prompts' answers, and the size as the denoiser is told it."""
    pick = lambda n, k=1: torch.randint(n, (k,), generator=g)
    w, h = (768, 768) if pick(2) else SIZES[pick(len(SIZES))]
    W, H = w // 64, h // 64
    n = CELLS // (W * H)
    rows = pick(len(data['z']), n)
    z = data['plain'][data['ground'][rows]][..., None, None].repeat(1, 1, H, W)
    x = (W - 12) // 2
    z[:, :, H - 12:, x:x + 12] = data['z'][rows].float()
    said = data['said'][rows, pick(data['said'].shape[1], n)].clone()
    share = torch.rand(n, generator=g)
    said[share < UNSAID] = 0
    other = share < UNSAID / 2                      # half of those: the negative prompt, which guidance steers away from
    said[other] = data['denied'][pick(len(data['denied']), n)][other]
    return z, said, torch.tensor([[h, w, 0, 0, h, w]] * n, dtype=torch.float)


def main(name, model, folder):
    torch.set_num_threads(int(os.environ.get('THREADS', '1')))
    data, steps = dataset(name, model), characters.TABLE[name]['steps']
    torch.manual_seed(zlib.crc32(name.encode()))
    unet, weights = lora.adapted(model)
    without_cross_attention(unet)
    unet.to(memory_format=torch.channels_last)
    opt = torch.optim.AdamW(weights.values(), PEAK, betas=(.9, .98), weight_decay=0)
    path, done = f'{WORK}/characters/{name}.ckpt.pt', 0
    if os.path.exists(path) and (ck := torch.load(path))['made_from'] == (data['made_from'], steps):
        unet.load_state_dict(ck['weights'], strict=False)
        opt.load_state_dict(ck['opt'])
        done = ck['step']
    ac = DDPMScheduler.from_pretrained(f'{model}/scheduler').alphas_cumprod
    print(f'{name}: {sum(p.numel() for p in weights.values()) / 1e3:.0f}k parameters, from step {done}', flush=True)
    t0, hist = time.time(), []
    for step in range(done, steps):
        g = torch.Generator().manual_seed(zlib.crc32(f'{name}/{step}'.encode()))
        for group in opt.param_groups:
            group['lr'] = PEAK * min(1, (step + 1) / 40) * max(.01, min(1, 1.5 * (1 - step / steps)))
        z, said, ids = batch(data, g)
        n = len(z)
        t = torch.randint(0, 1000, (2, n), generator=g).amax(0)     # more of the noisy end, where the picture is decided
        t[torch.rand(n, generator=g) < HIGH] = 999
        al, si = ac[t].sqrt().view(-1, 1, 1, 1), (1 - ac[t]).sqrt().view(-1, 1, 1, 1)
        e = torch.randn(n, Z, *z.shape[2:], generator=g)
        x, v = al * z + si * e, al * e - si * z
        with torch.autocast('cpu', torch.bfloat16):
            out = unet(x.contiguous(memory_format=torch.channels_last), t, None, added_cond_kwargs={'text_embeds': said, 'time_ids': ids}).sample
        err = (out.float() - v).pow(2).mean((1, 2, 3))
        opt.zero_grad(set_to_none=True)
        err.mean().backward()
        torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
        opt.step()
        hist.append((err.mean().item(), err[t == 999].mean().item()))
        if (step + 1) % 25 == 0:
            m = torch.tensor(hist[-25:])
            print(f'{step + 1} {time.time() - t0:.0f}s loss {m[:, 0].mean():.4f} at pure noise {m[:, 1].nanmean():.4f}', flush=True)
        if (step + 1) % KEEP == 0 or step + 1 == steps:
            torch.save({'made_from': (data['made_from'], steps), 'weights': {k: p.detach() for k, p in weights.items()},
                        'opt': opt.state_dict(), 'step': step + 1}, path + '.tmp')
            os.replace(path + '.tmp', path)
    size = lora.write(unet, folder, name, characters.preset(name)['trigger'], LICENCE, SOURCE)
    print(f'{folder}/{name}.safetensors: {size / 1e3:.0f} kB', flush=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
