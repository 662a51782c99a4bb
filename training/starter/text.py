"""The two small CLIP text encoders, trained on a short vocabulary and written out with CLIP's full one."""
import json
import os
import random
import torch
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
from .data import WORK, caption, sample

NEGATIVE = ['blurry', 'low quality', 'worst quality', 'deformed', 'bad anatomy', 'extra fingers', 'watermark', 'text', 'ugly', 'jpeg artifacts',
            'lowres', 'bad hands', 'cropped', 'signature', 'noisy', 'distorted', 'nsfw', 'nude', 'child', 'oversaturated', 'disfigured']
SHARED = dict(max_position_embeddings=77, bos_token_id=0, hidden_act='quick_gelu', attn_implementation='eager')
ONE = dict(hidden_size=128, intermediate_size=384, num_hidden_layers=3, num_attention_heads=4, projection_dim=128)
TWO = dict(hidden_size=64, intermediate_size=256, num_hidden_layers=3, num_attention_heads=2, projection_dim=128, hidden_act='gelu')


class Words:
    """CLIP's tokenizer, cut down to the tokens that captions use; any other token becomes one shared unknown token."""
    def __init__(self):
        self.tok = CLIPTokenizer.from_pretrained(f'{WORK}/tok/tokenizer')
        path = f'{WORK}/vocab.json'
        if not os.path.exists(path):
            rnd = random.Random(0)
            seen = {0}
            for _ in range(30000):
                seen.update(self.tok(caption(sample(rnd), rnd)).input_ids[1:-1])
            for t in NEGATIVE:
                seen.update(self.tok(t).input_ids[1:-1])
            json.dump(sorted(seen), open(path, 'w'))
        self.known = json.load(open(path))
        self.map = {t: i for i, t in enumerate(self.known)}
        self.unk, self.bos, self.eos = len(self.known), len(self.known) + 1, len(self.known) + 2
        self.size = len(self.known) + 3
        self.cache = {}

    def word(self, w):
        if w not in self.cache:
            self.cache[w] = [self.map.get(t, self.unk) for t in self.tok(w).input_ids[1:-1]]
        return self.cache[w]

    def __call__(self, texts, unknown=.0, rnd=random):
        """ids for the first and the second encoder (they differ in padding)"""
        a = torch.full((len(texts), 77), self.eos)
        b = torch.full((len(texts), 77), self.map[0])
        for i, t in enumerate(texts):
            ids = []
            for w in t.replace(',', ' ,').split(' '):
                ids += self.word(w)
                if unknown and rnd.random() < unknown:
                    ids += [self.unk] * rnd.randint(1, 3)
            ids = [self.bos] + ids[:75] + [self.eos]
            a[i, :len(ids)] = b[i, :len(ids)] = torch.tensor(ids)
        return a, b


class Text(nn.Module):
    def __init__(self, words):
        super().__init__()
        v = dict(SHARED, vocab_size=words.size, bos_token_id=words.bos, eos_token_id=2, pad_token_id=words.eos)
        self.one = CLIPTextModel(CLIPTextConfig(**{**v, **ONE}))
        self.two = CLIPTextModelWithProjection(CLIPTextConfig(**{**v, **TWO}))
        for m in (self.one, self.two):
            for n, p in m.named_parameters():
                if 'embedding' in n:
                    nn.init.normal_(p, std=.5 if 'token' in n else .25)
                elif p.dim() == 2:
                    nn.init.normal_(p, std=p.shape[1] ** -.5)

    def forward(self, a, b):
        h1 = self.one(a, output_hidden_states=True).hidden_states[-2]
        o2 = self.two(b, output_hidden_states=True)
        return torch.cat([h1, o2.hidden_states[-2]], -1), o2.text_embeds
