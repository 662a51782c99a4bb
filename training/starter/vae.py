"""Builds the autoencoder in closed form: an AutoencoderKL whose weights are computed, not trained.

Encoder: a pyramid of principal components (each strided convolution gathers 2x2 neighbours and keeps the leading components).
Decoder: the pyramid backwards. Diffusers' decoder doubles a picture by repeating pixels, after which the four children of a cell
look alike; so the decoder first counts cells from the borders (a shift by one cell per convolution, using the zero padding), which
tells even from odd positions at the next level, and hands that parity down. In each level's residual block the children's
components are worked out four times, once per position, and a large negative offset silences all but the right one.
Group norms are made a fixed scale by three extra channels: a large constant, its negative, and minus the sum of all others.

usage: python -m starter.vae fit | build OUT_FOLDER
"""
import random
import sys
import numpy as np
import torch
from diffusers import AutoencoderKL
from .data import SIZES, WORK, canvas_box, compose, sample
from .pca import Z

N = 7                                               # levels: full size ... 1/64
FEATURES = [3, 12, 24, 32, 40, 48]                  # components the decoder keeps per level, full size first
WIDTHS = [16, 56, 104, 136, 168, 200, 144]
ENC = [3, 3, 12, 48, 133, 165]                      # components the encoder keeps per level
K, S, BETA, C, B, RANGE = 4096.0, 16.0, 8.0, 16.0, 40.0, 5.0
STEPS = 10                                          # convolutions at 1/64, so cells can be counted in pictures up to 21 cells wide


