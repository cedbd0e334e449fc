"""The sweep as a plain loop in PyTorch, against `clove sweep` on the same data in the same run.

    clove demo data --out scenes
    python sweep.py --clove ../../target/release/clove --data scenes [--alphas 0:1:0.05] [--limit 20] [--results DIR]

The loop is what people write: for every alpha load both checkpoints, mix them, and run every benchmark in full with
transformers, 64 images and their captions at a time. It decodes, resizes, tokenises and embeds everything again each
time. Both sides use every core and f32 on the CPU. `--limit N` cuts every annotation file to its first N rows and the
recognition folder to N images, in a copy that both sides read; without it this takes the better part of an hour.

Prints both times and exits with 1 if any count of right answers differs.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file
from torchvision import transforms
from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast

BATCH = 64
ASSETS = Path(__file__).resolve().parents[2] / "assets" / "demo"
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
BENCHMARKS = ["folder", "aro-relation", "aro-attribution", "aro-coco-order", "sugarcrepe"]
TASKS = ["add_obj", "add_att", "replace_obj", "replace_att", "replace_rel", "swap_obj", "swap_att"]


class Model:
    """A mixed CLIP model, its transform and its tokenizer."""

    def __init__(self, alpha):
        config = CLIPConfig.from_json_file(ASSETS / "base" / "config.json")
        self.model = CLIPModel(config).eval()
        base, tuned = (load_file(ASSETS / end / "model.safetensors") for end in ("base", "tuned"))
        mixed = {name: (1 - alpha) * base[name] + alpha * tuned[name] for name in base}
        missing, unexpected = self.model.load_state_dict(mixed, strict=False)
        assert not unexpected and all(name.endswith("position_ids") for name in missing), (missing, unexpected)
        size = config.vision_config.image_size
        resize = transforms.Resize(size, transforms.InterpolationMode.BICUBIC)
        steps = [resize, transforms.CenterCrop(size), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
        self.transform = transforms.Compose(steps)
        self.tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(ASSETS / "base" / "tokenizer.json"))
        self.context = config.text_config.max_position_embeddings
        self.end, self.start = config.text_config.eos_token_id, config.text_config.bos_token_id

    def images(self, paths, boxes=None):
        pictures = [Image.open(path).convert("RGB") for path in paths]
        if boxes:
            pictures = [picture.crop(box) for picture, box in zip(pictures, boxes)]
        pixels = torch.stack([self.transform(picture) for picture in pictures])
        return unit(features(self.model.get_image_features(pixel_values=pixels)))

    def texts(self, captions):
        rows = [self.tokenizer(caption, add_special_tokens=False)["input_ids"] for caption in captions]
        rows = [[self.start, *row][: self.context - 1] + [self.end] for row in rows]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [self.end] * (longest - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        return unit(features(self.model.get_text_features(input_ids=ids, attention_mask=mask)))


def features(output):
    return output if torch.is_tensor(output) else output.pooler_output


def unit(vectors):
    return vectors / vectors.norm(dim=-1, keepdim=True)


def batches(items):
    return (items[i : i + BATCH] for i in range(0, len(items), BATCH))


def recognition(model, data):
    folder = data / "recognition"
    classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    names = (folder / "classes.txt").read_text().splitlines()
    templates = (folder / "templates.txt").read_text().splitlines()
    prompts = [unit(model.texts([t.replace("{}", name) for t in templates]).mean(0)) for name in names]
    weights = torch.stack(prompts)
    items = [(path, label) for label, c in enumerate(classes) for path in sorted((folder / c).iterdir())]
    top1 = top5 = 0
    for batch in batches(items):
        similarities = model.images([path for path, _ in batch]) @ weights.T
        best = similarities.topk(5).indices
        labels = torch.tensor([label for _, label in batch])[:, None]
        top1 += (best[:, :1] == labels).sum().item()
        top5 += (best == labels).sum().item()
    return {("folder", None, "top1"): top1, ("folder", None, "top5"): top5}


def choices(model, rows, right, strict):
    """Rows are (image path, box or None, captions); how often the one at `right` wins."""
    correct = 0
    for batch in batches(rows):
        boxes = [box for _, box, _ in batch]
        images = model.images([path for path, _, _ in batch], boxes if boxes[0] else None)
        n = len(batch[0][2])
        texts = model.texts([caption for _, _, captions in batch for caption in captions])
        similarities = (images[:, None] * texts.reshape(len(batch), n, -1)).sum(-1)
        own = similarities[:, right : right + 1]
        others = torch.cat([similarities[:, :right], similarities[:, right + 1 :]], 1)
        wins = (own > others) if strict else (own >= others)
        correct += wins.all(1).sum().item()
    return correct


def aro(data, name):
    rows = json.loads((data / "aro" / f"visual_genome_{name}.json").read_text())

    def box(row):
        return (row["bbox_x"], row["bbox_y"], row["bbox_x"] + row["bbox_w"], row["bbox_y"] + row["bbox_h"])

    images = data / "aro" / "images"
    return [(images / r["image_path"], box(r), [r["false_caption"], r["true_caption"]]) for r in rows]


def order(data):
    folder = data / "aro" / "coco_order"
    rows = json.loads(next(folder.glob("*.json")).read_text())
    roots = (folder, folder / "images")
    find = lambda name: next(root / name for root in roots if (root / name).is_file())
    return [(find(row["image_path"]), None, row["caption_options"]) for row in rows]


def sugarcrepe(data, task):
    rows = json.loads((data / "sugarcrepe" / f"{task}.json").read_text()).values()
    images = data / "sugarcrepe" / "val2017"
    return [(images / row["filename"], None, [row["caption"], row["negative_caption"]]) for row in rows]


def evaluate(model, data):
    counts = recognition(model, data)
    for name in ("relation", "attribution"):
        counts[f"aro-{name}", None, "accuracy"] = choices(model, aro(data, name), right=1, strict=True)
    # The first of equal options wins, and the right one is the first.
    counts["aro-coco-order", None, "accuracy"] = choices(model, order(data), right=0, strict=False)
    for task in TASKS:
        counts["sugarcrepe", task, "accuracy"] = choices(model, sugarcrepe(data, task), right=0, strict=True)
    return counts


def cut(data, limit, to):
    """A copy of the data with `limit` rows per file."""
    shutil.copytree(data, to, copy_function=os.link if os.stat(data).st_dev == os.stat(to.parent).st_dev else shutil.copy2)
    for path in list(to.rglob("*.json")):
        rows = json.loads(path.read_text())
        rows = rows[:limit] if isinstance(rows, list) else dict(list(rows.items())[:limit])
        path.unlink()
        path.write_text(json.dumps(rows))
    folders = sorted(entry for entry in (to / "recognition").iterdir() if entry.is_dir())
    for folder in folders:
        for path in sorted(folder.iterdir())[max(1, limit // len(folders)) :]:
            path.unlink()


def alphas_of(text):
    if ":" not in text:
        return [float(part) for part in text.split(",")]
    start, end, step = map(float, text.split(":"))
    return [round(start + i * step, 9) for i in range(round((end - start) / step) + 1)]


def clove_counts(args, data):
    command = [args.clove, "sweep", "--base", "demo:base", "--tuned", "demo:tuned", "--alphas", args.alphas]
    command += ["--data", str(data), "--device", "cpu", "--json", "--benchmark", *BENCHMARKS]
    if args.results:
        command += ["--results", args.results]
    start = time.perf_counter()
    rows = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["results"]
    seconds = time.perf_counter() - start
    counts = {(r["alpha"]["image"], r["benchmark"], r["task"], r["metric"]): (r["correct"], r["scored"]) for r in rows}
    return counts, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--clove", required=True)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--alphas", default="0:1:0.05")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--results")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.data.resolve().parent) as room:
        data = args.data
        if args.limit:
            data = Path(room) / "data"
            cut(args.data, args.limit, data)
        ours, ours_seconds = clove_counts(args, data)
        differ, compared, start = [], 0, time.perf_counter()
        with torch.no_grad():
            for alpha in alphas_of(args.alphas):
                for (benchmark, task, metric), theirs in evaluate(Model(alpha), data).items():
                    compared += 1
                    if ours[alpha, benchmark, task, metric][0] != theirs:
                        differ.append((alpha, benchmark, task, metric, ours[alpha, benchmark, task, metric], theirs))
                print(f"alpha {alpha}: {time.perf_counter() - start:.1f} s", flush=True)
        theirs_seconds = time.perf_counter() - start
    print(f"clove {ours_seconds:.1f} s, PyTorch loop {theirs_seconds:.1f} s: {theirs_seconds / ours_seconds:.1f} times")
    print(f"{compared - len(differ)} of {compared} counts are equal")
    for row in differ:
        print("differs:", *row)
    raise SystemExit(bool(differ))


if __name__ == "__main__":
    main()
