"""Pairs a second of rapidfuzz, rouge-score and sacrebleu on one core.

python3 similarity_peers.py PAIRS.tsv   (one pair a line, a tab between; pip install rapidfuzz rouge-score sacrebleu)
"""

import sys
import time

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import CHRF

with open(sys.argv[1], encoding="utf-8") as file:
    pairs = [line.rstrip("\n").split("\t") for line in file][:20_000]

rouge = RougeScorer(["rougeL"])
chrf = CHRF()
measures = {
    "Levenshtein similarity": (Levenshtein.normalized_similarity, 20_000),
    "ratio (no substitution)": (fuzz.ratio, 20_000),
    "ROUGE-L": (lambda a, b: rouge.score(a, b)["rougeL"].fmeasure, 200),
    "chrF": (lambda a, b: chrf.sentence_score(b, [a]).score, 400),
}
for name, (measure, count) in measures.items():
    taken = pairs[:count]
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        mean = sum(measure(a, b) for a, b in taken) / len(taken)
        best = min(best, time.process_time() - began)
    print(f"{name:24} {len(taken) / best:>9.0f} pairs/s  mean {mean:.6f}")
