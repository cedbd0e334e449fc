"""Golden values of AdamW from PyTorch: decay groups, gradient clipping, warm-up and cosine, 20 steps in float64.

    python training/reference/adamw.py > training/tests/golden/adamw.json
"""

import json
import math
import platform
import sys

import torch

STEPS, WARMUP, PEAK, DECAY, BETAS, EPS, CLIP = 20, 5, 3e-2, 0.1, (0.9, 0.98), 1e-6, 1.0
SHAPES = {"logit_scale": [], "text.ln_1.table": [2, 2], "tower.bias": [4], "tower.weight": [3, 4]}


def rate(step):
    """open_clip's cosine_lr."""
    if step < WARMUP:
        return PEAK * (step + 1) / WARMUP
    return 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP))) * PEAK


def excluded(name, parameter):
    """open_clip's rule for parameters without weight decay."""
    return parameter.ndim < 2 or any(part in name for part in ("bn", "ln", "bias", "logit_scale"))


def main():
    torch.manual_seed(0)
    # Start and gradients are float32 numbers, so that every implementation begins with the same ones.
    draw = lambda shape: torch.randn(shape, dtype=torch.float32).double()
    parameters = {name: torch.nn.Parameter(draw(shape)) for name, shape in SHAPES.items()}
    start = {name: parameter.detach().flatten().tolist() for name, parameter in parameters.items()}
    groups = [
        {"params": [p for n, p in parameters.items() if excluded(n, p)], "weight_decay": 0.0},
        {"params": [p for n, p in parameters.items() if not excluded(n, p)], "weight_decay": DECAY},
    ]
    optimizer = torch.optim.AdamW(groups, lr=PEAK, betas=BETAS, eps=EPS, foreach=False, fused=False)
    steps = []
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        # Norms from about 0.05 to 10: some are clipped, some are not.
        strength = 10.0 ** (0.25 * (step % 6) - 1.0)
        gradients = {}
        for name, parameter in parameters.items():
            parameter.grad = (draw(parameter.shape) * strength).float().double()
            gradients[name] = parameter.grad.flatten().tolist()
        norm = torch.nn.utils.clip_grad_norm_(list(parameters.values()), CLIP).item()
        optimizer.step()
        values = {name: parameter.detach().flatten().tolist() for name, parameter in parameters.items()}
        steps.append({"lr": rate(step), "norm": norm, "gradients": gradients, "values": values})
    settings = {"steps": STEPS, "warmup": WARMUP, "peak": PEAK, "weight_decay": DECAY, "betas": BETAS, "eps": EPS}
    golden = {
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
        "settings": {**settings, "clip_norm": CLIP},
        "shapes": SHAPES,
        "start": start,
        "steps": steps,
    }
    json.dump(golden, sys.stdout)
    print()


if __name__ == "__main__":
    main()
