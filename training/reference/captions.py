"""Golden values of the training data: crops by torchvision (tests/golden/crops.json, training/tests/golden/captions/
crop_boxes.json) and small files as webdataset, tarfile, pyarrow and csv write them (training/tests/golden/captions)."""

import csv
import io
import json
import random
import tarfile
from pathlib import Path
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import webdataset as wds
from PIL import Image
from torchvision import transforms
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional

from golden import GOLDEN, fingerprint, formula_image, write_json

HERE = Path(__file__).resolve().parents[1] / "tests" / "golden" / "captions"
RATIO = (3 / 4, 4 / 3)
# Wide, tall and square images; the last two cannot hold a box of the first range and fall back to the centre.
SHAPES = [(640, 480), (480, 640), (256, 256), (500, 333), (37, 53), (7, 7), (2, 3), (1000, 100), (100, 1000)]


def resized_crops():
    """The pixels of crops of formula images after the resize."""
    rng = random.Random(11)
    rows = []
    for _ in range(40):
        width, height = (int(2 ** rng.uniform(0, 9)) for _ in range(2))
        w, h = rng.randint(1, width), rng.randint(1, height)
        x, y = rng.randint(0, width - w), rng.randint(0, height - h)
        rows.append((width, height, rng.choice([1, 16, 32, 224]), x, y, w, h))
    rows += [(640, 480, 224, 13, 9, 611, 455), (300, 700, 224, 0, 3, 290, 690), (224, 224, 224, 0, 0, 224, 224)]
    for width, height, size, x, y, w, h in rows:
        image = formula_image(width, height)
        out = functional.resized_crop(image, y, x, h, w, [size, size], InterpolationMode.BICUBIC)
        yield {"numbers": [width, height, size, x, y, w, h], "hash": fingerprint(out)}


def recorded(width, height, scale, seed):
    """A box, and every number that was drawn for it."""
    areas, aspects, places = [], [], []
    torch.manual_seed(seed)
    empty, exp, randint = torch.empty, torch.exp, torch.randint

    class Uniform:
        def uniform_(self, low, high):
            value = empty(1).uniform_(low, high)
            if (low, high) == tuple(scale):
                areas.append(value.item())
            return value

    def exponential(value):
        out = exp(value)
        aspects.append(out.item())
        return out

    def integer(low, high, size):
        out = randint(low, high, size=size)
        places.append(out.item())
        return out

    with (
        mock.patch.object(torch, "empty", lambda n: Uniform()),
        mock.patch.object(torch, "exp", exponential),
        mock.patch.object(torch, "randint", integer),
    ):
        y, x, h, w = transforms.RandomResizedCrop.get_params(Image.new("RGB", (width, height)), scale, RATIO)
    return {"image": [width, height], "areas": areas, "aspects": aspects, "places": places, "box": [x, y, w, h]}


def box_cases():
    for width, height in SHAPES:
        for i, scale in enumerate([[0.9, 1.0], [0.08, 1.0], [0.3, 0.5]]):
            for j in range(4):
                yield recorded(width, height, scale, 100 * i + j)


def distribution(width, height, scale, count=40_000):
    """Mean and quantiles of a box's area and aspect and of its place, and the share of whole images."""
    torch.manual_seed(5)
    image = Image.new("RGB", (width, height))
    params = transforms.RandomResizedCrop.get_params
    y, x, h, w = np.array([params(image, scale, RATIO) for _ in range(count)]).T
    area, aspect = w * h / (width * height), w / h
    steps = [0.05, 0.25, 0.5, 0.75, 0.95]
    return {
        "image": [width, height],
        "scale": scale,
        "area": [area.mean(), *np.quantile(area, steps)],
        "aspect": [aspect.mean(), *np.quantile(aspect, steps)],
        "x": (x / np.maximum(width - w, 1)).mean(),
        "y": (y / np.maximum(height - h, 1)).mean(),
        "whole": float(((w == width) & (h == height)).mean()),
    }


def jpeg(seed, side=16):
    """A picture that no other seed has."""
    y, x, c = np.mgrid[0:side, 0:side, 0:3]
    pixels = (x * 7 + y * 5 + c * 60 + seed * 37) % 256
    out = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(out, "JPEG", quality=95)
    return out.getvalue()


def meta(key, caption):
    """What img2dataset writes beside an image; Python's NaN included."""
    return {
        "similarity": 0.31,
        "punsafe": float("nan"),
        "top_caption": f"the best of {caption}",
        "all_captions": [f"the best of {caption}"],
        "caption": caption,
        "url": "https://example.org/m.jpg",
        "key": key,
        "status": "success",
        "error_message": None,
        "width": 16,
        "height": 16,
        "exif": "{}",
        "sha256": "ab",
    }


