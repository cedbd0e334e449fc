"""Writes tests/golden/negatives/wordnet.json.gz: answers of NLTK's WordNet reader for 500 sampled words.

    pip install nltk==3.8.1
    apt-get download wordnet-base wordnet-sense-index; for deb in wordnet-*.deb; do dpkg -x "$deb" wn; done
    python wordnet.py wn/usr/share/wordnet

`words`: per word and part of speech, the lemmas by `_morphy` and the names of `synsets`. `synsets`: per name the lemmas
with SemCor counts, antonyms and derivations, then hypernyms, hyponyms and similar ones. `candidates`: per word and part
of speech, names and weights of the substitutes of `clove_training::negatives` for it, computed over NLTK's objects.
"""

import argparse
import gzip
import json
import random
import tempfile
from collections import defaultdict
from pathlib import Path

import nltk
from nltk.corpus.reader.wordnet import WordNetCorpusReader

OUT = Path(__file__).parents[2] / "tests" / "golden" / "negatives" / "wordnet.json.gz"

# Debian ships no `lexnames`; NLTK reads names and numbers from it.
LEXNAMES = """adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body
noun.cognition noun.communication noun.event noun.feeling noun.food noun.group noun.location noun.motive noun.object
noun.person noun.phenomenon noun.plant noun.possession noun.process noun.quantity noun.relation noun.shape noun.state
noun.substance noun.time verb.body verb.change verb.cognition verb.communication verb.competition verb.consumption
verb.contact verb.creation verb.emotion verb.motion verb.perception verb.possession verb.social verb.stative
verb.weather adj.ppl""".split()

CAPTION_WORDS = """man dog women riding red wooden beach table standing large cats parked holds blue quickly plate
people sitting old trees running white glass geese children bigger eating hot_dog""".split()


def reader(source, folder):
    for file in source.iterdir():
        (folder / file.name).symlink_to(file.resolve())
    rows = [f"{i:02}\t{name}\t1\n" for i, name in enumerate(LEXNAMES)]
    (folder / "lexnames").write_text("".join(rows))
    return WordNetCorpusReader(str(folder), None)


def sample(wn, rng):
    lemmas = sorted(wn._lemma_pos_offset_map)
    frequent = [w for w in lemmas if any(l.count() > 20 for l in wn.lemmas(w))]
    irregular = sorted({form for forms in wn._exception_map.values() for form in forms})
    words = set(CAPTION_WORDS) | set(rng.sample(lemmas, 200)) | set(rng.sample(frequent, 120))
    words |= set(rng.sample(irregular, 60))
    endings = ["s", "es", "ing", "ed", "er", "est", "ies", "ves"]
    plain = [w for w in frequent if w.isalpha()]
    while len(words) < 500:
        words.add(rng.choice(plain).rstrip("y") + rng.choice(endings))
    return sorted(words)


def cohyponyms(synset):
    for parent in synset.hypernyms():
        for grandparent in parent.hypernyms():
            for uncle in grandparent.hyponyms():
                for cousin in uncle.hyponyms():
                    if cousin != synset:
                        yield from cousin.lemmas()


def substitutes(wn, word, pos):
    synsets = wn.synsets(word, pos)
    own = {lemma.name() for synset in synsets for lemma in synset.lemmas()}
    weights, counts = defaultdict(int), {}

    def hit(lemma):
        name = lemma.name()
        counts.setdefault(name, lemma.count())
        if name not in own:
            weights[name] += max(1, counts[name])

    for synset in synsets:
        for lemma in synset.lemmas():
            for antonym in lemma.antonyms():
                hit(antonym)
        if pos != "a":
            for lemma in cohyponyms(synset):
                hit(lemma)
            continue
        nouns = []
        for lemma in synset.lemmas():
            for noun in (form.synset() for form in lemma.derivationally_related_forms()):
                if noun.pos() == "n" and noun not in nouns:
                    nouns.append(noun)
        for noun in nouns:
            for lemma in cohyponyms(noun):
                for adjective in lemma.derivationally_related_forms():
                    if adjective.synset().pos() in "as" and adjective.synset() != synset:
                        hit(adjective)
    return dict(sorted(weights.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the dictionary files of wordnet-base and wordnet-sense-index")
    source = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as folder:
        wn = reader(source, Path(folder))
        words, synsets, candidates = {}, {}, {}
        rng = random.Random(0)
        for word in sample(wn, rng):
            words[word] = {}
            for pos in "nvar":
                found = wn.synsets(word, pos)
                words[word][pos] = {"lemmas": wn._morphy(word, pos), "synsets": [s.name() for s in found]}
                for s in found[:4]:
                    synsets[s.name()] = s
                if found and (word in CAPTION_WORDS or rng.random() < 0.15):
                    rows = substitutes(wn, word, pos)
                    if len(rows) < 2500:
                        candidates[f"{word}/{pos}"] = rows
        full = lambda lemma: f"{lemma.synset().name()}/{lemma.name()}"
        rows = {
            name: {
                "lemmas": [
                    [l.name(), l.count(), list(map(full, l.antonyms())), list(map(full, l.derivationally_related_forms()))]
                    for l in s.lemmas()
                ],
                "hypernyms": [h.name() for h in s.hypernyms()],
                "hyponyms": [h.name() for h in s.hyponyms()],
                "similar": [h.name() for h in s.similar_tos()],
            }
            for name, s in sorted(synsets.items())
        }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    golden = {"nltk": nltk.__version__, "words": words, "synsets": rows, "candidates": candidates}
    OUT.write_bytes(gzip.compress(json.dumps(golden, separators=(",", ":")).encode(), mtime=0))
    print(f"{OUT}: {len(words)} words, {len(rows)} synsets, {len(candidates)} sets of candidates")


if __name__ == "__main__":
    main()
