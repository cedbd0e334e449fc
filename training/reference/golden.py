"""What the reference scripts share: where the golden files are, the formula image, the reference preprocessing."""

import gzip
import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image

GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "golden"

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


def formula_image(width, height):
    """R = 5x + 3y, G = x² + 7y, B = xy + 11, all modulo 256; x right, y down, from 0."""
    x, y = np.meshgrid(np.arange(width, dtype=np.int64), np.arange(height, dtype=np.int64))
    channels = ((5 * x + 3 * y) % 256, (x * x + 7 * y) % 256, (x * y + 11) % 256)
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


def resize_and_crop(size):
    """torchvision's evaluation transform up to the bytes: shorter side to `size`, centre crop."""
    from torchvision import transforms
    from torchvision.transforms import InterpolationMode

    return transforms.Compose([transforms.Resize(size, InterpolationMode.BICUBIC), transforms.CenterCrop(size)])


def pixel_values(image, size):
    """The whole evaluation transform: [3, size, size], f32."""
    from torchvision import transforms

    tail = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
    return tail(resize_and_crop(size)(image.convert("RGB")))


def fingerprint(image):
    """First 16 hex digits of SHA-256 of the packed bytes."""
    return hashlib.sha256(image.tobytes()).hexdigest()[:16]


def merges(count=49152 - 256 - 2):
    """The first merges of OpenAI's table."""
    from open_clip.tokenizer import default_bpe

    lines = gzip.open(default_bpe()).read().decode("utf-8").split("\n")
    return [tuple(line.split()) for line in lines[1 : count + 1]]


def clip_tokenizer(count=49152 - 256 - 2):
    """transformers' CLIPTokenizer with the first `count` merges; the special tokens are the last two ids."""
    from open_clip.tokenizer import bytes_to_unicode
    from transformers import CLIPTokenizer

    pieces = list(bytes_to_unicode().values())
    pieces += [piece + "</w>" for piece in pieces]
    pieces += ["".join(merge) for merge in merges(count)]
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={piece: i for i, piece in enumerate(pieces)}, merges=merges(count))


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")


def write_versions():
    packages = ("torch", "torchvision", "transformers", "open_clip_torch", "tokenizers", "safetensors", "pillow", "ftfy", "numpy")
    versions = {"python": platform.python_version()} | {name: version(name) for name in packages}
    write_json(GOLDEN / "versions.json", versions)
