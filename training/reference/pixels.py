"""Golden values of image preprocessing, by Pillow and torchvision: tests/golden/pixels.json and tests/golden/decode/."""

import random
import shutil

import numpy as np
from PIL import Image

from golden import GOLDEN, fingerprint, formula_image, pixel_values, resize_and_crop, write_json, write_versions

# Known before this script existed: it fails when Pillow or torchvision stop agreeing with them.
KNOWN = {
    (53, 37, 16): ("8b748dcd991b0eb8", "4aa2c0c3d9bcdc44"),
    (37, 53, 16): ("cc26abb71da34402", "48080e6ad16d3b59"),
    (10, 7, 16): ("bf4ceca855b6554d", "6b9d0b09b6cce64c"),
    (640, 480, 224): ("28217fd8cd270fc0", "aa75970656ceb8ee"),
    (500, 333, 224): ("9f95a1e779360a71", "67777f6de352cf35"),
    (333, 500, 224): ("0ae8d7100feabbca", "cb37461cf6587ea4"),
    (300, 225, 224): ("3b739c2e62481102", "dc5faac8b3104eb3"),
}
BOXES = [(1.5, 0.5, 3.5, 4.5), (-2, -1, 3, 3), (5, 3, 12, 9), (2.5, 1.5, 4.5, 3.5)]


def preprocessed(width, height, size):
    image = formula_image(width, height)
    resized = resize_and_crop(size).transforms[0](image)
    crop = resize_and_crop(size)(image)
    if (width, height, size) in KNOWN:
        assert KNOWN[width, height, size] == (fingerprint(resized), fingerprint(crop)), (width, height, size)
    return {
        "width": width,
        "height": height,
        "size": size,
        "resized": list(resized.size),
        "resized_hash": fingerprint(resized),
        "crop_hash": fingerprint(crop),
        "first": list(crop.tobytes()[:9]),
        "centre": list(crop.getpixel((size // 2, size // 2))),
    }


def random_sizes(count):
    rng = random.Random(5)
    sides = lambda: int(2 ** rng.uniform(0, 10))
    return [(max(1, sides()), max(1, sides()), rng.choice([1, 8, 16, 32, 64, 224])) for _ in range(count)]


def free_resizes():
    """Plain resizes, unequal factors, and both sides of Pillow 13's choice between the two orders of passes."""
    shapes = [(40, 30, 40, 11), (40, 30, 13, 30), (40, 30, 97, 7), (5, 1200, 3, 600), (7, 900, 3, 40), (1, 1, 6, 5)]
    shapes += [(19, 22, 12, 8), (43, 44, 26, 9), (45, 22, 8, 3), (28, 21, 48, 15), (25, 31, 22, 26), (30, 40, 20, 50)]
    rng = random.Random(6)
    shapes += [tuple(rng.randint(1, 90) for _ in range(4)) for _ in range(40)]
    for w, h, to_w, to_h in shapes:
        resized = formula_image(w, h).resize((to_w, to_h), Image.Resampling.BICUBIC)
        yield {"from": [w, h], "to": [to_w, to_h], "hash": fingerprint(resized)}


def crops():
    image = formula_image(8, 6)
    for box in BOXES:
        crop = image.crop(box)
        yield {"box": list(box), "size": list(crop.size), "hash": fingerprint(crop), "first": list(crop.tobytes()[:9])}


def normalised():
    """f32 bits of every byte value in every channel: what ToTensor and Normalize do to it."""
    ramp = Image.fromarray(np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2))
    values = pixel_values(ramp, 16).reshape(3, 256).numpy()
    return [[int(bits) for bits in channel.view(np.uint32)] for channel in values]


def decoded():
    """Small files in every mode; the names' endings lie on purpose."""
    folder = GOLDEN / "decode"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rgb = formula_image(9, 7)
    wide = (np.asarray(rgb).astype(np.uint16) * 257 + 40).astype(">u2")
    alpha = rgb.copy()
    alpha.putalpha(rgb.getchannel("B"))
    gray_alpha = rgb.convert("L").copy()
    gray_alpha.putalpha(rgb.getchannel("G"))
    palette = rgb.quantize(16)
    smooth = Image.fromarray(np.fromfunction(lambda y, x, c: 90 + 2 * x + 3 * y + 20 * c, (24, 32, 3)).astype(np.uint8))
    files = [
        ("rgb.jpg", "PNG", rgb),
        ("rgba.png", "PNG", alpha),
        ("gray.png", "PNG", rgb.convert("L")),
        ("gray_alpha.png", "PNG", gray_alpha),
        ("bits.png", "PNG", rgb.convert("1")),
        ("palette.png", "PNG", palette),
        ("image.bmp", "BMP", rgb),
        ("image.tiff", "TIFF", rgb),
        ("image.gif", "GIF", palette),
        ("lossless.webp", "WEBP", rgb),
        ("smooth.png", "JPEG", smooth),
        ("gray.jpg", "JPEG", smooth.convert("L")),
        ("cmyk.jpg", "JPEG", smooth.convert("CMYK")),
    ]
    rows = []
    for name, form, image in files:
        options = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}.get(form, {})
        image.save(folder / name, form, **options)
        rows.append(decoded_row(folder / name))
    turned = Image.Exif()
    turned[0x0112] = 6
    smooth.save(folder / "turned.jpg", "JPEG", quality=95, exif=turned)
    rows.append(decoded_row(folder / "turned.jpg"))
    write_png16(folder / "rgb16.png", wide)
    rows.append(decoded_row(folder / "rgb16.png"))
    return rows


def decoded_row(path):
    with Image.open(path) as image:
        rgb = image.convert("RGB")
    return {"file": path.name, "size": list(rgb.size), "pixels": list(rgb.tobytes())}


def write_png16(path, values):
    """Pillow does not write 16-bit colour."""
    import struct
    import zlib

    height, width, _ = values.shape
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    lines = b"".join(b"\0" + row.tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


if __name__ == "__main__":
    cases = list(KNOWN) + random_sizes(20)
    golden = {
        "preprocess": [preprocessed(*case) for case in cases],
        "resize": list(free_resizes()),
        "crop": list(crops()),
        "normalised": normalised(),
        "decode": decoded(),
    }
    write_json(GOLDEN / "pixels.json", golden)
    write_versions()
