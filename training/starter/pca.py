"""The latent code in closed form: principal components of 64x64 blocks (seen at half size), partly whitened.

usage: python -m starter.pca        writes work/pca.pt
"""
import random
import numpy as np
import torch
from .data import WORK, compose, sample

Z, CELL, POWER = 64, 32, .6         # channels; half-size pixels in a cell; how far components are brought to equal size


def cells(img, size=CELL):
    """uint8 HxWx3 -> (H/size, W/size, size*size*3) in [-1, 1]"""
    h, w = img.shape[:2]
    x = torch.from_numpy(img).view(h // size, size, w // size, size, 3).permute(0, 2, 1, 3, 4).reshape(h // size, w // size, -1)
    return x.float() / 127.5 - 1


def code(img, p):
    """Latents (Z, H, W) of a half-size picture."""
    return ((cells(img) - p['mean']) @ p['enc']).permute(2, 0, 1)


def main():
    rnd = random.Random(1)
    torch.set_num_threads(2)
    n, s, c = 0, 0, 0
    for _ in range(110):
        x = torch.cat([cells(compose(sample(rnd), half=True)).reshape(144, -1) for _ in range(8)])
        n += len(x)
        s = s + x.sum(0)
        c = c + x.T @ x
    mean = s / n
    cov = c / n - mean[:, None] * mean[None]
    vals, vecs = torch.linalg.eigh(cov)
    vals, vecs = vals.flip(0), vecs.flip(1)
    test = torch.cat([cells(compose(sample(rnd), half=True)).reshape(144, -1) for _ in range(40)])
    for k in (16, 32, 48, 64, 96, 128, 192):
        d = (test - mean) @ vecs[:, :k] @ vecs[:, :k].T + mean
        print(k, 'psnr %.2f' % (-10 * torch.log10(((d - test) / 2).pow(2).mean())).item(), flush=True)
    v, e = vecs[:, :Z].contiguous(), vals[:Z]
    scale = e.pow(-POWER / 2)
    scale = scale / (e * scale ** 2).mean().sqrt()      # unit variance on average
    torch.save({'mean': mean, 'enc': v * scale, 'dec': (v / scale).T.contiguous(), 'vals': e, 'scale': scale}, f'{WORK}/pca.pt')
    print('latent std, first and last', (e.sqrt() * scale)[[0, 1, 2, 8, 16, 32, Z - 1]])


if __name__ == '__main__':
    main()
