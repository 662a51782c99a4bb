"""Renders held-out prompts with diffusers and reads the attributes back.

usage: python -m starter.evaluate MODEL_FOLDER COUNT [STEPS] [GUIDANCE] [SHEET.png]
FAST=1 decodes with the principal components themselves, at half size, in place of the (equal, but slower) autoencoder.
"""
import os
import random
import sys
import time
import numpy as np
import torch
from PIL import Image
from .classifier import HEADS, Net, labels, view
from .data import SIZES, WORK, caption, sample

import diffusers
diffusers.utils.logging.disable_progress_bar()


def sheet(pics, path, cols=8, cell=192):
    rows = -(-len(pics) // cols)
    out = Image.new('RGB', (cols * cell, rows * cell), 'white')
    for i, p in enumerate(pics):
        p = p.copy()
        p.thumbnail((cell - 4, cell - 4), Image.LANCZOS)
        out.paste(p, (i % cols * cell + (cell - p.width) // 2, i // cols * cell + (cell - p.height) // 2))
    out.save(path, **({'quality': 88} if path.endswith('jpg') else {}))


def main():
    folder, count = sys.argv[1], int(sys.argv[2])
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 12
    cfg = float(sys.argv[4]) if len(sys.argv) > 4 else 1.5
    torch.set_num_threads(int(os.environ.get('THREADS', '2')))
    pipe = diffusers.StableDiffusionXLPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    only, fast = os.environ.get('SIZE'), os.environ.get('FAST')
    pca = torch.load(f'{WORK}/pca.pt')
    net = None
    if os.path.exists(f'{WORK}/classifier.pt'):
        net = Net().eval()
        net.load_state_dict(torch.load(f'{WORK}/classifier.pt'))
    rnd = random.Random(int(os.environ.get('SEED', '77')))
    pics, good, t0 = [], [], time.time()
    for i in range(count):
        a = sample(rnd)
        w, h = map(int, only.split('x')) if only else SIZES[i % len(SIZES)]
        text = caption(a, rnd, full=True, filler=i % 2 == 0)
        t = time.time()
        p = pipe(text, width=w, height=h, num_inference_steps=steps, guidance_scale=cfg, generator=torch.Generator().manual_seed(i), output_type='latent' if fast else 'pil').images
        p = p if fast else p[0]
        if fast:
            c = p[0] if p.dim() == 4 else p
            y = (c.permute(1, 2, 0) @ pca['dec'] + pca['mean']).reshape(h // 64, w // 64, 32, 32, 3).permute(0, 2, 1, 3, 4).reshape(h // 2, w // 2, 3)
            small = ((y.clamp(-1, 1) + 1) * 127.5).round().byte().numpy()
            p = Image.fromarray(small)
            seen = np.repeat(np.repeat(small, 2, 0), 2, 1)
        else:
            seen = np.asarray(p)
        if w // 64 % 2:                                 # the figure stands half a latent cell left of the middle there
            seen = np.roll(seen, 32, 1)
        pics.append(p)
        line = ''
        if net:
            with torch.no_grad():
                got = [o.argmax(1).item() for o in net(view(seen))]
            want = labels(a)
            good.append([g == x for g, x in zip(got, want)])
            line = ' '.join(f'{k}:{HEADS[k][x]}->{HEADS[k][g]}' for k, g, x in zip(HEADS, got, want) if g != x)
        if os.environ.get('VERBOSE'):
            print(f'{i} {w}x{h} {time.time() - t:.1f}s {text} | wrong {line}', flush=True)
    print(f'{count} pictures, {steps} steps, guidance {cfg}: {(time.time() - t0) / count:.1f} s a picture')
    if good:
        g = np.array(good, float)
        print({k: round(v, 3) for k, v in zip(HEADS, g.mean(0))}, 'mean', round(g.mean(), 3))
    if len(sys.argv) > 5:
        sheet(pics, sys.argv[5])


if __name__ == '__main__':
    main()
