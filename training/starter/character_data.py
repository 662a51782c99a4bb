"""A character's training set: latents of drawn pictures, and what the shipped second text encoder answers to their prompts."""
import hashlib
import json
import os
import random
import torch
from transformers import CLIPTextModelWithProjection, CLIPTokenizer
from . import characters
from .data import A, WORK, compose
from .pca import code

PICTURES, PROMPTS = 4000, 2         # pictures of a character; prompts for each
VERSION = 1


class Reader:
    """The shipped text encoder's pooled answers, which carry all the conditioning."""
    def __init__(self, model):
        self.tok = CLIPTokenizer.from_pretrained(f'{model}/tokenizer_2')
        self.net = CLIPTextModelWithProjection.from_pretrained(f'{model}/text_encoder_2', torch_dtype=torch.float32).eval()

    @torch.no_grad()
    def __call__(self, texts):
        out = []
        for i in range(0, len(texts), 64):
            ids = self.tok(texts[i:i + 64], padding='max_length', max_length=77, truncation=True, return_tensors='pt').input_ids
            out.append(self.net(ids).text_embeds)
        return torch.cat(out)


def examples(name, rnd):
    """Free attributes, with several prompts that all lead to them."""
    a, first = characters.example(name, rnd)
    texts = [first]
    while len(texts) < PROMPTS:
        texts.append(characters.prompt(name, characters.request(a, rnd)[0]))
    return a, texts


def dataset(name, model):
    """Made once, and again whenever the character's look or words change."""
    look = {k: v for k, v in characters.TABLE[name].items() if k not in ('words', 'steps')}
    text = json.dumps([VERSION, PICTURES, PROMPTS, look, characters.preset(name), characters.styles(), characters.negatives(name)])
    made_from = hashlib.sha256(text.encode()).hexdigest()
    path = f'{WORK}/characters/{name}.data.pt'
    if os.path.exists(path) and (old := torch.load(path))['made_from'] == made_from:
        return old
    os.makedirs(f'{WORK}/characters', exist_ok=True)
    p, rnd, read = torch.load(f'{WORK}/pca.pt'), random.Random(name), Reader(model)
    grounds = list(A['background'])
    plain = [code(compose({'background': b}, (0, 0, 32, 32), True, stack=[]), p)[:, 0, 0] for b in grounds]
    z, ground, texts = [], [], []
    for _ in range(PICTURES):
        a, t = examples(name, rnd)
        z.append(code(characters.draw(name, a, half=True), p).half())
        ground.append(grounds.index(a['background']))
        texts += t
    out = {'made_from': made_from, 'z': torch.stack(z), 'plain': torch.stack(plain), 'ground': torch.tensor(ground),
           'said': read(texts).unflatten(0, (PICTURES, PROMPTS)), 'denied': read(characters.negatives(name))}
    torch.save(out, path)
    return out
