#!/usr/bin/env python3
"""llama.cpp on the wishes of `enhance.rs`, with the same file, the same examples before each wish and as many tokens.

    python3 benches/enhance_llamacpp.py [GGUF]

Needs PyPI's xllamacpp (the wheel has AVX2 and no more). `cargo bench --bench enhance` in the same run is what to compare with.
"""

import re
import statistics
import sys
import time
from pathlib import Path

import xllamacpp as xlc

TOP = Path(__file__).resolve().parent.parent
WISHES = 20
TOKENS = 40


def main():
    gguf = sys.argv[1] if len(sys.argv) > 1 else str(TOP / ".enhancer/SmolLM2-135M-Instruct.Q4_1.gguf")
    source = (TOP / "src/enhance/embedded/examples.rs").read_text()
    examples = re.search(r'EXAMPLES: &str = "\\\n(.*?)";', source, re.S).group(1)
    prompts = (TOP / "tests/fixtures/enhance/prompts.txt").read_text().splitlines()
    # Their positive terms, roughly: the length is what counts.
    texts = [re.sub(r"@\w+|-\([^)]*\)|-[\w ]+|[()\[\]]|:[\d.]+|BREAK|<[^>]*>", "", prompt).strip(" ,") for prompt in prompts]
    params = xlc.CommonParams()
    params.model.path = gguf
    params.n_ctx = 2048
    params.n_parallel = 1
    params.cpuparams.n_threads = 2
    params.cpuparams_batch.n_threads = 2
    begun = time.perf_counter()
    server = xlc.Server(params)

    def ask(text, seed):
        return server.handle_completions(
            {"prompt": f"{examples} {text}\nmore:", "n_predict": TOKENS, "cache_prompt": True, "seed": seed, "stop": ["\n"]}
        )

    ask("warm up", 0)
    print(f"loaded and warm after {time.perf_counter() - begun:.1f} s")
    took = []
    for seed, text in enumerate([text for text in texts if text][:WISHES]):
        begun = time.perf_counter()
        ask(text, seed)
        took.append(time.perf_counter() - begun)
    print(f"{len(took)} wishes: median {statistics.median(took):.2f} s, most {max(took):.2f} s")


main()
