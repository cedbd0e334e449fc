"""Times the blend and both towers of a ViT-B/32 in PyTorch + open_clip, and `clove bench` in the same run.

    python bench.py --clove ../../target/release/clove [--rounds 3]

Both sides use every core, f32, random weights, batches of 64, the median of 5 after a warm-up; rounds alternate so that
a busy machine disturbs both. open_clip always runs 77 text positions; clove cuts a batch to its longest caption (exact
under the causal mask), so captions are also timed in PyTorch at 13 positions with the positional table cut by hand.
"""

import argparse
import json
import os
import statistics
import subprocess
import time

import open_clip
import torch

BATCH, RUNS, TOKENS = 64, 5, 13


def median(work):
    work()
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def torch_figures(base, tuned, blended):
    def blend():
        with torch.no_grad():
            for name, value in blended.state_dict().items():
                value.copy_(0.6 * base[name] + 0.4 * tuned[name])

    images = torch.zeros(BATCH, 3, 224, 224)
    ids = torch.zeros(BATCH, 77, dtype=torch.long)
    ids[:, 0], ids[:, 1 : TOKENS - 1], ids[:, TOKENS - 1] = 49406, 320, 49407
    with torch.no_grad():
        figures = {
            "blend_seconds": median(blend),
            "images_per_second": BATCH / median(lambda: blended.encode_image(images)),
            "captions_per_second_77": BATCH / median(lambda: blended.encode_text(ids)),
        }
        full = blended.positional_embedding.data
        blended.positional_embedding.data = full[:TOKENS]
        mask = blended.attn_mask
        blended.attn_mask = mask[:TOKENS, :TOKENS]
        figures["captions_per_second_13"] = BATCH / median(lambda: blended.encode_text(ids[:, :TOKENS]))
        blended.positional_embedding.data, blended.attn_mask = full, mask
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clove", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(os.cpu_count())
    torch.manual_seed(0)
    models = [open_clip.create_model("ViT-B-32-quickgelu", pretrained=None).eval() for _ in range(3)]
    base, tuned, blended = models[0].state_dict(), models[1].state_dict(), models[2]
    for _ in range(args.rounds):
        ours = json.loads(subprocess.run([args.clove, "bench", "--json"], capture_output=True, check=True).stdout)
        theirs = torch_figures(base, tuned, blended)
        print(json.dumps({"clove": ours, "torch": theirs, "versions": [torch.__version__, open_clip.__version__]}))
        print(
            f"blend {ours['blend_seconds']:.3f} s / {theirs['blend_seconds']:.3f} s"
            f" · images {ours['images_per_second'] / theirs['images_per_second']:.2f}x"
            f" · captions {ours['captions_per_second'] / theirs['captions_per_second_77']:.2f}x of 77 positions,"
            f" {ours['captions_per_second'] / theirs['captions_per_second_13']:.2f}x of 13"
        )


if __name__ == "__main__":
    main()
