"""A small network that says which character a picture shows, if any; trained on drawn pictures only, used to judge the LoRAs.

Nobody: ordinary drawings (half of them with just the attributes that a character's words mean), and characters with one part of
their look replaced, so that a name is only given for the whole look.

usage: python -m starter.identity [STEPS]        writes work/identity.pt
"""
import random
import sys
import time
import torch
import torch.nn.functional as F
from torch import nn
from . import characters
from .data import BLOCK, WORK, compose, layers, sample
from .pca import code

NAMES = list(characters.TABLE)
SIDE = 128                          # what the network sees of the figure's block
PARTS = ('skin', 'hair', 'facial_hair', 'accessory', 'ornaments')


def view(picture):
    """The figure's block of a whole picture (uint8 HxWx3), as the network sees it."""
    h, w = picture.shape[:2]
    x = torch.from_numpy(picture[h - BLOCK:, (w - BLOCK) // 2:(w + BLOCK) // 2].copy()).permute(2, 0, 1)[None].float()
    return F.avg_pool2d(x, BLOCK // SIDE) / 127.5 - 1


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        c = [3, 24, 48, 64, 96, 128]
        self.body = nn.Sequential(*[m for i, o in zip(c, c[1:]) for m in (nn.Conv2d(i, o, 3, 2, 1), nn.BatchNorm2d(o), nn.ReLU())])
        self.head = nn.Linear(128 * 16, len(NAMES) + 1)

    def forward(self, x):
        return self.head(self.body(x).flatten(1))


def ordinary(rnd):
    """A drawing of nobody, by attributes."""
    a = sample(rnd)
    if rnd.random() < .5:
        a.update(facial_hair='none', accessory='none')
        a.update(characters.TABLE[rnd.choice(NAMES)]['words'])
        a['beard_color'] = a['hair_color'] if a['hair'] != 'turban' else 'black'
    return a


def near(rnd):
    """A character's layers with one part left out, or another's, or an ordinary one."""
    name = rnd.choice(NAMES)
    a = characters.free(name, rnd)
    stack = characters.stack(name, a)
    part = rnd.choice([p for p in PARTS if f'{name}/{p}' in stack])
    other = rnd.choice([n for n in NAMES if n != name and part in ('skin', 'hair')] or [None])
    plain = ordinary(rnd)
    like = {'skin': f'skin/{plain["skin"]}', 'hair': f'hair/{plain["hair"]}/{plain["hair_color"]}'}.get(part)
    new = f'{other}/{part}' if other and rnd.random() < .4 else like
    return compose(a, None, True, [new if k == f'{name}/{part}' else k for k in stack if k != f'{name}/{part}' or new], layers('characters'))


def example(rnd):
    """A half-size drawing, and the index of who it shows."""
    kind = rnd.random()
    if kind < .5:
        who = rnd.randrange(len(NAMES))
        return characters.draw(NAMES[who], characters.free(NAMES[who], rnd), half=True), who
    return (compose(ordinary(rnd), half=True) if kind < .75 else near(rnd)), len(NAMES)


def rough(img, p, rnd, g):
    """As the network sees it: some drawings through the latent code with noise, for grain and soft edges."""
    x = torch.from_numpy(img).permute(2, 0, 1).float() / 127.5 - 1
    if rnd.random() < .6:
        z = code(img, p)
        z = z + torch.randn(z.shape, generator=g) * .3 * rnd.random()
        y = (z.permute(1, 2, 0) @ p['dec'] + p['mean']).unflatten(2, (32, 32, 3))
        x = y.permute(4, 0, 2, 1, 3).reshape(3, BLOCK // 2, BLOCK // 2).clamp(-1, 1)
    return F.avg_pool2d(x[None], BLOCK // 2 // SIDE)[0]


def main(steps):
    torch.set_num_threads(1)
    torch.manual_seed(3)
    net, rnd, g = Net(), random.Random(11), torch.Generator().manual_seed(11)
    p = torch.load(f'{WORK}/pca.pt')
    opt = torch.optim.AdamW(net.parameters(), 2e-3)
    pool, t0, ok = [], time.time(), []
    for step in range(steps):
        for group in opt.param_groups:
            group['lr'] = 2e-3 * max(.02, 1 - step / steps)
        fresh = [(rough(img, p, rnd, g), who) for img, who in (example(rnd) for _ in range(12))]
        rows = fresh + [rnd.choice(pool or fresh) for _ in range(20)]
        pool = (pool + fresh)[-4000:]
        x, y = torch.stack([r[0] for r in rows]), torch.tensor([r[1] for r in rows])
        x = torch.roll(x, (rnd.randint(-1, 1), rnd.randint(-1, 1)), (2, 3)) + torch.randn(x.shape, generator=g) * .05
        out = net(x)
        loss = F.cross_entropy(out, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        ok.append((out.argmax(1) == y).float()[:12].mean().item())
        if (step + 1) % 100 == 0:
            print(step + 1, f'{time.time() - t0:.0f}s right {sum(ok[-50:]) / 50:.3f}', flush=True)
    net.eval()
    rnd, right = random.Random(12), {'themselves': [], 'nobody': []}
    with torch.no_grad():
        for _ in range(600):
            img, who = example(rnd)
            got = net(rough(img, p, rnd, g)[None]).argmax(1).item()
            right['nobody' if who == len(NAMES) else 'themselves'].append(got == who)
    print('fresh drawings read right:', {k: f'{100 * sum(v) / len(v):.1f} % of {len(v)}' for k, v in right.items()}, flush=True)
    torch.save(net.state_dict(), f'{WORK}/identity.pt')


if __name__ == '__main__':
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1200)
