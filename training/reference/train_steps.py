"""Twenty training steps of a small random CLIP in PyTorch + open_clip, with hard negatives: tests/golden/training/.

    python train_steps.py                          # both golden runs
    python train_steps.py --out FOLDER --seed 7    # one run whose sizes and settings are drawn from the seed

A run is a folder: the start as an open_clip checkpoint, `run.json` (settings, token ids, what each step reported) and
`run.safetensors` (pixels as bytes, every parameter after the last step). Loss, decay groups and clamp are those of
Netflix/clove (open_clip/loss.py, training/train.py, training/main.py) on one device; f32 throughout.
"""

import argparse
import random
import shutil
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from golden import GOLDEN, MEAN, STD, write_json, write_versions
from models import OpenClip, Spec, randomise

SPEC = Spec(
    embed=12,
    image=16,
    patch=8,
    vision_width=24,
    vision_layers=2,
    vision_heads=3,
    text_width=16,
    text_layers=2,
    text_heads=2,
    context=14,
    vocabulary=60,
    quick_gelu=True,
)
SETTINGS = {
    "steps": 20,
    "batch": 6,
    "lr": 2e-4,
    "betas": [0.9, 0.98],
    "eps": 1e-6,
    "weight_decay": 0.1,
    "warmup": 4,
    "clip_norm": 19.0,
    "negatives_per_caption": 2,
    "logit_scale_max": 2.59,
}


def drawn(seed):
    """Another architecture and other settings for every seed."""
    draw = random.Random(seed)
    vision_heads, text_heads = draw.randint(1, 4), draw.randint(1, 4)
    patch = draw.choice([4, 7, 8])
    spec = Spec(
        embed=draw.randint(5, 40),
        image=patch * draw.randint(1, 4),
        patch=patch,
        vision_width=vision_heads * draw.randint(5, 24),
        vision_layers=draw.randint(1, 4),
        vision_heads=vision_heads,
        text_width=text_heads * draw.randint(5, 24),
        text_layers=draw.randint(1, 4),
        text_heads=text_heads,
        context=draw.randint(6, 40),
        vocabulary=draw.randint(50, 900),
        quick_gelu=draw.random() < 0.5,
    )
    changed = {
        "batch": draw.randint(2, 12),
        "weight_decay": draw.choice([0.0, 0.1, 0.3]),
        "warmup": draw.randint(0, 10),
        "clip_norm": draw.choice([0.5, 3.0, 20.0]),
        "negatives_per_caption": draw.randint(0, 3),
    }
    return spec, SETTINGS | changed


def rate(step, settings):
    """open_clip_train/scheduler.py, cosine_lr, of one step."""
    from open_clip_train.scheduler import cosine_lr

    group = {}
    optimizer = type("Groups", (), {"param_groups": [group]})()
    return cosine_lr(optimizer, settings["lr"], settings["warmup"], settings["steps"])(step)


def spared(name, parameter):
    """The rule for parameters without weight decay."""
    return parameter.ndim < 2 or any(part in name for part in ("bn", "ln", "bias", "logit_scale"))


def contrastive(images, captions, negatives, scale):
    """All negatives of the batch are in every image's denominator and are never queries themselves."""
    labels = torch.arange(len(images))
    per_image = scale * images @ torch.cat([captions, negatives]).T
    per_text = scale * captions @ images.T
    return 0.5 * (F.cross_entropy(per_image, labels) + F.cross_entropy(per_text, labels))


def batch(spec, settings, draw):
    """Bytes of images, and rows of token ids: one caption each, and between none and one negative too many."""

    def row():
        length = draw.randint(2, spec.context)
        return [spec.start, *(draw.randrange(spec.start) for _ in range(length - 2)), spec.end]

    images = [draw.randbytes(3 * spec.image * spec.image) for _ in range(settings["batch"])]
    captions = [row() for _ in images]
    negatives = [[row() for _ in range(draw.randint(0, settings["negatives_per_caption"] + 1))] for _ in images]
    return images, captions, negatives


def pixels(spec, images):
    values = torch.stack([torch.frombuffer(bytearray(image), dtype=torch.uint8) for image in images])
    values = values.reshape(-1, spec.image, spec.image, 3).permute(0, 3, 1, 2).float() / 255
    return (values - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def padded(spec, rows):
    return torch.tensor([row + [0] * (spec.context - len(row)) for row in rows])


def train(spec, settings, seed, folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model = randomise(OpenClip.build(spec), seed)
    OpenClip.save(model, folder, spec)
    parameters = dict(model.named_parameters())
    groups = [
        {"params": [p for n, p in parameters.items() if spared(n, p)], "weight_decay": 0.0},
        {"params": [p for n, p in parameters.items() if not spared(n, p)], "weight_decay": settings["weight_decay"]},
    ]
    optimizer = torch.optim.AdamW(groups, lr=settings["lr"], betas=settings["betas"], eps=settings["eps"])
    draw, steps, seen = random.Random(seed), [], []
    for step in range(settings["steps"]):
        images, captions, negatives = batch(spec, settings, draw)
        taken = [row for rows in negatives for row in rows[: settings["negatives_per_caption"]]]
        for group in optimizer.param_groups:
            group["lr"] = rate(step, settings)
        optimizer.zero_grad()
        image_features = model.encode_image(pixels(spec, images), normalize=True)
        text_features = model.encode_text(padded(spec, captions + taken), normalize=True)
        count = len(captions)
        loss = contrastive(image_features, text_features[:count], text_features[count:], model.logit_scale.exp())
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), settings["clip_norm"])
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, settings["logit_scale_max"])
        report = {"loss": loss.item(), "lr": rate(step, settings), "grad_norm": norm.item()}
        report |= {"logit_scale": model.logit_scale.item(), "captions": captions, "negatives": negatives}
        steps.append(report)
        seen.extend(images)
    end = {f"end.{name}": parameter.detach().contiguous() for name, parameter in parameters.items()}
    images = torch.frombuffer(bytearray(b"".join(seen)), dtype=torch.uint8).reshape(len(seen), -1)
    save_file(end | {"images": images}, folder / "run.safetensors")
    write_json(folder / "run.json", {"settings": settings, "steps": steps})
    return steps


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.out:
        train(*drawn(args.seed), args.seed, args.out)
    else:
        train(SPEC, SETTINGS, 1, GOLDEN / "training" / "quick_gelu")
        few = SETTINGS | {"batch": 4}
        train(replace(SPEC, quick_gelu=False, vision_layers=1, text_layers=1), few, 2, GOLDEN / "training" / "gelu")
        write_versions()
