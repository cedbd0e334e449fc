"""Every benchmark on data that clove did not write: counts of `clove evaluate --json` against open_clip.

    python independent.py --clove ../../target/debug/clove --workdir /tmp/independent [--only cola winoground] [--seed 0]

Makes a data folder per published layout, from the descriptions of the formats alone, with pictures of odd sizes and
modes: grey, grey with alpha, palette, RGBA, one bit, CMYK, one pixel wide, 300 times as long as wide, PNG content under
the name .jpg. They are stored without loss, so that both sides see the same pixels, but for CMYK JPEG files. Then
a small random CLIP model scores them here, with open_clip's towers and tokenizer and torchvision's transform, by each
reference's own comparison; and clove scores the same files. Labels of recognition sets are drawn so that about half of
the images are right. Prints a line per task and exits with 1 if any count or macro mean differs.

Pictures become RGB before they are resized, as in the loaders of ARO and torchvision. SugarCrepe's and Winoground's own
scripts give palette and RGBA pictures to the transform as they are; their published pictures are nearly all RGB.
"""

import argparse
import csv
import hashlib
import io
import json
import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
import scipy.io
import torch
import webdataset
from open_clip.tokenizer import SimpleTokenizer
from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES, OPENAI_IMAGENET_TEMPLATES
from PIL import Image

from golden import pixel_values
from models import OpenClip, Spec, randomise

SPEC = Spec(64, 64, 16, 96, 3, 3, 64, 2, 2, 77, 49408, True)
WNIDS = [
    line.split("\t")[0]
    for line in (Path(__file__).resolve().parents[2] / "assets" / "imagenet_classes.tsv").read_text().splitlines()
]
FIRST_FIVE = [65, 970, 230, 809, 516]
NOUNS = "dog cat horse mug table lamp bicycle umbrella boat kite child woman bench pizza laptop zebra".split()
ADJECTIVES = "red blue wet old shiny striped wooden tiny broken yellow".split()
VERBS = "holding chasing watching carrying touching".split()
RELATIONS = ["to the left of", "on", "under", "in", "behind", "next to", "near", "eating"]
EXCLUDED = {"next to", "near"}


