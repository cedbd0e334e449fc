"""Writes assets/lexicon.bin.gz: WordNet 3.0 without its glosses, from the files of Debian's wordnet-base.

    apt-get download wordnet-base && dpkg -x wordnet-base_*.deb wn
    python lexicon.py wn/usr/share/wordnet

The layout, all integers LEB128 unless said otherwise; `training/src/negatives/lexicon/decode.rs` reads it:

    "CLOVELEX" version
    names      count, then (bytes shared with the name before, length of the rest, the rest), sorted by bytes
    synsets    count, then the part of speech of each as a byte; in the order of NLTK's synset names
    senses     per synset: count, then (name, sense number from 1, SemCor count) of each lemma
    hypernyms, similar      per synset: count, synsets
    antonyms, derivations   per sense: count, senses
    exceptions              for n, v, a, r: length and text of the .exc file
"""

import argparse
import gzip
import io
from pathlib import Path

FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
KINDS = {"n": 1, "v": 2, "a": 3, "r": 4, "s": 5}
MARKERS = ("(p)", "(a)", "(ip)")
OUT = Path(__file__).parents[2] / "assets" / "lexicon.bin.gz"


class Synset:
    """One line of a data file; pointers are (symbol, source lemma, part of speech, offset, target lemma), from 0."""

    def __init__(self, line, index):
        fields = iter(line.split(" | ")[0].split())
        self.offset, self.lex_file, self.pos = int(next(fields)), int(next(fields)), next(fields)
        self.file = "a" if self.pos == "s" else self.pos
        self.lemmas, self.lex_ids, self.pointers = [], [], []
        for _ in range(int(next(fields), 16)):
            self.lemmas.append(bare(next(fields)))
            self.lex_ids.append(int(next(fields), 16))
        for _ in range(int(next(fields))):
            symbol, offset, pos, ends = (next(fields) for _ in range(4))
            self.pointers.append((symbol, int(ends[:2], 16) - 1, pos, int(offset), int(ends[2:], 16) - 1))
        self.numbers = [index[self.file, name.lower()].index(self.offset) + 1 for name in self.lemmas]
        self.name = f"{self.lemmas[0].lower()}.{self.pos}.{self.numbers[0]:02}"


def bare(lemma):
    for marker in MARKERS:
        lemma = lemma.removesuffix(marker)
    return lemma


def read(folder):
    index, synsets = {}, []
    for pos, suffix in FILES.items():
        for line in (folder / f"index.{suffix}").read_text(encoding="ascii").splitlines():
            if not line.startswith(" "):
                fields = line.split()
                index[pos, fields[0]] = [int(offset) for offset in fields[-int(fields[2]) :]]
    for suffix in FILES.values():
        lines = (folder / f"data.{suffix}").read_text(encoding="ascii").splitlines()
        synsets += [Synset(line, index) for line in lines if not line.startswith(" ")]
    synsets.sort(key=lambda synset: synset.name)
    assert len({synset.name for synset in synsets}) == len(synsets)
    return index, synsets


def counts(folder):
    rows = (line.split() for line in (folder / "cntlist.rev").read_text(encoding="ascii").splitlines())
    return {key: int(count) for key, _, count in rows}


def sense_key(synset, lemma, by_offset):
    head = ":"
    if synset.pos == "s":
        _, _, _, offset, _ = next(p for p in synset.pointers if p[0] == "&")
        of = by_offset["a", offset]
        head = f"{of.lemmas[0].lower()}:{of.lex_ids[0]:02}"
    middle = f"{KINDS[synset.pos]}:{synset.lex_file:02}:{synset.lex_ids[lemma]:02}"
    return f"{synset.lemmas[lemma].lower()}%{middle}:{head}"


class Out(io.BytesIO):
    def number(self, n):
        while n >= 0x80:
            self.write(bytes([n & 0x7F | 0x80]))
            n >>= 7
        self.write(bytes([n]))

    def numbers(self, ns):
        self.number(len(ns))
        for n in ns:
            self.number(n)


def write(folder, index, synsets):
    out = Out()
    out.write(b"CLOVELEX")
    out.number(1)
    names = sorted({name for synset in synsets for name in synset.lemmas} | {name for _, name in index})
    name_id = {name: i for i, name in enumerate(names)}
    out.number(len(names))
    last = b""
    for name in (name.encode() for name in names):
        shared = next((i for i, (a, b) in enumerate(zip(last, name)) if a != b), min(len(last), len(name)))
        out.number(shared)
        out.number(len(name) - shared)
        out.write(name[shared:])
        last = name
    out.number(len(synsets))
    out.write("".join(synset.pos for synset in synsets).encode())
    by_offset = {(synset.file, synset.offset): synset for synset in synsets}
    semcor, used = counts(folder), 0
    first, total = {}, 0
    for i, synset in enumerate(synsets):
        synset.id, first[synset.name], total = i, total, total + len(synset.lemmas)
        out.number(len(synset.lemmas))
        for j, lemma in enumerate(synset.lemmas):
            count = semcor.get(sense_key(synset, j, by_offset), 0)
            used += count > 0
            out.number(name_id[lemma])
            out.number(synset.numbers[j])
            out.number(count)
    print(f"{len(names)} names, {len(synsets)} synsets, {total} senses, counts of {used} of {len(semcor)} keys")
    for symbol in "@&":
        for synset in synsets:
            targets = {by_offset[pos.replace("s", "a"), offset].id for s, _, pos, offset, _ in synset.pointers if s == symbol}
            out.numbers(sorted(targets))
    for symbol in "!+":
        for synset in synsets:
            for j, lemma in enumerate(synset.lemmas):
                targets = [
                    first[target.name] + to
                    for s, source, pos, offset, to in synset.pointers
                    if s == symbol and synset.lemmas[source] == lemma
                    for target in [by_offset[pos.replace("s", "a"), offset]]
                ]
                out.numbers(targets)
    hyponyms = {(s.id, by_offset[p, o].id) for s in synsets for symbol, _, p, o, _ in s.pointers if symbol == "~"}
    hypernyms = {(by_offset[p, o].id, s.id) for s in synsets for symbol, _, p, o, _ in s.pointers if symbol == "@"}
    assert hyponyms == hypernyms, "hyponyms are not the inverse of hypernyms"
    for suffix in FILES.values():
        text = (folder / f"{suffix}.exc").read_bytes()
        out.number(len(text))
        out.write(text)
    return out.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the dictionary files of wordnet-base")
    folder = parser.parse_args().folder
    raw = write(folder, *read(folder))
    OUT.write_bytes(gzip.compress(raw, compresslevel=9, mtime=0))
    print(f"{OUT}: {len(raw)} bytes, {OUT.stat().st_size} compressed")


if __name__ == "__main__":
    main()
