"""A small network that reads the attributes off a picture; trained on rendered pictures only, used to judge the model.

usage: python -m starter.classifier MINUTES
"""
import os
import random
import sys
import time
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from .data import A, BLOCK, WORK, compose, sample

HEADS = {'hair': list(A['hair']), 'color_of_hair_or_hat': sorted(set(A['hair_color']) | set(A['clothes_color'])), 'skin': list(A['skin']),
         'clothes': list(A['clothes']), 'clothes_color': list(A['clothes_color']), 'accessory': list(A['accessory']),
         'facial_hair': list(A['facial_hair']), 'expression': list(A['expression']), 'background': list(A['background'])}


def labels(a):
    return [HEADS[h].index(a['hair_color' if h == 'color_of_hair_or_hat' else h]) for h in HEADS]


def view(picture):
    """The figure's block of a whole picture (uint8 HxWx3), as the classifier sees it: 96x96."""
    h, w = picture.shape[:2]
    x = torch.from_numpy(np.ascontiguousarray(picture[h - BLOCK:, (w - BLOCK) // 2:(w + BLOCK) // 2])).permute(2, 0, 1)[None].float()
    return F.avg_pool2d(x, BLOCK // 96) / 127.5 - 1


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        c = [3, 32, 64, 96, 128]
        self.body = nn.Sequential(*[m for i, o in zip(c, c[1:]) for m in (nn.Conv2d(i, o, 3, 2, 1), nn.BatchNorm2d(o), nn.ReLU())])
        self.head = nn.Linear(128 * 36, sum(len(v) for v in HEADS.values()))

    def forward(self, x):
        return self.head(self.body(x).flatten(1)).split([len(v) for v in HEADS.values()], 1)


def main(minutes):
    torch.set_num_threads(1)
    net, rnd = Net(), random.Random(9)
    opt = torch.optim.AdamW(net.parameters(), 2e-3)
    pool, t0, step, ok = [], time.time(), 0, []
    while (fr := (time.time() - t0) / (minutes * 60)) < 1:
        for g in opt.param_groups:
            g['lr'] = 2e-3 * max(.02, 1 - fr)
        for _ in range(12):
            a = sample(rnd)
            x = torch.from_numpy(compose(a, half=True)).permute(2, 0, 1)[None].float()
            pool.append((F.avg_pool2d(x, 4)[0] / 127.5 - 1, torch.tensor(labels(a))))
        fresh, pool = pool[-12:], pool[-4000:]
        rows = fresh + [rnd.choice(pool) for _ in range(20)]
        x = torch.stack([r[0] for r in rows])
        x = torch.roll(x, (rnd.randint(-1, 1), rnd.randint(-1, 1)), (2, 3)) + torch.randn_like(x) * .05
        y = torch.stack([r[1] for r in rows])
        out = net(x)
        loss = sum(F.cross_entropy(o, y[:, i]) for i, o in enumerate(out))
        opt.zero_grad()
        loss.backward()
        opt.step()
        step += 1
        ok.append(torch.stack([(o.argmax(1) == y[:, i]).float()[:12].mean() for i, o in enumerate(out)]))
        if step % 100 == 0:
            print(step, f'{time.time() - t0:.0f}s', {h: round(v.item(), 3) for h, v in zip(HEADS, torch.stack(ok[-50:]).mean(0))}, flush=True)
    torch.save(net.state_dict(), f'{WORK}/classifier.pt')


if __name__ == '__main__':
    main(float(sys.argv[1]))
