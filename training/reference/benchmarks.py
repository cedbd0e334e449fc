"""Golden values of the benchmarks: tests/golden/benchmarks.json and tests/golden/benchmarks/.

Word orders by NumPy's and Python's generators and NLTK's tokenizer, verdicts by the references' own comparisons
(`numpy.argmax`, `torch.topk`, strict inequalities), and small files as scipy, pandas, webdataset and pyarrow write them.
"""

import csv
import io
import random
import re
import shutil
from importlib.metadata import version

import numpy as np
import scipy.io
import torch
import webdataset
from nltk.tokenize import NLTKWordTokenizer

from golden import GOLDEN, formula_image, write_json

FOLDER = GOLDEN / "benchmarks"

SENTENCES = [
    "a man , a plan .",
    "The man's dog isn't here.",
    'A sign reading "big" (and "small") cannot be read',
    "a 2.5-foot t-shirt/hat costs $3.50, or 1,000 yen",
    "Two dogs -- one brown, one black -- are gonna run...",
    "it's 12:30: time to eat; isn't that so?",
    "the dogs' owner's ball & a 'quoted' word",
    "A woman's “curly” quotes and don’t",
    "wow! what's that [thing] {here} <there> *now* #tag @me 50%",
    "'tis a cat, 'twas a dog",
    "a d'ye gimme lemme gotta wanna go more'n that",
    "trailing spaces   and\ttabs \n",
    "(An ending in brackets.)",
    'He said "go."',
    "",
    "one",
    "...",
    "naïve café – a dash",
]
CLEANED = [
    "A Dog.  Runs!\n",
    ' "Hi":\tthere ; x~y',
    "a\tb",
    "a \n b",
    "A man , a plan .",
    " one\n\ntwo",
    "x" + " y" * 40,
    "",
    " \n",
    "A;B:C",
    "end.\n",
    "İstanbul ΟΔΟΣ",
]
# Token and tag, as a tagger would give them.
TAGGED = [
    ("A brown dog chases two small cats .", "DT JJ NN VBZ CD JJ NNS ."),
    ("the red ball is under a big old table", "DT JJ NN VBZ IN DT JJ JJ NN"),
    ("Man riding a horse on the beach in the afternoon sun .", "NN VBG DT NN IN DT NN IN DT NN NN ."),
    ("sitting", "VBG"),
    ("A plate of food with rice , beans , and green vegetables .", "DT NN IN NN IN NN , NNS , CC JJ NNS ."),
    ("Some people are standing near an elephant that is taller than them .", "DT NNS VBP VBG IN DT NN WDT VBZ JJR IN PRP ."),
]


def clean(caption, max_words):
    """ARO's pre_caption, from its description."""
    caption = re.sub(r'([.!\"()*#:;~])', " ", caption.lower())
    caption = re.sub(r"\s{2,}", " ", caption)
    caption = caption.rstrip("\n").strip(" ")
    words = caption.split(" ")
    return " ".join(words[:max_words]) if len(words) > max_words else caption


def tokenize(caption):
    return NLTKWordTokenizer().tokenize(caption)


def trigrams(tokens):
    return [tokens[i : i + 3] for i in range(0, len(tokens), 3)]


def word_orders(caption, tags):
    """ARO's four perturbations with the tags given; captions here are one sentence each."""
    tokens = np.array(caption.split(" "))
    tags = np.array(tags.split(" "))
    nouns = np.isin(tags, ["NN", "NNS", "NNP", "NNPS"])
    adjectives = np.isin(tags, ["JJ", "JJR", "JJS"])
    first = tokens.copy()
    first[nouns] = np.random.permutation(first[nouns])
    first[adjectives] = np.random.permutation(first[adjectives])
    second = tokens.copy()
    others = ~nouns & ~adjectives
    second[others] = np.random.permutation(second[others])
    within = trigrams(tokenize(caption))
    for group in within:
        random.shuffle(group)
    groups = trigrams(tokenize(caption))
    random.shuffle(groups)
    orders = [first, second, sum(within, []), sum(groups, [])]
    return [clean(text, 30) for text in [caption, *(" ".join(order) for order in orders)]]


def streams():
    random.seed(1)
    np.random.seed(1)
    python, numpy = [], []
    for n in range(40):
        items = list(range(n))
        random.shuffle(items)
        python.append(items)
        numpy.append(np.random.permutation(np.arange(n)).tolist())
    assert python[10] != list(range(10))
    return {"python": python, "numpy": numpy}


