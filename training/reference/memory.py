"""Peak memory of a sweep at ViT-B/32 size, and that only the first alpha decodes pictures.

    python memory.py --clove ../../target/debug/clove --workdir /tmp/memory [--images 2000]

Makes a random pair of ViT-B/32 size and class folders of JPEG pictures, sweeps two alphas, and takes the pictures away
once the first alpha is stored: the second can then only use what the first one decoded. Prints the peak resident memory
of the process (mapped weights included) against the size of the pair, and the seconds of each alpha. Exits with 1 where
the peak reaches three times the pair's size, or an image was skipped.
"""

import argparse
import json
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
from PIL import Image

from models import OpenClip, Spec, randomise

B32 = Spec(512, 224, 32, 768, 12, 12, 512, 12, 8, 77, 49408, True)
CLASSES = 20


def pair(workdir):
    folders = [workdir / "base", workdir / "tuned"]
    for seed, folder in enumerate(folders):
        if not folder.exists():
            OpenClip.save(randomise(OpenClip.build(B32), seed), folder, B32)
    return folders, sum(file.stat().st_size for folder in folders for file in folder.glob("*.safetensors"))


def pictures(folder, n):
    rng = np.random.default_rng(0)
    for i in range(n):
        path = folder / "set" / f"class {i % CLASSES:02d}" / f"{i:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        coarse.resize((480, 360), Image.Resampling.BICUBIC).save(path, quality=90)
    (folder / "set" / "templates.txt").write_text("a photo of a {}.\n")


def peak_bytes(pid):
    """The kernel's own high-water mark."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
    except FileNotFoundError:
        pass
    return 0


def stored_alphas(results):
    files = results.glob("*.jsonl") if results.exists() else []
    return {json.dumps(json.loads(line)["alpha"]) for file in files for line in file.read_text().splitlines() if line.endswith("}")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--clove", required=True)
    parser.add_argument("--workdir", required=True, type=Path)
    parser.add_argument("--images", type=int, default=2000)
    args = parser.parse_args()
    (base, tuned), size = pair(args.workdir)
    data, results = args.workdir / "data", args.workdir / "results"
    for folder in (data, results):
        shutil.rmtree(folder, ignore_errors=True)
    pictures(data, args.images)
    command = [args.clove, "sweep", "--base", base, "--tuned", tuned, "--alphas", "0.3,0.7", "--benchmark", "folder"]
    command += ["--data", data, "--results", results, "--json", "--device", "cpu"]
    sweep = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    peak, hidden = 0, False
    while sweep.poll() is None:
        peak = max(peak, peak_bytes(sweep.pid))
        if not hidden and stored_alphas(results):
            for path in data.rglob("*.jpg"):
                path.unlink()
            hidden = True
        time.sleep(0.05)
    rows = json.loads(sweep.stdout.read())["results"]
    for row in (row for row in rows if row["metric"] == "top1"):
        print(f"alpha {row['alpha']['image']}: {row['seconds']:.1f} s, {row['scored']} scored, {row['skipped']} skipped")
    print(f"pictures were gone before the second alpha: {hidden}")
    print(f"peak {peak / 1e6:.0f} MB, pair {size / 1e6:.0f} MB: {peak / size:.2f} times")
    whole = all(row["skipped"] == 0 and row["scored"] == args.images for row in rows)
    raise SystemExit(not (hidden and whole and peak < 3 * size))


if __name__ == "__main__":
    main()
