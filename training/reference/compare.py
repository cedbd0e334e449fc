"""Compares the binary with transformers and open_clip on random checkpoints that no test knows.

    python compare.py --clove ../../target/debug/clove --workdir /tmp/compare --make tiny --layout hf

Makes a pair of checkpoints and a few images, blends the pair in torch, and checks `clove inspect`, `score`, `embed` and
`patch` against it, for both activations. Ends with status 1 when something differs by more than the tolerance.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file

from golden import clip_tokenizer, formula_image, pixel_values
from models import LAYOUTS, Spec, encode, randomise

SPECS = {
    "tiny": Spec(
        embed=22,
        image=42,
        patch=14,
        vision_width=36,
        vision_layers=2,
        vision_heads=2,
        text_width=30,
        text_layers=3,
        text_heads=5,
        context=77,
        vocabulary=49408,
        quick_gelu=True,
    ),
    "vit-b-32": Spec(
        embed=512,
        image=224,
        patch=32,
        vision_width=768,
        vision_layers=12,
        vision_heads=12,
        text_width=512,
        text_layers=12,
        text_heads=8,
        context=77,
        vocabulary=49408,
        quick_gelu=True,
    ),
}
SIZES = [(300, 200), (97, 143), (224, 224), (61, 180), (500, 40)]
TEXTS = [
    "a photo of a dog",
    "The horse is eating the grass, isn't it?",
    "42 red umbrellas & a naïve café!",
    "two birds on a wire " * 20,
    "cat",
]
ALPHAS = (0.0, 0.3, 1.0)


class Report:
    """Prints each comparison and remembers the failures."""

    def __init__(self, tolerance):
        self.tolerance = tolerance
        self.failures = []

    def close(self, what, ours, reference, scale=1.0):
        ours, reference = torch.as_tensor(ours).double(), torch.as_tensor(reference).double()
        if ours.shape != reference.shape:
            return self.check(what, False, f"shape {list(ours.shape)} instead of {list(reference.shape)}")
        worst = (ours - reference).abs().max().item() / scale
        # Not `worst > tolerance`: that would let NaN pass.
        self.check(what, worst <= self.tolerance, f"largest difference {worst:.2e}")

    def equal(self, what, ours, reference):
        self.check(what, ours == reference, f"{ours!r}" if ours == reference else f"{ours!r} instead of {reference!r}")

    def check(self, what, passed, detail):
        print(f"{'ok  ' if passed else 'FAIL'} {what}: {detail}", flush=True)
        if not passed:
            self.failures.append(what)


def run(clove, *arguments):
    """Standard output of the binary; its own words when it fails."""
    done = subprocess.run([str(clove), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"clove {arguments[0]} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def token_rows(layout, texts, context):
    """Unpadded ids, by the tokenizer that belongs to the layout."""
    if layout.name == "hf":
        return clip_tokenizer()(texts, truncation=True, max_length=context)["input_ids"]
    from open_clip.tokenizer import SimpleTokenizer

    tokenizer = SimpleTokenizer(context_length=context)
    rows = tokenizer(texts).tolist()
    return [row[: len(row) - row[::-1].index(tokenizer.eot_token_id)] for row in rows]


def make_pair(layout, spec, folder):
    """Two checkpoints; the tuned one is the base with every weight moved a little."""
    base = randomise(layout.build(spec), 5)
    state = {name: tensor.clone() for name, tensor in base.state_dict().items()}
    generator = torch.Generator().manual_seed(6)
    moved = {
        name: tensor + 0.2 * tensor.std(correction=0) * torch.randn(tensor.shape, generator=generator) + 0.01
        for name, tensor in sorted(state.items())
    }
    layout.save(base, folder / "base", spec)
    tuned = layout.build(spec)
    tuned.load_state_dict(moved)
    layout.save(tuned, folder / "tuned", spec)
    if layout.name == "hf":
        for part in ("base", "tuned"):
            clip_tokenizer().backend_tokenizer.save(str(folder / part / "tokenizer.json"))
    return tuple(load_file(folder / part / layout.file) for part in ("base", "tuned"))


def make_inputs(folder):
    paths = []
    for width, height in SIZES:
        paths.append(folder / f"{width}x{height}.png")
        formula_image(width, height).save(paths[-1])
    texts = folder / "texts.txt"
    texts.write_text("".join(text.strip() + "\n" for text in TEXTS))
    return paths, texts


def blend(base, tuned, alpha):
    """The patch in f32: two products, then their sum."""
    alpha = torch.tensor(alpha, dtype=torch.float32)
    return {name: (1 - alpha) * base[name] + alpha * tuned[name] for name in base}


def check_inspect(report, clove, folder, layout, spec, state):
    said = json.loads(run(clove, "inspect", folder / "base", "--json"))
    expected = {
        "naming": layout.name,
        "activation": "quick-gelu" if spec.quick_gelu else "gelu",
        "image_size": spec.image,
        "patch_size": spec.patch,
        "context_length": spec.context,
        "embed_dim": spec.embed,
        "vision": {"width": spec.vision_width, "layers": spec.vision_layers, "heads": spec.vision_heads},
        "text": {"width": spec.text_width, "layers": spec.text_layers, "heads": spec.text_heads},
        "parameters": sum(tensor.numel() for tensor in state.values()),
        "tensors": len(state),
    }
    for field, value in expected.items():
        report.equal(f"inspect {field}", said.get(field), value)


def check_score(report, clove, pair, alpha, paths, reference):
    texts = [text.strip() for text in TEXTS]
    said = json.loads(run(clove, "score", *pair, "--alpha", alpha, "--image", *paths, "--text", *texts, "--json"))
    scale = reference["logit_scale"].item()
    report.equal(f"score {alpha} alpha", said["alpha"], {"image": alpha, "text": alpha})
    report.close(f"score {alpha} logit_scale", said["logit_scale"], scale, scale)
    report.equal(f"score {alpha} paths", [image["path"] for image in said["images"]], [str(path) for path in paths])
    similarities = reference["image_embeddings"] @ reference["text_embeddings"].T
    report.close(f"score {alpha} similarities", [image["similarities"] for image in said["images"]], similarities)
    probabilities = reference["logits_per_image"].softmax(dim=-1)
    # A probability moves by up to scale / 2 times what the similarity moves.
    leeway = max(1.0, scale / 2)
    report.close(f"score {alpha} probabilities", [image["probabilities"] for image in said["images"]], probabilities, leeway)


def check_embed(report, clove, pair, alpha, paths, texts, out, reference):
    run(clove, "embed", *pair, "--alpha", alpha, "--images", *paths, "--texts", texts, "--out", out)
    written = load_file(out)
    for name in ("image_embeddings", "text_embeddings"):
        report.close(f"embed {alpha} {name}", written[name], reference[name])


def check_patch(report, clove, pair, alpha, spec, folder, inputs, reference, blended, own):
    """Writes the patch in both namings and loads each with the library of that naming."""
    for naming, layout in LAYOUTS.items():
        target = folder / f"patch_{alpha}_{naming}"
        target.mkdir(parents=True, exist_ok=True)
        run(clove, "patch", *pair, "--alpha", alpha, "--out", target / layout.file, "--naming", naming)
        written = load_file(target / layout.file)
        if naming == own:
            report.equal(f"patch {alpha} {naming} names that differ", sorted(set(written) ^ set(blended)), [])
            for name in sorted(set(written) & set(blended)):
                if alpha in (0.0, 1.0):
                    # The ends of the blend are the checkpoints themselves, to the bit.
                    same = torch.equal(written[name], blended[name])
                    report.check(f"patch {alpha} {naming} {name}", same, "equal" if same else "not the checkpoint's")
                else:
                    report.close(f"patch {alpha} {naming} {name}", written[name], blended[name])
        model = load_with_library(layout, spec, target)
        values = encode(layout, model, *inputs)
        for name in ("image_embeddings", "text_embeddings"):
            report.close(f"patch {alpha} {naming} {name}", values[name], reference[name])


def load_with_library(layout, spec, folder):
    """As a user of the library would, with strict names."""
    if layout.name == "hf":
        from transformers import CLIPModel

        spec.hf_config().save_pretrained(folder)
        model, loading = CLIPModel.from_pretrained(folder, output_loading_info=True)
        problems = {kind: names for kind, names in loading.items() if names}
        if problems:
            raise RuntimeError(f"transformers finds {problems}")
        return model.eval()
    import open_clip

    layout.save_config(folder, spec)
    return open_clip.create_model(f"local-dir:{folder}").eval()


@torch.no_grad()
def compare(report, arguments, spec):
    layout = LAYOUTS[arguments.layout]
    activation = "quick_gelu" if spec.quick_gelu else "gelu"
    print(f"== {arguments.make} {layout.name} {activation}", flush=True)
    folder = arguments.workdir / f"{arguments.make}_{layout.name}_{activation}"
    folder.mkdir(parents=True, exist_ok=True)
    base, tuned = make_pair(layout, spec, folder)
    paths, texts = make_inputs(folder)
    pixels = torch.stack([pixel_values(Image.open(path), spec.image) for path in paths])
    inputs = (pixels, token_rows(layout, [text.strip() for text in TEXTS], spec.context))
    pair = ("--base", folder / "base", "--tuned", folder / "tuned")
    model = layout.build(spec)
    check_inspect(report, arguments.clove, folder, layout, spec, base)
    for alpha in arguments.alpha or ALPHAS:
        blended = blend(base, tuned, alpha)
        model.load_state_dict(blended)
        reference = encode(layout, model, *inputs)
        check_score(report, arguments.clove, pair, alpha, paths, reference)
        out = folder / f"embeddings_{alpha}.safetensors"
        out.unlink(missing_ok=True)
        check_embed(report, arguments.clove, pair, alpha, paths, texts, out, reference)
        check_patch(report, arguments.clove, pair, alpha, spec, folder, inputs, reference, blended, layout.name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clove", type=Path, required=True, help="the binary")
    parser.add_argument("--workdir", type=Path, required=True, help="where checkpoints go; must not exist yet, or be empty")
    parser.add_argument("--make", choices=SPECS, default="tiny")
    parser.add_argument("--layout", choices=LAYOUTS, default="hf")
    parser.add_argument("--alpha", type=float, nargs="*", help=f"instead of {ALPHAS}")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    arguments = parser.parse_args()
    # Results of an earlier run would pass for those of this one.
    if arguments.workdir.exists() and any(arguments.workdir.iterdir()):
        parser.error(f"{arguments.workdir} is not empty")
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    report = Report(arguments.tolerance)
    for quick_gelu in (True, False):
        compare(report, arguments, replace(SPECS[arguments.make], quick_gelu=quick_gelu))
    print(f"{len(report.failures)} failures" + "".join(f"\n  {what}" for what in report.failures))
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