def verdicts():
    """Similarities on a coarse grid, so that ties are common, with what each reference says of them."""
    generator = np.random.default_rng(3)
    draw = lambda *shape: (generator.integers(0, 6, shape) / 8).astype(np.float32)
    rows = {"aro_vg": [], "aro_order": [], "sugarcrepe": [], "winoground": [], "winoground_first": [], "cola": []}
    for _ in range(60):
        s = draw(2)
        # ARO: options [false, true]; numpy.argmax must be 1.
        rows["aro_vg"].append([s.tolist(), bool(np.argmax(s) == 1)])
        s = draw(5)
        rows["aro_order"].append([s.tolist(), bool(np.argmax(s) == 0)])
        s = draw(2)
        rows["sugarcrepe"].append([s.tolist(), bool(s[0] > s[1])])
        # Winoground's own three functions, s[image][caption].
        s = draw(2, 2)
        text = bool(s[0, 0] > s[0, 1] and s[1, 1] > s[1, 0])
        image = bool(s[0, 0] > s[1, 0] and s[1, 1] > s[0, 1])
        rows["winoground"].append([s.tolist(), [text, image, text and image]])
        # CLIP_benchmark: argmax over captions of each image, and over images of each caption, must be 0, 1.
        text = bool((np.argmax(s, axis=1) == [0, 1]).all())
        image = bool((np.argmax(s, axis=0) == [0, 1]).all())
        rows["winoground_first"].append([s.tolist(), [text, image, text and image]])
        rows["cola"].append([s.tolist(), bool(s[0, 0] > s[1, 0] and s[1, 1] > s[0, 1])])
    return rows


def retrieval():
    """CLIP_benchmark's recall on distinct similarities: hits among torch.topk, any caption of the image."""
    generator = np.random.default_rng(4)
    image_of = sorted(generator.integers(0, 12, 30).tolist() + list(range(12)))
    scores = torch.from_numpy(generator.permutation(12 * 42).reshape(12, 42).astype(np.float32) / 512)
    positive = torch.zeros(12, 42, dtype=torch.bool)
    positive[image_of, torch.arange(42)] = True
    recall = {}
    for k in (1, 5, 10):
        top = scores.topk(k, dim=1).indices
        texts = (positive.gather(1, top).sum(1) > 0).float().mean().item()
        top = scores.T.topk(k, dim=1).indices
        images = (positive.T.gather(1, top).sum(1) > 0).float().mean().item()
        recall[str(k)] = {"image-to-text": texts, "text-to-image": images}
    return {"image_of": image_of, "scores": scores.tolist(), "recall": recall}


def meta():
    """A devkit of four leaves and one inner node, as scipy writes structs, plain and compressed."""
    fields = [("ILSVRC2012_ID", object), ("WNID", object), ("words", object), ("num_children", object)]
    synsets = np.zeros((5, 1), dtype=fields)
    rows = [(490, "n01751748", 0), (361, "n09193705", 0), (171, "n02105855", 0), (822, "n04263257", 0), (1001, "n00001740", 2)]
    for place, (number, wnid, children) in enumerate(rows):
        synsets[place, 0] = (float(number), wnid, "words, more words", np.uint8(children))
    scipy.io.savemat(FOLDER / "meta_plain.mat", {"synsets": synsets})
    scipy.io.savemat(FOLDER / "meta.mat", {"other": np.arange(3.0), "synsets": synsets}, do_compression=True)


def svo():
    """Quoting as pandas and the csv module write it, with empty and quoted sentences."""
    header = "sentence pos_triplet neg_triplet subj_neg verb_neg obj_neg pos_image_id neg_image_id pos_url neg_url"
    rows = [
        ["A dog runs.", "dog,run,beach", "dog,sit,beach", False, True, False, 11, 12, "https://example.org/a.jpg", "https://example.org/b.jpg"],
        ['A "big" dog, running', "dog,run,road", "cat,run,road", True, False, False, 11, 13, "https://example.org/a.jpg", "https://example.org/c.jpg"],
        ["", "dog,run,road", "dog,run,sea", False, False, True, 11, 12, "https://example.org/a.jpg", "https://example.org/b.jpg"],
        ["A line\nbreak", "dog,run,road", "['dog,run,sea']", False, False, True, 12, 13, "https://example.org/b.jpg", "https://example.org/c.jpg"],
        ["Gone", "dog,run,road", "dog,run,sea", False, False, True, 12, 99, "https://example.org/b.jpg", "https://example.org/dead?x=1,2"],
    ]
    text = io.StringIO()
    csv.writer(text).writerows([header.split(), *rows])
    (FOLDER / "svo_probes.csv").write_bytes(text.getvalue().encode())


