"""CLIP's vocabulary (from the open_clip_torch wheel) as the two tokenizer folders of an SDXL pipeline.

usage: python -m starter.tokenizer bpe_simple_vocab_16e6.txt.gz OUT_FOLDER
"""
import gzip
import json
import os
import sys


def byte_chars():
    bs = list(range(ord('!'), ord('~') + 1)) + list(range(ord('¡'), ord('¬') + 1)) + list(range(ord('®'), ord('ÿ') + 1))
    cs, n = bs[:], 0
    for b in range(256):
        if b not in bs:
            bs.append(b)
            cs.append(256 + n)
            n += 1
    return [chr(c) for c in cs]


def write(src, out):
    lines = gzip.open(src).read().decode().split('\n')
    merges = lines[1:49152 - 256 - 2 + 1]
    v = byte_chars()
    v = v + [c + '</w>' for c in v] + [m.replace(' ', '') for m in merges] + ['<|startoftext|>', '<|endoftext|>']
    vocab = {t: i for i, t in enumerate(v)}
    assert len(vocab) == 49408
    for name, pad in (('tokenizer', '<|endoftext|>'), ('tokenizer_2', '!')):
        d = os.path.join(out, name)
        os.makedirs(d, exist_ok=True)
        put = lambda f, o: json.dump(o, open(os.path.join(d, f), 'w', encoding='utf-8'), ensure_ascii=False, **({'indent': 2} if f != 'vocab.json' else {}))
        put('vocab.json', vocab)
        open(os.path.join(d, 'merges.txt'), 'w', encoding='utf-8').write('#version: 0.2\n' + '\n'.join(merges) + '\n')
        tok = lambda c: {'content': c, 'lstrip': False, 'normalized': True, 'rstrip': False, 'single_word': False}
        put('special_tokens_map.json', {'bos_token': tok('<|startoftext|>'), 'eos_token': tok('<|endoftext|>'), 'pad_token': pad,
                                        'unk_token': tok('<|endoftext|>')})
        put('tokenizer_config.json', {'add_prefix_space': False, 'bos_token': tok('<|startoftext|>'), 'clean_up_tokenization_spaces': True,
                                      'do_lower_case': True, 'eos_token': tok('<|endoftext|>'), 'errors': 'replace', 'model_max_length': 77,
                                      'pad_token': pad, 'tokenizer_class': 'CLIPTokenizer', 'unk_token': tok('<|endoftext|>')})


if __name__ == '__main__':
    write(*sys.argv[1:3])
