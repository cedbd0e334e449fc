"""Times a training step of a ViT-B/32 in PyTorch + open_clip and in `clove bench --train`, alternating in one run.

    python bench_train.py --clove ../../target/debug/clove [--rounds 3] [--pairs 32] [--tokens 77]

Both sides: f32, every core, random weights and noise, one negative per caption, the loss, clipping and AdamW of
`train_steps.py`. Each round starts a process per side that takes one step to warm up and two that count; the least
time of all rounds is compared, for a busy machine only adds. Peak memory is the most that a process had resident.
open_clip runs 77 text positions whatever the captions; with fewer --tokens it is timed at 77, as it comes, and with
positional table and mask cut by hand.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time


def torch_side(pairs, tokens, positions, steps):
    import open_clip
    import torch

    from train_steps import SETTINGS, contrastive, spared

    torch.set_num_threads(os.cpu_count())
    torch.manual_seed(0)
    model = open_clip.create_model("ViT-B-32-quickgelu", pretrained=None)
    if positions < 77:
        model.positional_embedding = torch.nn.Parameter(model.positional_embedding.data[:positions].clone())
        model.register_buffer("attn_mask", model.attn_mask[:positions, :positions].contiguous(), persistent=False)
        model.context_length = positions
    model.train()
    parameters = dict(model.named_parameters())
    groups = [
        {"params": [p for n, p in parameters.items() if spared(n, p)], "weight_decay": 0.0},
        {"params": [p for n, p in parameters.items() if not spared(n, p)], "weight_decay": 0.1},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-6, betas=SETTINGS["betas"], eps=SETTINGS["eps"])
    images = torch.randn(pairs, 3, 224, 224)
    ids = torch.zeros(2 * pairs, positions, dtype=torch.long)
    ids[:, :tokens] = torch.randint(256, 40_256, (2 * pairs, tokens))
    ids[:, 0], ids[:, tokens - 1] = 49_406, 49_407
    seconds = []
    for _ in range(steps + 1):
        start = time.perf_counter()
        optimizer.zero_grad()
        image_features = model.encode_image(images, normalize=True)
        text_features = model.encode_text(ids, normalize=True)
        loss = contrastive(image_features, text_features[:pairs], text_features[pairs:], model.logit_scale.exp())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, 4.6051702)
        loss.item()
        seconds.append(time.perf_counter() - start)
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"step_seconds": seconds[1:], "peak_bytes": peak, "versions": [torch.__version__, open_clip.__version__]}))


def child(command):
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clove")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=77)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--recipe", default="", help="further lines for clove's recipe")
    parser.add_argument("--torch-side", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.torch_side:
        return torch_side(args.pairs, args.tokens, args.torch_side, args.steps)
    common = ["--pairs", str(args.pairs), "--tokens", str(args.tokens), "--steps", str(args.steps)]
    torch_command = [sys.executable, __file__, *common, "--torch-side"]
    sides = {"clove": [args.clove, "bench", "--train", *common, "--recipe", args.recipe], "torch": [*torch_command, "77"]}
    if args.tokens < 77:
        sides["torch cut"] = [*torch_command, str(args.tokens)]
    best, peak = {}, {}
    for _ in range(args.rounds):
        for side, command in sides.items():
            figures = child(command)
            best[side] = min(best.get(side, float("inf")), *figures["step_seconds"])
            peak[side] = max(peak.get(side, 0), figures["peak_bytes"])
            print(side, json.dumps(figures), flush=True)
    for side in sides:
        print(
            f"{side}: {best[side]:.3f} s a step, {peak[side] / 2**30:.2f} GiB at most;"
            f" clove takes {best['clove'] / best[side]:.3f} of its time, {peak['clove'] / peak[side]:.3f} of its memory"
        )


if __name__ == "__main__":
    main()