class Pictures:
    """Draws pictures in all modes; every third call another size."""

    SIZES = [(91, 67), (64, 64), (1, 40), (300, 1), (3, 5), (700, 23), (131, 257), (80, 60), (65, 64), (40, 1), (222, 333)]
    MODES = ["RGB", "L", "RGBA", "P", "LA", "1", "CMYK"]

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.n = 0

    def draw(self):
        self.n += 1
        width, height = self.SIZES[self.n % len(self.SIZES)]
        x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
        planes = []
        for _ in range(4):
            a, b, c, d = self.rng.uniform(-9, 9, 4)
            planes.append(127.5 + 127.5 * np.sin(a * x + b * y + c + d * x * y))
        noise = self.rng.uniform(-30, 30, (height, width, 4))
        pixels = np.clip(np.stack(planes, -1) + noise, 0, 255).astype(np.uint8)
        return pixels

    def encoded(self, kinds=("PNG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "JPEG")):
        """Bytes of a picture. Kinds that cannot hold its mode become PNG."""
        pixels = self.draw()
        mode = self.MODES[self.n % len(self.MODES)]
        kind = kinds[(self.n // 3) % len(kinds)]
        rgb = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
        if mode == "CMYK":
            image, kind = Image.fromarray(pixels, "CMYK"), "JPEG"
        elif mode == "RGBA":
            image = Image.fromarray(pixels, "RGBA")
            kind = "WEBP" if kind == "WEBP" else "PNG"
        elif mode == "LA":
            image, kind = Image.merge("LA", [rgb.convert("L"), Image.fromarray(np.ascontiguousarray(pixels[..., 3]))]), "PNG"
        elif mode == "P":
            image = rgb.quantize(17)
            kind = kind if kind in ("PNG", "GIF", "BMP") else "PNG"
        else:
            image = rgb.convert(mode)
            kind = "PNG" if kind in ("JPEG", "GIF") or (mode == "1" and kind == "WEBP") else kind
        options = {"WEBP": {"lossless": True, "exact": True}, "JPEG": {"quality": 97}}.get(kind, {})
        data = io.BytesIO()
        image.save(data, kind, **options)
        return data.getvalue()

    def file(self, path, **options):
        """A picture under a name whose ending says nothing about its content."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.encoded(**options))
        return path


class Model:
    """open_clip's towers with everything cached."""

    def __init__(self, folder):
        self.folder = folder
        self.model = randomise(OpenClip.build(SPEC), 3)
        with torch.no_grad():
            # Random towers give all pictures nearly one embedding; more of the pixels makes answers differ.
            self.model.visual.conv1.weight.mul_(3)
        OpenClip.save(self.model, folder, SPEC)
        self.tokenizer = SimpleTokenizer()
        self.texts_seen, self.images_seen = {}, {}

    @torch.no_grad()
    def texts(self, captions):
        new = [c for c in dict.fromkeys(captions) if c not in self.texts_seen]
        for i in range(0, len(new), 512):
            part = new[i : i + 512]
            ids = self.tokenizer(part)
            longest = int(ids.argmax(1).max()) + 1
            # The rest is padding behind the end, which a causal tower does not see.
            full, mask = self.model.positional_embedding.data, self.model.attn_mask
            self.model.positional_embedding.data = full[:longest]
            self.model.attn_mask = mask[:longest, :longest]
            features = self.model.encode_text(ids[:, :longest])
            self.model.positional_embedding.data, self.model.attn_mask = full, mask
            for caption, vector in zip(part, unit(features)):
                self.texts_seen[caption] = vector
        return torch.stack([self.texts_seen[c] for c in captions])

    @torch.no_grad()
    def images(self, names):
        """`names` are paths, (path, box) or bytes."""
        keys = [hashlib.sha256(name).digest() if isinstance(name, bytes) else name for name in names]
        new = [(key, name) for key, name in dict(zip(keys, names)).items() if key not in self.images_seen]
        for i in range(0, len(new), 128):
            part = new[i : i + 128]
            pixels = torch.stack([self.pixels(name) for _, name in part])
            for (key, _), vector in zip(part, unit(self.model.encode_image(pixels))):
                self.images_seen[key] = vector
        return torch.stack([self.images_seen[key] for key in keys])

    @staticmethod
    def pixels(name):
        path, box = name if isinstance(name, tuple) else (name, None)
        image = Image.open(io.BytesIO(path) if isinstance(path, bytes) else path)
        return pixel_values(image.convert("RGB").crop(box) if box else image, SPEC.image)

    @torch.no_grad()
    def classifier(self, classes, templates):
        """Normalised means of normalised prompts, a row per class."""
        rows = []
        for name in classes:
            prompts = [t(name) if callable(t) else t.replace("{c}", name).replace("{}", name) for t in templates]
            rows.append(unit(self.texts(prompts).mean(0, keepdim=True))[0])
        return torch.stack(rows)


def unit(vectors):
    return vectors / vectors.norm(dim=-1, keepdim=True)


class Words:
    """Captions of the kinds that the sets hold."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def thing(self):
        return f"{self.rng.choice(ADJECTIVES)} {self.rng.choice(NOUNS)}"

    def pair(self):
        """A caption and one with its two things in each other's place."""
        first, second, verb = self.thing(), self.thing(), self.rng.choice(VERBS)
        return f"a {first} {verb} the {second}", f"a {second} {verb} the {first}"

    def plain(self):
        return self.pair()[0]


class Room:
    """Where one set is made, and the tools for it."""

    def __init__(self, folder, model, seed):
        self.folder, self.model = folder, model
        self.pictures, self.words = Pictures(seed), Words(seed)
        self.rng = random.Random(seed + 1)

    def write(self, name, value):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    def labels(self, images, classifier):
        """Labels of which about half are right, some in the best five, some neither. JPEG decoders differ by a few levels,
        so a JPEG file is right only where that cannot matter, and else belongs to the class that is farthest from it."""
        similarities = self.model.images(images) @ classifier.T
        best = similarities.topk(min(9, len(classifier)))
        labels = []
        for image, all_, near, row in zip(images, similarities, best.values, best.indices.tolist()):
            label = row[self.rng.choice([0, 0, 0, 1, 3, len(row) - 1])]
            if image[:2] == b"\xff\xd8":
                label = row[0] if near[0] - near[1] > 1e-3 else int(all_.argmin())
            labels.append(label)
        return labels


def topk(model, images, labels, classifier):
    similarities = model.images(images) @ classifier.T
    best = similarities.topk(min(5, len(classifier))).indices
    labels = torch.tensor(labels)[:, None]
    sorted_, _ = similarities.sort(descending=True)
    margin = min((sorted_[:, 0] - sorted_[:, 1]).min().item(), (sorted_[:, 4] - sorted_[:, 5]).min().item() if len(classifier) > 5 else 1)
    counts = {"top1": (best[:, :1] == labels).sum().item(), "top5": (best == labels).any(1).sum().item()}
    return {(None, metric): (n, len(images), margin) for metric, n in counts.items()}


def choice(model, rows, right, rule):
    """Rows are (image, captions): right, scored, ties and the smallest gap that is no tie."""
    # Row by row, so that equal captions have equal similarities: a matrix product may round each column in its own way.
    similarities = [(model.images([image]) * model.texts(captions)).sum(-1) for image, captions in rows]
    return judged(similarities, right, rule)


def judged(similarities, right, rule):
    correct, gap = [], 1.0
    for s in similarities:
        others = torch.cat([s[:right], s[right + 1 :]])
        correct.append({"argmax": int(np.argmax(s.numpy())) == right, "strict": bool((s[right] > others).all())}[rule])
        near = (s[right] - others).abs()
        near = near[near > 0]
        gap = min([gap, *near.tolist()])
    return correct, gap


# The sets. Each makes its files and returns {(task, metric): (correct, scored, smallest gap, value or None)}.


def imagenet_templates(room, templates):
    room.write("imagenet_templates.json", {"imagenet1k": [t("{c}") for t in templates]})


def imagenet(room, layout, templates):
    classifier = room.model.classifier(IMAGENET_CLASSNAMES, templates)
    if len(templates) != len(OPENAI_IMAGENET_TEMPLATES):
        imagenet_templates(room, templates)
    if layout == "v2":
        root = room.folder / "imagenetv2-matched-frequency-format-val"
        drawn = [room.pictures.encoded() for _ in range(40)]
        labels = room.labels(drawn, classifier)
        paths = []
        for i, (data, label) in enumerate(zip(drawn, labels)):
            paths.append(root / str(label) / f"{i:03d}abc.jpeg")
            paths[-1].parent.mkdir(parents=True, exist_ok=True)
            paths[-1].write_bytes(data)
        return topk(room.model, paths, labels, classifier)
    drawn = [room.pictures.encoded() for _ in range(60)]
    labels = FIRST_FIVE + room.labels(drawn[5:], classifier)
    names = [f"ILSVRC2012_val_{i + 1:08d}.JPEG" for i in range(len(drawn))]
    paths = []
    for name, data, label in zip(names, drawn, labels):
        folder = room.folder / ("val" if layout != "folders" else f"val/{WNIDS[label]}")
        folder.mkdir(parents=True, exist_ok=True)
        paths.append(folder / name)
        paths[-1].write_bytes(data)
    if layout == "caffe":
        room.write("val.txt", "".join(f"{name} {label}\n" for name, label in zip(names, labels)))
    elif layout == "kaggle":
        rows = [f"{name[:-5]},{WNIDS[label]} 1 2 30 40 {WNIDS[0]} 5 6 7 8" for name, label in zip(names, labels)]
        # Kaggle's file is not in the order of the images.
        room.rng.shuffle(rows)
        room.write("LOC_val_solution.csv", "\n".join(["ImageId,PredictionString", *rows]))
    elif layout == "tensorflow":
        room.write("imagenet_2012_validation_synset_labels.txt", "".join(f"{WNIDS[label]}\n" for label in labels))
    elif layout == "devkit":
        ids = list(range(1, 1001))
        room.rng.shuffle(ids)
        # The devkit's first four ids are known.
        for label, known in zip(FIRST_FIVE, [490, 361, 171, 822]):
            other = ids.index(known)
            ids[other], ids[label] = ids[label], known
        data = room.folder / "ILSVRC2012_devkit_t12" / "data"
        data.mkdir(parents=True)
        (data / "ILSVRC2012_validation_ground_truth.txt").write_text("".join(f"{ids[label]}\n" for label in labels))
        fields = [("ILSVRC2012_ID", object), ("WNID", object), ("words", object), ("gloss", object), ("num_children", object), ("children", object), ("wordnet_height", object), ("num_train_images", object)]
        synsets = np.zeros((1010, 1), dtype=fields)
        rows = sorted(zip(ids, WNIDS)) + [(1001 + i, f"n9000000{i}") for i in range(10)]
        for row, (number, wnid) in zip(synsets[:, 0], rows):
            inner = number > 1000
            for (name, _), value in zip(fields, [float(number), wnid, "words, more", "a gloss", 2.0 if inner else 0.0, [1.0, 2.0] if inner else [], 1.0, 1300.0]):
                row[name] = value
        scipy.io.savemat(data / "meta.mat", {"synsets": synsets}, do_compression=True)
    return topk(room.model, paths, labels, classifier)


def cifar(room, fine):
    names = [f"{a} {n}".replace(" ", "_") for a in ADJECTIVES for n in NOUNS][: 100 if fine else 10]
    photos = ["", "blurry ", "black and white ", "low contrast ", "high contrast ", "bad ", "good "]
    templates = [f"a {p}photo of {art} {{}}." for art in ("a", "the") for p in photos]
    templates += [f"a photo of {art} {size} {{}}." for art in ("a", "the") for size in ("small", "big")]
    classifier = room.model.classifier([name.replace("_", " ") for name in names], templates)
    pixels = [np.asarray(Image.open(io.BytesIO(room.pictures.encoded())).convert("RGB").resize((32, 32))) for _ in range(80)]
    images = []
    for array in pixels:
        data = io.BytesIO()
        Image.fromarray(array).save(data, "PNG")
        images.append(data.getvalue())
    labels = room.labels(images, classifier)
    folder = room.folder / ("cifar-100-binary" if fine else "cifar-10-batches-bin")
    folder.mkdir(parents=True)
    (folder / ("fine_label_names.txt" if fine else "batches.meta.txt")).write_text("\n".join(names) + "\n\n")
    records = [bytes([7, label] if fine else [label]) + array.transpose(2, 0, 1).tobytes() for array, label in zip(pixels, labels)]
    (folder / ("test.bin" if fine else "test_batch.bin")).write_bytes(b"".join(records))
    return topk(room.model, images, labels, classifier)


def folder(room):
    names, templates = [f"{a} {n}" for a in ADJECTIVES[:3] for n in NOUNS[:5]], ["a photo of a {}.", "the {}", "{}, again"]
    classifier = room.model.classifier(names, templates)
    drawn = [room.pictures.encoded() for _ in range(90)]
    labels = room.labels(drawn, classifier)
    # Integer folders, which are not sorted as text.
    for label in range(len(names)):
        (room.folder / "shapes" / str(label)).mkdir(parents=True)
    paths = []
    for i, (data, label) in enumerate(zip(drawn, labels)):
        paths.append(room.folder / "shapes" / str(label) / f"{i}.{room.rng.choice(['jpg', 'PNG', 'webp', 'tiff'])}")
        paths[-1].write_bytes(data)
    room.write("shapes/classes.txt", "\n".join(names))
    room.write("shapes/templates.txt", "\n".join(templates))
    return topk(room.model, paths, labels, classifier)


def webdatasets(room):
    results = {}
    names, templates = [f"{a} {n}" for a in ADJECTIVES[:4] for n in NOUNS[:3]], ["a photo of a {c}.", "art of the {c}."]
    classifier = room.model.classifier(names, templates)
    drawn = [room.pictures.encoded() for _ in range(50)]
    labels = room.labels(drawn, classifier)
    room.write("wds/things/classnames.txt", "\n".join(names))
    room.write("wds/things/zeroshot_classification_templates.txt", "\n".join(templates))
    room.write("wds/things/test/nshards.txt", "2")
    for shard in range(2):
        with webdataset.TarWriter(str(room.folder / f"wds/things/test/{shard}.tar")) as sink:
            for i in range(25 * shard, 25 * shard + 25):
                ending = ["webp", "png", "jpg"][i % 3]
                sink.write({"__key__": f"s{i:07d}", ending: drawn[i], "cls": str(labels[i])})
    results |= {("things", metric): found for (_, metric), found in topk(room.model, drawn, labels, classifier).items()}
    images = [room.pictures.encoded() for _ in range(40)]
    captions = [[room.words.plain() + (" \nagain" if i % 9 == 0 else "") for _ in range(1 + i % 3)] for i in range(40)]
    room.write("wds/texts/dataset_type.txt", "retrieval")
    room.write("wds/texts/test/nshards.txt", "1")
    with webdataset.TarWriter(str(room.folder / "wds/texts/test/0.tar")) as sink:
        for i, (image, texts) in enumerate(zip(images, captions)):
            joined = "\n".join(text.replace("\n", "\\n") for text in texts)
            sink.write({"__key__": f"s{i:07d}", "png": image, "txt": joined})
    for (task, metric), found in recall(room.model, images, captions).items():
        results[f"texts-{task}", metric] = found
    return results


def recall(model, images, captions):
    """CLIP_benchmark's recall in both directions; among equals the first."""
    texts = [text for row in captions for text in row]
    owner = torch.tensor([i for i, row in enumerate(captions) for _ in row])
    s = model.images(images) @ model.texts(texts).T
    results = {}
    order_texts, order_images = (-s).sort(dim=1, stable=True).indices, (-s.T).sort(dim=1, stable=True).indices
    gap = lambda m: float((m.sort(1).values.diff(dim=1)).abs().clamp(min=1e-12).min())
    for k in (1, 5, 10):
        hits = (owner[order_texts[:, :k]] == torch.arange(len(images))[:, None]).any(1).sum().item()
        results["image-to-text", f"recall@{k}"] = (hits, len(images), gap(s))
        hits = (order_images[:, :k] == owner[:, None]).any(1).sum().item()
        results["text-to-image", f"recall@{k}"] = (hits, len(texts), gap(s.T))
    return results


def aro(room, kind):
    images = [room.pictures.file(room.folder / "aro" / "images" / f"{100 + i}.jpg") for i in range(30)]
    rows, asked, groups = [], [], []
    for i in range(240):
        image = images[i % len(images)]
        width, height = Image.open(image).size
        x, y = room.rng.uniform(-3, width / 2), room.rng.uniform(-3, height / 2)
        w, h = room.rng.uniform(1.6, width + 5), room.rng.uniform(1.6, height + 5)
        if i % 3 == 0:
            x, y, w, h = int(x), int(y), int(w) + 1, int(h) + 1
        true, false = room.words.pair()
        if i % 40 == 0:
            false = true
        row = {"image_id": image.stem, "image_path": image.name, "bbox_x": x, "bbox_y": y, "bbox_w": w, "bbox_h": h,
               "true_caption": true, "false_caption": false, "split": "test", "extra": [1, None]}
        if kind == "relation":
            row["relation_name"] = group = RELATIONS[i % len(RELATIONS)]
        else:
            row["attributes"] = [["red", "wet"], ["wet", "red"], ["old", "tiny"]][0 if i % 5 < 2 else 1 if i % 5 < 4 else i % 3 % 2 + 1]
            group = "_".join(row["attributes"])
        rows.append(row)
        if group not in EXCLUDED:
            asked.append(((image, (x, y, x + w, y + h)), [false, true]))
            groups.append(group)
    room.write(f"aro/visual_genome_{kind}.json", rows)
    correct, gap = choice(room.model, asked, 1, "argmax")
    shares = [np.mean([c for c, g in zip(correct, groups) if g == group]) for group in dict.fromkeys(groups)
              if kind == "relation" or groups.count(group) >= 25]
    return {(None, "macro-accuracy"): (sum(correct), len(correct), gap, 100 * float(np.mean(shares)))}


def orders(room, flickr):
    rows, asked = [], []
    base = room.folder / ("flickr_order" if flickr else "coco_order")
    for i in range(120):
        name = f"flickr30k-images/{i % 40}.jpg" if flickr else f"val2014/COCO_val2014_{i % 40:012d}.jpg"
        if i < 40:
            room.pictures.file(base / name)
        words = room.words.plain().split(" ")
        options = [" ".join(words)]
        for _ in range(4):
            room.rng.shuffle(words)
            options.append(" ".join(words))
        if i % 10 == 0:
            options[2] = options[0]
        rows.append({"image_path": name, "caption_options": options})
        asked.append((base / name, options))
    room.write(f"{base.name}/instances.json", rows)
    correct, gap = choice(room.model, asked, 0, "argmax")
    return {(None, "accuracy"): (sum(correct), len(correct), gap)}


def sugarcrepe(room):
    results, images = {}, [room.pictures.file(room.folder / "sugarcrepe/val2017" / f"{i:012d}.jpg") for i in range(35)]
    for task in ["add_obj", "add_att", "replace_obj", "replace_att", "replace_rel", "swap_obj", "swap_att"]:
        rows, asked = {}, []
        for i in range(60):
            if (task, i) == ("swap_obj", 7):
                continue
            caption, negative = room.words.pair()
            caption = f" {caption}\n" if i % 6 == 0 else caption
            image = room.rng.choice(images)
            rows[str(i)] = {"filename": image.name, "caption": caption, "negative_caption": negative}
            asked.append((image, [caption, negative]))
        room.write(f"sugarcrepe/{task}.json", rows)
        correct, gap = choice(room.model, asked, 0, "strict")
        results[task, "accuracy"] = (sum(correct), len(correct), gap)
    return results


def sugarcrepe_pp(room):
    results, images = {}, [room.pictures.file(room.folder / "pp/val2017" / f"{i:012d}.jpg") for i in range(25)]
    for task in ["replace_att", "replace_obj", "replace_rel", "swap_att", "swap_obj"]:
        rows, itt, tot, gap = [], 0, 0, 1.0
        for i in range(50):
            caption, negative = room.words.pair()
            row = {"id": i, "filename": room.rng.choice(images).name, "caption": caption,
                   "caption2": caption.replace("a ", "there is a ", 1), "negative_caption": negative}
            rows.append(row)
            image = room.model.images([room.folder / "pp/val2017" / row["filename"]])[0]
            p1, p2, n = room.model.texts([row["caption"], row["caption2"], row["negative_caption"]])
            itt += bool(image @ p1 > image @ n and image @ p2 > image @ n)
            tot += bool(p1 @ p2 > p1 @ n and p1 @ p2 > p2 @ n)
            gap = min(gap, *(float(d) for d in ((image @ p1 - image @ n).abs(), (image @ p2 - image @ n).abs(), (p1 @ p2 - p1 @ n).abs(), (p1 @ p2 - p2 @ n).abs()) if d > 0))
        room.write(f"pp/{task}.json", rows)
        results |= {(f"{task}-itt", "accuracy"): (itt, 50, gap), (f"{task}-tot", "accuracy"): (tot, 50, gap)}
    return results


def svo(room):
    urls = [f"https://example.org/pictures/{i},x.jpg?q=\"{i}\"" for i in range(40)]
    name = lambda url: hashlib.md5(url.encode()).hexdigest()
    for url in urls[:36]:
        room.pictures.file(room.folder / "svo/images" / name(url))
    counts = {kind: [0, 0, 1.0] for kind in ("subject", "verb", "object")}
    columns = ["sentence", "pos_triplet", "neg_triplet", "subj_neg", "verb_neg", "obj_neg", "pos_image_id", "neg_image_id", "pos_url", "neg_url"]
    data = io.StringIO()
    writer = csv.DictWriter(data, columns)
    writer.writeheader()
    for i in range(200):
        sentence = f'{room.words.plain()}, "{i}"' if i % 7 == 0 else room.words.plain()
        kind = ["subject", "verb", "object"][i % 3]
        a, b = room.rng.sample(range(len(urls)), 2)
        flags = {"subj_neg": kind == "subject", "verb_neg": kind == "verb", "obj_neg": kind == "object" or i % 11 == 0}
        writer.writerow({"sentence": sentence, "pos_triplet": "a,b,c", "neg_triplet": "['a,d,c']", **flags, "pos_image_id": 1000 + a,
                         "neg_image_id": 1000 + b, "pos_url": urls[a], "neg_url": urls[b]})
        if max(a, b) < 36:
            images = room.model.images([room.folder / "svo/images" / name(urls[j]) for j in (a, b)])
            s = images @ room.model.texts([sentence])[0]
            found = counts[kind]
            found[0] += bool(s[0] > s[1])
            found[1] += 1
            found[2] = min(found[2], float((s[0] - s[1]).abs()))
    room.write("svo/svo_probes.csv", data.getvalue())
    return {(kind, "accuracy"): tuple(found) for kind, found in counts.items()}


def crossed(model, items):
    """Winoground's three scores; items are ((image, image), (caption, caption))."""
    counts, gap = {"text": 0, "image": 0, "group": 0}, 1.0
    for images, captions in items:
        s = model.images(images) @ model.texts(captions).T
        text = bool(s[0, 0] > s[0, 1] and s[1, 1] > s[1, 0])
        image = bool(s[0, 0] > s[1, 0] and s[1, 1] > s[0, 1])
        counts["text"] += text
        counts["image"] += image
        counts["group"] += text and image
        gap = min([gap, *[float(d) for d in (s[0, 0] - s[0, 1], s[1, 1] - s[1, 0], s[0, 0] - s[1, 0], s[1, 1] - s[0, 1]) if d != 0 for d in [d.abs()]]])
    return {(task, "accuracy"): (n, len(items), gap) for task, n in counts.items()}


def winoground(room, parquet):
    rows, items = [], []
    for i in range(100):
        captions = room.words.pair()
        row = {"id": i, "caption_0": captions[0], "caption_1": captions[1], "tag": "Object", "secondary_tag": "", "num_main_preds": 1, "collapsed_tag": "Both"}
        if parquet:
            images = [room.pictures.encoded(), room.pictures.encoded()]
            row |= {f"image_{j}": {"bytes": images[j], "path": None} for j in (0, 1)}
        else:
            images = [room.pictures.file(room.folder / "winoground/data/images" / f"ex_{i}_img_{j}.png") for j in (0, 1)]
            row |= {f"image_{j}": f"ex_{i}_img_{j}" for j in (0, 1)}
        rows.append(row)
        items.append((images, captions))
    if parquet:
        import pyarrow as pa
        import pyarrow.parquet as pq

        folder = room.folder / "winoground" / "data"
        folder.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows), folder / "test-00000-of-00001.parquet", row_group_size=40)
    else:
        room.write("winoground/data/examples.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    return crossed(room.model, items)


def colorswap(room):
    rows, items = [], []
    for i in range(80):
        captions = room.words.pair()
        images = [room.pictures.file(room.folder / "colorswap/images" / f"img_{i}_{j}.png") for j in (1, 2)]
        rows.append({"id": i, "caption_1": captions[0], "caption_2": captions[1], "image_1": f"images/img_{i}_1.png",
                     "image_2": f"images/img_{i}_2.png", "image_source": "midjourney", "caption_source": "human"})
        items.append((images, captions))
    room.write("colorswap/data/test.json", rows)
    return crossed(room.model, items)


def cola(room):
    rows, correct, gap = [], 0, 1.0
    ids = [7000 + i for i in range(60)]
    for i, number in enumerate(ids):
        room.pictures.file(room.folder / ("VG_100K" if i % 2 else "VG_100K_2") / f"{number}.jpg")
    path = lambda i: room.folder / ("VG_100K" if i % 2 else "VG_100K_2") / f"{ids[i]}.jpg"
    for _ in range(90):
        a, b = room.rng.sample(range(60), 2)
        captions = room.words.pair()
        url = lambda i: f"https://cs-people.bu.edu/array/data/vg_gqa_images/{ids[i]}.jpg"
        rows.append([url(a), captions[0], url(b), captions[1]])
        s = room.model.images([path(a), path(b)]) @ room.model.texts(captions).T
        correct += bool(s[0, 0] > s[1, 0] and s[1, 1] > s[0, 1])
        gap = min(gap, float((s[0] - s[1]).abs().min()))
    room.write("COLA_multiobjects_matching_benchmark.json", rows)
    return {(None, "accuracy"): (correct, 90, gap)}


def pairs(room):
    lines, asked = [], []
    images = [room.pictures.file(room.folder / "mine/images" / f"{i}.png") for i in range(30)]
    for i in range(80):
        caption, negative = room.words.pair()
        negatives = [negative, *(room.words.plain() for _ in range(i % 3))]
        image = images[i % 30]
        lines.append(json.dumps({"image": image.name, "caption": caption, "negatives": negatives, "tags": ["x"]}))
        asked.append((image, [caption, *negatives]))
    room.write("mine/pairs.jsonl", "\n".join(lines))
    correct, gap = choice(room.model, asked, 0, "strict")
    return {(None, "accuracy"): (sum(correct), len(correct), gap)}


def retrieval(room, form):
    captions = [[f"{room.words.plain()}, {room.words.plain()}" for _ in range(6 if i % 8 == 0 else 5)] for i in range(45)]
    if form == "flickr":
        names = [f"flickr30k-images/{1000 + i}.jpg" for i in range(45)]
    else:
        names = [f"val2014/COCO_val2014_{17 * i:012d}.jpg" for i in range(45)]
    paths = [room.pictures.file(room.folder / "set" / name) for name in names]
    if form == "salesforce":
        room.write("set/coco_karpathy_test.json", [{"image": n, "caption": c} for n, c in zip(names, captions)])
    elif form == "karpathy":
        rows = []
        for i, (name, texts) in enumerate(zip(names, captions)):
            sentences = [{"tokens": t.split(), "raw": t, "imgid": i, "sentid": 9 * i + j} for j, t in enumerate(texts)]
            rows.append({"filepath": "val2014", "filename": name.split("/")[1], "imgid": i, "split": "test", "sentids": [s["sentid"] for s in sentences],
                         "sentences": sentences, "cocoid": 17 * i})
            rows.append({"filepath": "val2014", "filename": "other.jpg", "imgid": 900 + i, "split": ["train", "restval", "val"][i % 3], "sentids": [], "sentences": [], "cocoid": 1})
        room.write("set/dataset_coco.json", {"images": rows, "dataset": "coco"})
    elif form == "clip_benchmark":
        rows = {"images": [{"id": 17 * i, "file_name": n.split("/")[1]} for i, n in enumerate(names)],
                "annotations": [{"image_id": 17 * i, "id": 100 * i + j, "caption": t} for i, row in enumerate(captions) for j, t in enumerate(row)]}
        room.write("set/coco_test_karpathy.json", rows)
    else:
        lines = ["image,caption", *(f"{n.split('/')[1]},{t}" for n, row in zip(names, captions) for t in row)]
        room.write("set/flickr30k_test_karpathy.txt", "\n".join(lines))
    return recall(room.model, paths, captions)


FEW = OPENAI_IMAGENET_TEMPLATES[:2]
SETS = {
    "imagenet-folders": ("imagenet", lambda room: imagenet(room, "folders", OPENAI_IMAGENET_TEMPLATES)),
    "imagenet-caffe": ("imagenet", lambda room: imagenet(room, "caffe", FEW)),
    "imagenet-devkit": ("imagenet", lambda room: imagenet(room, "devkit", FEW)),
    "imagenet-kaggle": ("imagenet", lambda room: imagenet(room, "kaggle", FEW)),
    "imagenet-tensorflow": ("imagenet", lambda room: imagenet(room, "tensorflow", FEW)),
    "imagenet-v2": ("imagenet-v2", lambda room: imagenet(room, "v2", FEW)),
    "cifar10": ("cifar10", lambda room: cifar(room, False)),
    "cifar100": ("cifar100", lambda room: cifar(room, True)),
    "folder": ("folder", folder),
    "webdataset": ("webdataset", webdatasets),
    "aro-relation": ("aro-relation", lambda room: aro(room, "relation")),
    "aro-attribution": ("aro-attribution", lambda room: aro(room, "attribution")),
    "aro-coco-order": ("aro-coco-order", lambda room: orders(room, False)),
    "aro-flickr-order": ("aro-flickr-order", lambda room: orders(room, True)),
    "sugarcrepe": ("sugarcrepe", sugarcrepe),
    "sugarcrepe-pp": ("sugarcrepe-pp", sugarcrepe_pp),
    "svo-probes": ("svo-probes", svo),
    "winoground-lines": ("winoground", lambda room: winoground(room, False)),
    "winoground-parquet": ("winoground", lambda room: winoground(room, True)),
    "cola": ("cola", cola),
    "colorswap": ("colorswap", colorswap),
    "retrieval-salesforce": ("retrieval-coco", lambda room: retrieval(room, "salesforce")),
    "retrieval-karpathy": ("retrieval-coco", lambda room: retrieval(room, "karpathy")),
    "retrieval-clip-benchmark": ("retrieval-coco", lambda room: retrieval(room, "clip_benchmark")),
    "retrieval-flickr": ("retrieval-flickr", lambda room: retrieval(room, "flickr")),
    "pairs": ("pairs", pairs),
}


def clove(args, model, benchmark, data):
    command = [args.clove, "evaluate", "--base", str(model.folder), "--benchmark", benchmark, "--data", str(data), "--json", "--device", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{benchmark} in {data}: {done.stderr}")
    rows = json.loads(done.stdout)["results"]
    return {(row["task"], row["metric"]): row for row in rows}


def compare(name, benchmark, ours, theirs):
    differ = 0
    for (task, metric), (correct, scored, gap, *value) in theirs.items():
        row = ours.get((task, metric))
        found = row and (row["correct"], row["scored"])
        equal = found == (correct, scored) and (not value or abs(row["value"] - value[0]) < 1e-9)
        differ += not equal
        label = "/".join(filter(None, [name, task]))
        print(f"{'equal ' if equal else 'DIFFERS'} {label:34} {metric:14} {correct:4} of {scored:4}, clove {found}, ties {row and row['ties']}, smallest gap {gap:.1e}", flush=True)
    return differ


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--clove", required=True)
    parser.add_argument("--workdir", required=True, type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    shutil.rmtree(args.workdir, ignore_errors=True)
    model, differ, compared = Model(args.workdir / "model"), 0, 0
    for i, (name, (benchmark, make)) in enumerate(SETS.items()):
        if args.only and name not in args.only:
            continue
        room = Room(args.workdir / name, model, 1000 * args.seed + 31 * i)
        room.folder.mkdir(parents=True)
        theirs = make(room)
        compared += len(theirs)
        differ += compare(name, benchmark, clove(args, model, benchmark, room.folder), theirs)
    print(f"{compared - differ} of {compared} counts are equal")
    raise SystemExit(bool(differ))


if __name__ == "__main__":
    main()
