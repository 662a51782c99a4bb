"""Second stage: the denoiser (v-prediction, zero terminal SNR), conditioned on the exact attribute code.

usage: python -m starter.train_unet MINUTES [PEAK_LR] [BLOCK_SHARE]     resumes from work/unet.pt
BLOCK_SHARE = share of batches that show the bare 768x768 figure block, cheaper than whole pictures.
WORKERS single-threaded processes (default 2) step the same weights without locks; DECAY=1 lets the rate fall to zero.
"""
import os
import random
import sys
import time
import torch
from diffusers import DDPMScheduler
from diffusers.models.attention_processor import AttnProcessor
from torch import nn
from .data import CODE, SIZES, WORK, attribute_code, choose, compose, sample
from .muon import Muon
from .pca import Z, code
from .unet_model import make, without_cross_attention

minutes = float(sys.argv[1])
peak = float(sys.argv[2]) if len(sys.argv) > 2 else 1e-3
block_share = float(sys.argv[3]) if len(sys.argv) > 3 else .7
CELLS = int(os.environ.get('CELLS', '3456'))        # latent cells in a batch: 24 figure blocks
DECAY = os.environ.get('DECAY', '0') == '1'
WORKERS = int(os.environ.get('WORKERS', '2'))
HIGH = float(os.environ.get('HIGH', '.15'))          # share of samples at pure noise
POOL = 20000
torch.set_num_threads(int(os.environ.get('THREADS', '1')))

pca = torch.load(f'{WORK}/pca.pt')
unet = make()
unet.set_attn_processor(AttnProcessor())            # plain attention: the fused one's backward pass is slow on CPUs
with torch.no_grad():                               # from the start, hear the code more than the picture's size
    unet.add_embedding.linear_1.weight[:, :CODE] *= 4
    unet.add_embedding.linear_1.weight[:, CODE:] *= .3
    unet.conv_out.weight.zero_()
both = nn.ModuleDict({'unet': unet.to(memory_format=torch.channels_last)})
without_cross_attention(unet)
path, done = f'{WORK}/unet.pt', 0
matrix = [p for n, p in both.named_parameters() if p.dim() > 1 and 'conv_in' not in n and 'conv_out' not in n]
other = [p for n, p in both.named_parameters() if p.dim() < 2 or 'conv_in' in n or 'conv_out' in n]
opts = [torch.optim.AdamW(other, peak, betas=(.9, .98), weight_decay=0), Muon(matrix)]
ck = torch.load(path) if os.path.exists(path) else None
if ck:
    both.load_state_dict(ck['now'])
    for o, st in zip(opts, ck.get('opts', [])):
        o.load_state_dict(st)
    done = ck['step']
both.share_memory()
state = both.state_dict()
floats = [k for k, v in state.items() if v.is_floating_point()]
ema = {k: v.detach().clone() for k, v in (ck['ema'] if ck else state).items()}
print('parameters: %.2fM' % (sum(p.numel() for p in unet.parameters()) / 1e6), flush=True)
leader = True
for _ in range(WORKERS - 1):
    if os.fork() == 0:
        leader = False
        break
rnd = random.Random(os.getpid() + time.time())
torch.manual_seed(os.getpid() + int(time.time()))
ac = DDPMScheduler(1000, .00085, .012, 'scaled_linear', prediction_type='v_prediction', rescale_betas_zero_snr=True).alphas_cumprod
plain = {}
pool = []


def picture():
    a = sample(rnd)
    z = code(compose(a, half=True), pca).half()
    bg = a['background']
    if bg not in plain:                              # the code of an empty cell
        img = compose(dict(a), (-64, -64, -32, -32), half=True)
        plain[bg] = code(img, pca).half()
    return z, a


def batch():
    for _ in range(96 if not pool else 4 if len(pool) < 4000 else 1):
        if len(pool) < POOL:
            pool.append(picture())
        else:
            pool[rnd.randrange(POOL)] = picture()
    w, h = (768, 768) if rnd.random() < block_share else rnd.choice(SIZES)
    W, H = w // 64, h // 64
    n = max(8, CELLS // (W * H))
    z, codes = torch.empty(n, Z, H, W), torch.zeros(n, CODE)
    for j in range(n):
        b, a = rnd.choice(pool)
        z[j] = plain[a['background']]
        x = (W - 12) // 2
        z[j, :, H - 12:, x:x + 12] = b
        if rnd.random() > .08:
            attribute_code(a, choose(a, rnd), codes[j])
    codes += torch.randn_like(codes) * .06          # the text encoder's answer is not exact either
    return z, codes, torch.tensor([[h, w, 0, 0, h, w]] * n, dtype=torch.float)


def save():
    torch.save({'now': both.state_dict(), 'ema': ema, 'opts': [o.state_dict() for o in opts], 'step': done + step}, path + '.tmp')
    os.replace(path + '.tmp', path)


t0, step, seen, hist = time.time(), 0, 0, []
while (fr := (time.time() - t0) / (minutes * 60)) < 1:
    lr = peak * min(1, (step + 1) / 60) * (max(.02, 1 - fr) if DECAY else 1)
    for o, k in zip(opts, (1, 3)):
        for g in o.param_groups:
            g['lr'] = lr * k
    z, codes, ids = batch()
    n = len(z)
    t = torch.randint(0, 1000, (n,))
    if HIGH > .2:
        t = torch.maximum(t, torch.randint(0, 1000, (n,)))   # more of the noisy end, where the picture is decided
    t[torch.rand(n) < HIGH] = 999
    al, si = ac[t].sqrt().view(-1, 1, 1, 1), (1 - ac[t]).sqrt().view(-1, 1, 1, 1)
    e = torch.randn_like(z)
    x, v = al * z + si * e, al * e - si * z
    with torch.autocast('cpu', torch.bfloat16):
        out = unet(x.contiguous(memory_format=torch.channels_last), t, None, added_cond_kwargs={'text_embeds': codes, 'time_ids': ids}).sample
    err = (out.float() - v).pow(2).mean((1, 2, 3))
    for o in opts:
        o.zero_grad(set_to_none=True)
    err.mean().backward()
    torch.nn.utils.clip_grad_norm_(both.parameters(), 1.0)
    for o in opts:
        o.step()
    step += 1
    seen += n
    if not leader:
        continue
    hist.append((err.mean().item(), err[t > 900].mean().item() if (t > 900).any() else float('nan')))
    d = min(.998, (1 + done + step) / (10 + done + step))
    with torch.no_grad():
        now = both.state_dict()
        torch._foreach_lerp_([ema[k] for k in floats], [now[k] for k in floats], 1 - d)
    if step % 20 == 0:
        m = torch.tensor(hist[-20:])
        print(f'{done + step} {time.time() - t0:.0f}s loss {m[:, 0].mean():.4f} high-noise {m[:, 1].nanmean():.4f} lr {lr:.1e} '
              f'{WORKERS * seen / (time.time() - t0):.1f} pictures/s pool {len(pool)}', flush=True)
    if step % 100 == 0 or step == 20:
        save()
if not leader:
    os._exit(0)
save()
print('done', done + step)
