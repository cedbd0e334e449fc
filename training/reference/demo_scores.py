"""Writes assets/demo/scores.json from `clove sweep --json` on standard input: the published metric of every task.

    clove demo data --out scenes
    clove sweep --base demo:base --tuned demo:tuned --data scenes --json \
        --benchmark folder aro-relation aro-attribution aro-coco-order sugarcrepe | python demo_scores.py > scores.json

`best_alpha` is the one between 0.3 and 0.7 with the highest mean of relation, attribution and order among those that
lose at most a third of what tuned loses in recognition.
"""

import json
import sys

PUBLISHED = {"folder": "top1", "aro-relation": "macro-accuracy", "aro-attribution": "macro-accuracy"}


def main():
    rows = []
    for row in json.load(sys.stdin)["results"]:
        if row["metric"] == PUBLISHED.get(row["benchmark"], "accuracy"):
            label = f"{row['benchmark']}/{row['task']}" if row["task"] else row["benchmark"]
            kept = {key: row[key] for key in ("metric", "value", "correct", "scored", "ties", "interval")}
            rows.append({"alpha": row["alpha"]["image"], "label": label} | kept)
    value = {(row["alpha"], row["label"]): row["value"] for row in rows}

    def composition(alpha):
        return sum(value[alpha, task] for task in ("aro-relation", "aro-attribution", "aro-coco-order")) / 3

    def lost(alpha):
        return (value[0, "folder"] - value[alpha, "folder"]) / (value[0, "folder"] - value[1, "folder"])

    allowed = [a for a in {row["alpha"] for row in rows} if 0.3 <= a <= 0.7 and lost(a) <= 1 / 3]
    best = max(allowed, key=composition)
    gained = (composition(best) - composition(0)) / (composition(1) - composition(0))
    story = {"best_alpha": best, "gained": round(gained, 4), "lost": round(lost(best), 4)}
    lines = ",\n".join(json.dumps(row) for row in rows)
    print(f'{json.dumps(story)[:-1]}, "results": [\n{lines}\n]}}')


if __name__ == "__main__":
    main()