def png(image):
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def shards():
    """Two sets in the layout of clip_benchmark_export_wds, written by webdataset's own writer."""
    classes, captions = FOLDER / "wds" / "colours", FOLDER / "wds" / "captions"
    for folder in (classes, captions):
        (folder / "test").mkdir(parents=True)
    (classes / "classnames.txt").write_text("red\nblue\n")
    (classes / "zeroshot_classification_templates.txt").write_text("a {c} image.\nthe {c} one.\n")
    (captions / "dataset_type.txt").write_text("retrieval\n")
    for shard in range(2):
        with webdataset.TarWriter(str(classes / "test" / f"{shard}.tar"), mtime=0) as sink:
            for i in range(3):
                image = formula_image(9 + i, 8 + shard)
                sink.write({"__key__": f"s{3 * shard + i:07d}", "png": png(image), "cls": str((i + shard) % 2)})
    (classes / "test" / "nshards.txt").write_text("2")
    with webdataset.TarWriter(str(captions / "test" / "0.tar"), mtime=0) as sink:
        for i in range(3):
            texts = "\n".join([f"caption {i}", f"two\\nlines {i}"][: 1 + i % 2])
            sink.write({"__key__": f"s{i:07d}", "webp": webp(formula_image(10, 7 + i)), "txt": texts})
    (captions / "test" / "nshards.txt").write_text("1")


def winoground():
    """Winoground's Parquet layout with two row groups, one image that is missing and one that is no image."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    texts = ["caption_0", "caption_1", "tag", "secondary_tag", "collapsed_tag"]
    fields = [("id", pa.int32()), ("image_0", image), ("image_1", image), ("num_main_preds", pa.int32())]
    schema = pa.schema(fields + [(name, pa.string()) for name in texts])
    packed = lambda size: {"bytes": png(formula_image(*size)), "path": None}
    rows = [
        {
            "id": i, "image_0": packed((10 + i, 7)), "image_1": packed((9, 6 + i)), "num_main_preds": 1,
            "caption_0": f"a cup on book {i}", "caption_1": f"book {i} on a cup",
            "tag": "Object" if i % 2 else "Relation", "secondary_tag": "" if i else None, "collapsed_tag": "Object",
        }
        for i in range(5)
    ]
    rows[2]["image_1"] = None
    rows[3]["image_0"]["bytes"] = b"no image"
    folder = FOLDER / "winoground" / "data"
    folder.mkdir(parents=True)
    # Pages of one value, so that a reader has to skip some.
    options = {"row_group_size": 3, "data_page_size": 1, "compression": "snappy", "use_dictionary": texts}
    pq.write_table(pa.Table.from_pylist(rows, schema), folder / "test-00000-of-00001.parquet", write_batch_size=1, **options)


def webp(image):
    data = io.BytesIO()
    image.save(data, "WEBP", lossless=True)
    return data.getvalue()


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    meta()
    svo()
    shards()
    winoground()
    drawn = streams()
    random.seed(1)
    np.random.seed(1)
    golden = {
        "versions": {name: version(name) for name in ("numpy", "nltk", "scipy", "torch", "webdataset", "pillow")},
        "streams": drawn,
        "cleaned": [[text, clean(text, 30)] for text in CLEANED],
        "words": [[text, tokenize(text)] for text in SENTENCES],
        "orders": [[caption, list(zip(caption.split(" "), tags.split(" "))), word_orders(caption, tags)] for caption, tags in TAGGED],
        "verdicts": verdicts(),
        "retrieval": retrieval(),
    }
    # Known before this script existed.
    random.seed(1)
    known = list(range(10))
    random.shuffle(known)
    assert known == [6, 8, 9, 7, 5, 3, 0, 4, 1, 2]
    write_json(GOLDEN / "benchmarks.json", golden)


if __name__ == "__main__":
    main()
