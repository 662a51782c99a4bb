"""Muon (momentum, orthogonalised) for matrices and convolutions, AdamW for the rest."""
import torch


def orthogonal(g, steps=4):
    x = g.flatten(1).bfloat16()
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.T
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return (x.T if tall else x).reshape(g.shape).float()


class Muon(torch.optim.Optimizer):
    def __init__(self, params, lr=3e-3, momentum=.95):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group['params']:
                if p.grad is None:
                    continue
                buf = self.state[p].setdefault('momentum', torch.zeros_like(p))
                buf.mul_(group['momentum']).add_(p.grad)
                u = orthogonal(p.grad + group['momentum'] * buf)
                p.add_(u, alpha=-group['lr'] * .2 * max(u.shape[0], u[0].numel()) ** .5)
