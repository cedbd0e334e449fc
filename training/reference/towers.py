"""Tiny random checkpoints with their features: tests/golden/images/ and tests/golden/towers/."""

import shutil
from dataclasses import replace

import torch
from PIL import Image

from golden import GOLDEN, formula_image, pixel_values, write_json, write_versions
from models import LAYOUTS, Spec, encode, randomise

SPEC = Spec(
    embed=20,
    image=32,
    patch=8,
    vision_width=24,
    vision_layers=3,
    vision_heads=3,
    text_width=16,
    text_layers=2,
    text_heads=2,
    context=77,
    vocabulary=600,
    quick_gelu=True,
)
SIZES = [(37, 53), (53, 37), (10, 7), (32, 32), (101, 64)]


def write_images():
    folder = GOLDEN / "images"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    paths = []
    for i, (width, height) in enumerate(SIZES):
        image = formula_image(width, height)
        # Unlike one another in colour too.
        image = Image.merge("RGB", [image.getchannel("RGB"[(i + c) % 3]).point(lambda v: v * (i + 3) // 8) for c in range(3)])
        paths.append(folder / f"{width}x{height}.png")
        image.save(paths[-1], optimize=True)
    return paths


def token_rows(spec):
    """Unpadded rows of many lengths; one has the end token in its middle, where the feature is read."""
    lengths = [n for n in (2, 3, 5, 9, 16, 30, 77) if n <= spec.context]
    body = lambda n: [(37 * i * i + 11 * n + 5) % spec.start for i in range(n - 2)]
    rows = [[spec.start, *body(n), spec.end] for n in lengths]
    return rows + [[spec.start, 7, 8, spec.end, 9, spec.end]]


def write(name, layout, spec, seed, pixels, image_names, dtype=torch.float32):
    folder = GOLDEN / "towers" / name
    model = randomise(layout.build(spec), seed)
    layout.save(model, folder, spec, dtype)
    # What a file of half precision holds, computed in f32.
    model = layout.build(spec)
    model.load_state_dict(load(folder / layout.file))
    rows = token_rows(spec)
    values = encode(layout, model, pixels, rows)
    golden = {"images": image_names, "tokens": rows} | {key: value.tolist() for key, value in values.items()}
    write_json(folder / "golden.json", golden)


def load(path):
    from safetensors.torch import load_file

    return {name: tensor.float() for name, tensor in load_file(path).items()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    shutil.rmtree(GOLDEN / "towers", ignore_errors=True)
    paths = write_images()
    pixels = torch.stack([pixel_values(Image.open(path), SPEC.image) for path in paths])
    names = [path.name for path in paths]
    for seed, layout in enumerate(LAYOUTS.values(), start=1):
        stem = layout.name.replace("-", "_")
        write(f"{stem}_quick_gelu", layout, SPEC, 10 * seed, pixels, names)
        write(f"{stem}_gelu", layout, replace(SPEC, quick_gelu=False), 10 * seed + 1, pixels, names)
    hf, open_clip = LAYOUTS["hf"], LAYOUTS["open-clip"]
    # The tuned half of a pair: same architecture as hf_quick_gelu.
    write("hf_quick_gelu_tuned", hf, SPEC, 12, pixels, names)
    write("open_clip_quick_gelu_context16", open_clip, replace(SPEC, context=16), 30, pixels, names)
    write("hf_quick_gelu_f16", hf, SPEC, 10, pixels, names, torch.float16)
    write("open_clip_quick_gelu_bf16", open_clip, SPEC, 20, pixels, names, torch.bfloat16)
    write_versions()