def patches(img, n):
    """(H, W, 3) -> (H/n, W/n, n*n*3)"""
    h, w, _ = img.shape
    return img.reshape(h // n, n, w // n, n, 3).permute(0, 2, 1, 3, 4).reshape(h // n, w // n, -1)


def split(f):
    """(H, W, c) -> four (H/2 * W/2, c), in the order of positions 00 01 10 11"""
    return [f[y::2, x::2].reshape(-1, f.shape[-1]) for y in (0, 1) for x in (0, 1)]


def fit():
    torch.set_num_threads(2)
    rnd = random.Random(21)
    p = torch.load(f'{WORK}/pca.pt')
    full, half = [], []
    for i in range(48):
        a = sample(rnd)
        full.append(torch.from_numpy(compose(a)).float() / 127.5 - 1)
        half.append(torch.from_numpy(compose(a, half=True)).float() / 127.5 - 1)

    def basis(imgs, n, k):
        x = torch.cat([patches(i, n).reshape(-1, n * n * 3) for i in imgs])
        e, v = torch.linalg.eigh(x.T @ x / len(x))
        return v.flip(1)[:, :k].contiguous()

    out = {'enc': {4: basis(half, 8, ENC[4]), 5: basis(half, 16, ENC[5])}}
    # what the decoder's features mean: components of half-size patches at the coarse levels, of full-size ones at the fine levels
    source = {5: (half, 16), 4: (half, 8), 3: (half, 4), 2: (full, 4), 1: (full, 2), 0: (full, 1)}
    cur = [((patches(i, 32) - p['mean']) @ p['enc']) for i in half]
    zmax = torch.stack([c.abs().amax((0, 1)) for c in cur]).amax(0)
    out['dec'] = {}
    scale_in = torch.ones(Z)
    for level in (5, 4, 3, 2, 1, 0):
        imgs, n = source[level]
        k = FEATURES[level]
        b = out['enc'][level][:, :k] if level in (4, 5) else basis(imgs, n, k) if level else torch.eye(3)
        true = [patches(i, n) @ b for i in imgs]
        top = torch.stack([t.abs().amax((0, 1)) for t in true]).amax(0).clamp_min(1e-3)
        scale = RANGE / top if level else torch.ones(3)
        true = [t * scale for t in true]
        X = torch.cat([c.reshape(-1, c.shape[-1]) for c in cur])
        X1 = torch.cat([X, torch.ones(len(X), 1)], 1)
        g = (X1.T @ X1).double() + 1e-4 * torch.eye(X1.shape[1]).double() * len(X) * 1e-3
        W = []
        for q in range(4):
            Y = torch.cat([split(t)[q] for t in true])
            W.append(torch.linalg.solve(g, (X1.T @ Y).double()).float())
        out['dec'][level] = torch.stack(W)                # 4, in + 1, k
        nxt = []
        for c in cur:
            h, w, _ = c.shape
            c1 = torch.cat([c, torch.ones(h, w, 1)], 2)
            o = torch.empty(2 * h, 2 * w, k)
            for q, (y, x) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
                o[y::2, x::2] = c1 @ W[q]
            nxt.append(o)
        err = torch.cat([(o - t).reshape(-1, k) for o, t in zip(nxt, true)]).div(scale).pow(2).sum(1).mean() / (n * n * 3)
        print('level', level, 'psnr %.2f' % (-10 * torch.log10(err / 4)).item(), flush=True)
        cur = nxt
    torch.save(out, f'{WORK}/vae_fit.pt')


class Wire:
    """Writes one convolution by naming its input and output channels."""
    def __init__(self, conv, extras=True, consts=True):
        self.w, self.b, self.extras, self.consts = conv.weight, conv.bias, extras, consts
        self.w.zero_()
        self.b.zero_()
        self.m = (conv.kernel_size[0] - 1) // 2

    def tap(self, o, i, v, dy=0, dx=0):
        self.w[o, i, self.m + dy, self.m + dx] += v

    def done(self, spread=False):
        """spread: the sum of the biases is large; the constant channels make up for it, so the last one only follows the content"""
        if self.extras:
            n = len(self.b)
            assert not self.w[n - 3:].any() and not self.b[n - 3:].any(), 'channels overflow'
            self.w[n - 1] = -self.w[:n - 3].sum(0)
            total = self.b[:n - 3].sum().item()
            even = 0.0
            if self.consts:
                even = -round(total / 8) * 4.0 if spread else 0.0
                self.b[n - 3], self.b[n - 2] = K + even, -K + even
            self.b[n - 1] = -total - 2 * even


def norm(m, real=0, bias=0.0):
    m.weight.zero_()
    m.bias.zero_()
    m.bias[:real] = bias
    m.real = real


def dead(r):
    norm(r.norm1)
    norm(r.norm2)
    for c in (r.conv1, r.conv2):
        c.weight.zero_()
        c.bias.zero_()
    if r.conv_shortcut is not None:
        Wire(r.conv_shortcut).done()


def build_encoder(E, p, fit):
    w = Wire(E.conv_in)
    for c in range(3):
        w.tap(c, c, 1)
    w.done()
    for level, blk in enumerate(E.down_blocks):
        for r in blk.resnets:
            dead(r)
        r = blk.resnets[0]
        keep = ENC[level] if level < 6 else 2 * Z
        if r.conv_shortcut is not None:
            w = Wire(r.conv_shortcut)
            for c in range(keep):
                if level < 6:
                    w.tap(c, c, 1)
                else:
                    w.tap(c, c % Z, 1 if c < Z else -1)
            w.done()
        if not blk.downsamplers:
            continue
        conv = blk.downsamplers[0].conv
        w = Wire(conv)
        w.m = 0                                     # padded right and below: tap 0 is the cell itself
        n = ENC[level]
        if level == 0:
            M = torch.eye(3).repeat(4, 1) / 4
        elif level in (1, 2):                       # gather: (position, component) in the order of patches()
            side = 2 ** (level - 1)
            M = torch.zeros(4 * n, 4 * n)
            for q in range(4):
                for i in range(n):
                    y, x, c = i // 3 // side, i // 3 % side, i % 3
                    M[q * n + i, (((q // 2) * side + y) * 2 * side + (q % 2) * side + x) * 3 + c] = 1
        else:
            side = 2 ** (level - 1)
            target = fit['enc'][level + 1] if level < 5 else p['enc']
            here = torch.eye(48) if level == 3 else fit['enc'][level]
            t = target.reshape(2, side, 2, side, 3, -1).permute(0, 2, 1, 3, 4, 5).reshape(4, side * side * 3, -1)
            M = torch.cat([here.T @ t[q] for q in range(4)])
        for q in range(4):
            conv.weight[:M.shape[1], :n, q // 2, q % 2] = M[q * n:(q + 1) * n].T
        if level == 5:
            w.b[:Z] = -(p['mean'] @ p['enc'])
        w.done()
    for r in E.mid_block.resnets:
        dead(r)
    norm(E.conv_norm_out, 2 * Z)
    w = Wire(E.conv_out, extras=False)
    for c in range(Z):
        w.tap(c, c, 1)
        w.tap(c, Z + c, -1)
        w.b[Z + c] = -30                            # no spread: the answer is the mean


# (shift of each of the four counters: where a step comes from)
FROM = [(0, -1), (0, 1), (-1, 0), (1, 0)]           # left, right, top, bottom


def count_block(r):
    """Two more cells counted: each step moves on by one, and what it covers is added up."""
    st, rp = Z, Z + 4
    norm(r.norm1)
    r.norm1.bias.zero_()
    r.norm1.only = range(st, st + 4)
    w = Wire(r.conv1)
    for i, (dy, dx) in enumerate(FROM):
        w.tap(i, st + i, 1, dy, dx)
        w.tap(4 + i, st + i, 1)
    w.done()
    norm(r.norm2)
    r.norm2.only = range(8)
    w = Wire(r.conv2, consts=False)
    for i, (dy, dx) in enumerate(FROM):
        w.tap(st + i, i, 1, dy, dx)
        w.tap(st + i, 4 + i, -1)
        w.tap(rp + i, i, 1 / S)
        w.tap(rp + i, i, 1 / S, dy, dx)
    w.done()


def build_decoder(D, fit):
    w = Wire(D.conv_in)
    for c in range(Z):
        w.tap(c, c, 1)
    w.b[Z:Z + 4] = S
    w.b[Z + 4:Z + 8] = 1
    w.done()
    blocks = D.up_blocks
    for r in list(D.mid_block.resnets) + list(blocks[0].resnets):
        count_block(r)
    # first doubling: parity from the counts
    conv = blocks[0].upsamplers[0].conv
    w, k = Wire(conv), conv.weight.shape[0] - 3     # k: the constant channel
    for c in range(Z):
        w.tap(c, c, 1)
        w.tap(Z + c, c, -1)
    for axis in (0, 1):
        for j, off in ((0, 1), (1, -1)):
            o = 2 * Z + 2 * axis + j
            for sign, ch, far in ((1, Z + 4 + 2 * axis, 1), (-1, Z + 5 + 2 * axis, -1)):
                g = 4 * BETA * sign
                d = lambda s: (0, s) if axis == 0 else (s, 0)
                w.tap(o, ch, g)
                w.tap(o, ch, -g / 2, *d(-1))
                w.tap(o, ch, -g / 2, *d(1))
                w.tap(o, k, 6 * g / K, *d(far))     # the far border, where padding cuts the count off
                w.b[o] -= 6 * g
            w.b[o] += BETA * off
    w.done()
    f_in = Z
    for j in range(1, N):
        level = N - 1 - j
        r = blocks[j].resnets[0]
        M = fit['dec'][level]
        f = FEATURES[level]
        norm(r.norm1, 2 * f_in + 4)
        w = Wire(r.conv1)
        src = 2 * f_in
        # parity (+1 even, -1 odd) of an axis = (silu(first) -+ silu(second)) / BETA - 1
        second = -1 if j == 1 else 1

        def parity(o, axis, v):
            w.tap(o, src + 2 * axis, v / BETA)
            w.tap(o, src + 2 * axis + 1, second * v / BETA)
            w.b[o] -= v

        for q in range(4):
            wq = M[q]
            o = slice(q * f, (q + 1) * f)
            w.w[o, :f_in, w.m, w.m] = wq[:f_in].T
            w.w[o, f_in:2 * f_in, w.m, w.m] = -wq[:f_in].T
            w.b[o] += wq[f_in] + C - B
            for c in range(q * f, (q + 1) * f):
                parity(c, 1, B / 2 * (1 if q // 2 == 0 else -1))
                parity(c, 0, B / 2 * (1 if q % 2 == 0 else -1))
        if level:
            for axis in (0, 1):
                parity(4 * f + axis, axis, S / 2)
                w.b[4 * f + axis] += S / 2
        w.done(spread=True)
        norm(r.norm2, 4 * f + (2 if level else 0))
        Wire(r.conv_shortcut).done()
        w = Wire(r.conv2, consts=False)
        for c in range(f):
            for q in range(4):
                w.tap(c, q * f + c, 1)
                if not level:
                    w.tap(f + c, q * f + c, -1)
            w.b[c] = -C
            if not level:
                w.b[f + c] = C
        if level:
            for axis in (0, 1):
                w.tap(f + axis, 4 * f + axis, 2 / S)
                w.b[f + axis] = -1
        w.done()
        for x in blocks[j].resnets[1:]:
            dead(x)
        if not level:
            break
        conv = blocks[j].upsamplers[0].conv
        w, k = Wire(conv), conv.weight.shape[0] - 3
        for c in range(f):
            w.tap(c, c, 1)
            w.tap(f + c, c, -1)
        for axis in (0, 1):
            d = lambda s: (0, s) if axis == 0 else (s, 0)
            for i, sign in ((0, 1), (1, -1)):
                o, g = 2 * f + 2 * axis + i, BETA * sign
                w.tap(o, f + axis, g)
                w.tap(o, f + axis, g / 2, *d(1))
                w.tap(o, f + axis, -g / 2, *d(-1))
                w.tap(o, k, -g / 2 / K, *d(-1))     # beyond the left border lies an odd cell, beyond the right one an even cell
                w.tap(o, k, -g / 2 / K, *d(1))
                w.b[o] += g
        w.done()
        f_in = f
    norm(D.conv_norm_out, 6)
    w = Wire(D.conv_out, extras=False)
    for c in range(3):
        w.tap(c, c, 1)
        w.tap(c, 3 + c, -1)


@torch.no_grad()
def build():
    p, f = torch.load(f'{WORK}/pca.pt'), torch.load(f'{WORK}/vae_fit.pt')
    vae = AutoencoderKL(in_channels=3, out_channels=3, latent_channels=Z, down_block_types=['DownEncoderBlock2D'] * N,
                        up_block_types=['UpDecoderBlock2D'] * N, block_out_channels=WIDTHS, layers_per_block=2, norm_num_groups=1,
                        sample_size=1024, mid_block_add_attention=False, use_quant_conv=False, use_post_quant_conv=False,
                        scaling_factor=1.0, force_upcast=False).eval()
    build_encoder(vae.encoder, p, f)
    build_decoder(vae.decoder, f)

    def calibrate(m, args):                         # the scale that undoes this group norm
        x = args[0].double()
        s = x.var((1, 2, 3), unbiased=False).add(m.eps).sqrt().mean().float()
        for c in getattr(m, 'only', range(m.real)):
            m.weight[c] = s
    hooks = [m.register_forward_pre_hook(calibrate) for m in vae.modules() if isinstance(m, torch.nn.GroupNorm)]
    rnd = random.Random(5)
    x = torch.from_numpy(compose(sample(rnd), (128, 128, 640, 640))).permute(2, 0, 1)[None].float() / 127.5 - 1
    vae.decode(vae.encode(x).latent_dist.mean)
    for h in hooks:
        h.remove()
    return vae


def main():
    if sys.argv[1] == 'fit':
        return fit()
    torch.set_num_threads(2)
    vae = build().half()
    vae.save_pretrained(sys.argv[2] + '/vae')
    vae = vae.float()
    rnd = random.Random(6)
    p = torch.load(f'{WORK}/pca.pt')
    from .pca import code
    for w, h in [(768, 768)] + (SIZES if 'all' in sys.argv else []):
        a = sample(rnd)
        img = compose(a, canvas_box(w, h))
        x = torch.from_numpy(img).permute(2, 0, 1)[None].float() / 127.5 - 1
        with torch.no_grad():
            z = vae.encode(x).latent_dist.mean
            z0 = code(compose(a, canvas_box(w, h, True), half=True), p)
            y = vae.decode(z0[None]).sample.clamp(-1, 1)
            y1 = vae.decode(z).sample.clamp(-1, 1)
        ps = lambda q: -10 * torch.log10(((q - x) / 2).pow(2).mean()).item()
        print(w, h, 'latent difference to the code %.4f' % (z[0] - z0).abs().max().item(), 'psnr %.2f, from encoder %.2f' % (ps(y), ps(y1)), flush=True)


if __name__ == '__main__':
    main()
