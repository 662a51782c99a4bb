"""Draws each character with diffusers from prompts as the service composes them, without and with its LoRA, and reads the pictures.

usage: python -m starter.evaluate_characters MODEL_FOLDER LORA_FOLDER COUNT [NAME...]       figures, kept in work/characters/figures.json
       python -m starter.evaluate_characters MODEL_FOLDER LORA_FOLDER SHEET.jpg [NAME...]   three prompts each, through the whole pipeline
"""
import json
import os
import random
import sys
import diffusers
import numpy as np
import torch
from PIL import Image, ImageDraw
from . import characters, identity
from .classifier import HEADS, Net, view
from .data import SIZES, WORK

ASKED = ('clothes', 'clothes_color', 'background', 'expression')
STEPS, GUIDANCE = 8, 2.0
SHOWN = [dict(clothes='hoodie', clothes_color='green', expression='smile', background='blue', accessory='none'),
         dict(clothes='blazer', clothes_color='red', expression='serious', background='yellow', accessory='none'),
         dict(clothes='vneck', clothes_color='white', expression='laughing', background='purple', accessory='none')]

diffusers.utils.logging.disable_progress_bar()


class Draw:
    def __init__(self, model, folder):
        torch.set_num_threads(int(os.environ.get('THREADS', '1')))
        self.pipe = diffusers.StableDiffusionXLPipeline.from_pretrained(model, torch_dtype=torch.float32)
        self.pipe.set_progress_bar_config(disable=True)
        self.folder, self.pca = folder, torch.load(f'{WORK}/pca.pt')

    def wear(self, name):
        """The LoRA of this name alone, or none."""
        self.pipe.unload_lora_weights()
        if name:
            self.pipe.load_lora_weights(self.folder, weight_name=f'{name}.safetensors')

    def __call__(self, text, negative, size, seed, whole=False):
        """A picture; not whole: decoded with the principal components that the autoencoder approximates, at half size, then doubled."""
        w, h = size
        out = self.pipe(text, negative_prompt=negative, width=w, height=h, num_inference_steps=STEPS, guidance_scale=GUIDANCE,
                        generator=torch.Generator().manual_seed(seed), output_type='pil' if whole else 'latent').images[0]
        if whole:
            return np.asarray(out)
        y = (out.permute(1, 2, 0) @ self.pca['dec'] + self.pca['mean']).unflatten(2, (32, 32, 3)).permute(0, 2, 1, 3, 4).reshape(h // 2, w // 2, 3)
        return ((y.clamp(-1, 1) + 1) * 127.5).round().byte().numpy().repeat(2, 0).repeat(2, 1)


class Read:
    """Who is seen, and which clothes, colour, background and expression."""
    def __init__(self):
        self.who, self.what = identity.Net().eval(), Net().eval()
        self.who.load_state_dict(torch.load(f'{WORK}/identity.pt'))
        self.what.load_state_dict(torch.load(f'{WORK}/classifier.pt'))

    @torch.no_grad()
    def __call__(self, picture, name, a):
        if picture.shape[1] // 64 % 2:                  # the figure stands half a latent cell left of the middle there
            picture = np.roll(picture, 32, 1)
        who = (identity.NAMES + ['nobody'])[self.who(identity.view(picture)).argmax(1).item()]
        seen = dict(zip(HEADS, (list(HEADS[k])[o.argmax(1).item()] for k, o in zip(HEADS, self.what(view(picture))))))
        return {'identity': who == name, **{k: seen[k] == a[k] for k in ASKED}}


def service(name, text):
    """Positive and negative prompt as the service composes them for the first model and its default style."""
    model = min(characters.models(), key=lambda m: m['order'])
    style = model['styles'][model['default_style']]
    negative = ', '.join(t for t in (model.get('negative'), style.get('negative'), characters.preset(name).get('negative')) if t)
    return characters.prompt(name, text, style['positive']), negative


def measure(model, folder, count, names):
    draw, read = Draw(model, folder), Read()
    path = f'{WORK}/characters/figures.json'
    figures = json.load(open(path)) if os.path.exists(path) else {}
    for name in names:
        rnd = random.Random(f'held out {name}')
        jobs = []
        for i in range(count):
            a = characters.free(name, rnd)
            jobs.append((a, service(name, characters.request(a, rnd, full=True, filler=i % 2 == 0)[0]), SIZES[i % len(SIZES)], i))
        share = lambda rows: {k: round(100 * sum(r[k] for r in rows) / len(rows), 1) for k in rows[0]}
        figures[name] = {'drawn': share([read(characters.draw(name, a), name, a) for a, *_ in jobs])}
        for kind in ('without', 'with'):
            draw.wear(name if kind == 'with' else None)
            figures[name][kind] = share([read(draw(*texts, size, seed), name, a) for a, texts, size, seed in jobs])
            print(name, kind, figures[name][kind], flush=True)
    with open(path, 'w') as f:
        f.write(json.dumps(figures, indent=1) + '\n')
    print(table(figures))


def table(figures):
    """The figures as Markdown: per character, drawings (what the readers can do at best), without and with the LoRA."""
    heads = ['identity', *ASKED]
    lines = ['| character | pictures | ' + ' | '.join(h.replace('_', ' ') for h in heads) + ' |', '| --- ' * (len(heads) + 2) + '|']
    for name, kinds in figures.items():
        for kind, shares in kinds.items():
            lines.append(f'| {name} | {kind} | ' + ' | '.join(f'{shares[h]:.0f} %' for h in heads) + ' |')
    return '\n'.join(lines)


def sheet(model, folder, path, names, cell=192):
    draw = Draw(model, folder)
    out = Image.new('RGB', (6 * cell, len(names) * cell + 16), 'white')
    pen = ImageDraw.Draw(out)
    for i in range(3):
        pen.text((2 * i * cell + 4, 2), 'without', 'black')
        pen.text(((2 * i + 1) * cell + 4, 2), 'with', 'black')
    for row, name in enumerate(names):
        for kind in (0, 1):
            draw.wear(name if kind else None)
            for i, a in enumerate(SHOWN):
                text = characters.request({**characters.free(name, random.Random(1)), **a}, random.Random(i), full=True, filler=False)[0]
                p = Image.fromarray(draw(*service(name, text), (1024, 1024), 100 + i, whole=True))
                p.thumbnail((cell - 4, cell - 4), Image.LANCZOS)
                out.paste(p, ((2 * i + kind) * cell + 2, row * cell + 18))
        print(name, flush=True)
    out.save(path, quality=88)


def main(model, folder, what, *names):
    names = names or [n for n in characters.TABLE if os.path.exists(f'{folder}/{n}.safetensors')]
    if what.isdigit():
        measure(model, folder, int(what), names)
    else:
        sheet(model, folder, what, names)


if __name__ == '__main__':
    main(*sys.argv[1:])