def img2dataset_tar():
    """As img2dataset's WebDatasetSampleWriter: webdataset's TarWriter, samples as they were finished."""
    with wds.TarWriter(str(HERE / "00000.tar")) as tar:
        for row in (3, 0, 2, 1):
            key, caption = f"{row:09d}", f"a red mug number {row} on a wooden desk"
            sample = {"__key__": key, "jpg": jpeg(row), "txt": caption, "json": json.dumps(meta(key, caption), indent=4)}
            tar.write(sample)


def members(names):
    for name, data in names:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        info.mtime = 1700000000.25
        yield info, io.BytesIO(data)


def other_tars():
    """Long and foreign names in both dialects, members of a sample far apart, folders, links and a comment."""
    long = "folder/" * 20 + "a name that is longer than any header has room for"
    for dialect, name in ((tarfile.PAX_FORMAT, "pax.tar"), (tarfile.GNU_FORMAT, "gnu.tar")):
        with tarfile.open(HERE / name, "w", format=dialect, pax_headers={"comment": "global"}) as tar:
            folder = tarfile.TarInfo("folder")
            folder.type = tarfile.DIRTYPE
            tar.addfile(folder)
            link = tarfile.TarInfo("link.jpg")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(link)
            files = [
                ("b.txt", b"second caption\n"),
                (long + ".JPG", jpeg(1)),
                ("Ünï.txt", "drei Äpfel".encode()),
                ("b.png", jpeg(2)),
                (long + ".txt", b" first caption "),
                ("Ünï.webp", jpeg(3)),
                ("Ünï.json", b'{"negatives": ["drei Birnen"]}'),
            ]
            for info, data in members(files):
                tar.addfile(info, data)


def parquets():
    """img2dataset's `parquet` output has groups of 100 rows and nulls for what failed; here of 2. And other layouts."""
    captions = [f"a photo of {n} green apples" for n in ("one", "two", "three", "four", "five")]
    table = pa.table(
        {
            "jpg": pa.array([jpeg(0), None, jpeg(2), jpeg(3), jpeg(4)], pa.binary()),
            "caption": captions,
            "top_caption": [f"best {caption}" for caption in captions],
            "key": [f"{row:09d}" for row in range(5)],
            "status": ["success", "failed_to_download"] + ["success"] * 3,
        }
    )
    pq.write_table(table, HERE / "00000.parquet", row_group_size=2)
    for name, codec, version in (("plain", "none", "1.0"), ("zstd", "zstd", "2.0")):
        table = pa.table(
            {
                "image": pa.array(
                    [{"bytes": jpeg(row % 7), "path": f"{row}.jpg"} for row in range(60)],
                    pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
                ),
                "TEXT": pa.array([f"picture {row}" for row in range(59)] + [None]),
                "negatives": pa.array(
                    [[f"no {row}", "never"], [], None][row % 3] if row % 3 else [f"no {row}", "never"] for row in range(60)
                ),
            }
        )
        small_pages = dict(data_page_size=2000, write_batch_size=4, use_dictionary=["TEXT"], data_page_version=version)
        pq.write_table(table, HERE / f"{name}.parquet", compression=codec, **small_pages)


def tables():
    """open_clip's TSV, NegCLIP's with Python's lists, and a CSV with quotes and line breaks."""
    for row in range(3):
        (HERE / "images" / f"{row}.jpg").write_bytes(jpeg(row))
    rows = [("images/0.jpg", "a dog on the sofa"), ("images/1.jpg", 'he said "no", twice\nin two lines'), ("images/2.jpg", "three")]
    negatives = [["a sofa on the dog", "a dog's sofa"], [], ['"quoted", with a comma']]
    for name, tab in (("open_clip.tsv", "\t"), ("plain.csv", ",")):
        with open(HERE / name, "w", newline="") as file:
            out = csv.writer(file, delimiter=tab)
            out.writerow(["filepath", "title"])
            out.writerows(rows)
    with open(HERE / "negclip.tsv", "w", newline="") as file:
        out = csv.writer(file, delimiter="\t", lineterminator="\n")
        out.writerow(["", "title", "filepath", "neg_caption", "neg_image"])
        for i, ((path, title), wrong) in enumerate(zip(rows, negatives)):
            out.writerow([i, title, path, wrong, [1, 2]])


if __name__ == "__main__":
    (HERE / "images").mkdir(parents=True, exist_ok=True)
    write_json(GOLDEN / "crops.json", list(resized_crops()))
    spread = [distribution(640, 480, (0.9, 1.0)), distribution(333, 500, (0.5, 1.0)), distribution(256, 256, (0.9, 1.0))]
    write_json(HERE / "crop_boxes.json", {"boxes": list(box_cases()), "distribution": spread})
    img2dataset_tar()
    other_tars()
    parquets()
    tables()
