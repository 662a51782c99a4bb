"""First stage: the second text encoder learns to turn a caption into the attribute code (its pooled, projected output).

usage: python -m starter.train_text MINUTES      resumes from work/text.pt
"""
import os
import random
import sys
import time
import torch
import torch.nn.functional as F
from .data import CODE, SLOTS, WORK, attribute_code, caption, choose, sample
from .text import NEGATIVE, Text, Words

minutes = float(sys.argv[1])
WORKERS = int(os.environ.get('WORKERS', '1'))
torch.set_num_threads(1)
words = Words()
text = Text(words)
path = f'{WORK}/text.pt'
if os.path.exists(path):
    text.load_state_dict(torch.load(path)['text'])
net = text.two.share_memory()
opt = torch.optim.AdamW(net.parameters(), 3e-3, betas=(.9, .98), weight_decay=1e-3)
leader = True
for _ in range(WORKERS - 1):
    if os.fork() == 0:
        leader = False
        break
rnd = random.Random(os.getpid() + time.time())
t0, step, hist = time.time(), 0, []
BATCH = 48
while (fr := (time.time() - t0) / (minutes * 60)) < 1:
    for g in opt.param_groups:
        g['lr'] = 3e-3 * min(1, (step + 1) / 50) * (1 if fr < .5 else max(.03, (1 - fr) * 2))
    rows = [sample(rnd) for _ in range(BATCH)]
    saids = [choose(a, rnd) for a in rows]
    texts = [caption(a, rnd, said=s) for a, s in zip(rows, saids)]
    want = torch.zeros(BATCH, CODE)
    for a, s, w in zip(rows, saids, want):
        attribute_code(a, s, w)
    texts[0], want[0] = '', 0
    texts[1], want[1] = ', '.join(rnd.choices(NEGATIVE, k=rnd.randint(1, 5))), 0
    one, two = words(texts, unknown=.04 if rnd.random() < .5 else 0, rnd=rnd)
    k = int(one.argmax(1).max()) + 1                 # causal: what follows the longest caption changes nothing
    got = net(two[:, :k]).text_embeds
    loss, ok, i = 30 * (got - want).pow(2).mean(), [], 0
    for v in SLOTS.values():
        w = want[:, i:i + len(v)]
        m = w.sum(1) > 0
        loss = loss + F.cross_entropy(got[m, i:i + len(v)] * 3, w[m].argmax(1)) * .3
        ok.append((got[m, i:i + len(v)].argmax(1) == w[m].argmax(1)).float().mean().item())
        i += len(v)
    opt.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
    opt.step()
    step += 1
    hist.append([(got - want).pow(2).mean().item()] + ok)
    if leader and step % 100 == 0:
        m = torch.tensor(hist[-50:]).mean(0)
        print(step, f'{time.time() - t0:.0f}s cpu {time.process_time():.0f}s mse {m[0]:.4f}', {k: round(v, 2) for k, v in zip(SLOTS, m[1:].tolist())}, flush=True)
    if leader and step % 200 == 0:
        torch.save({'text': text.state_dict()}, path)
if not leader:
    os._exit(0)
torch.save({'text': text.state_dict()}, path)
print('done', step)
