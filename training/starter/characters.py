"""The characters: pictures of their drawn looks, and prompts for them as the service puts them together.

A look is layers of its own (characters.json); clothes, their colour, expression, accessory and background are free. `words` there
are the attributes that the words of the character's preset mean without its LoRA, `steps` how long it is trained.
"""
import functools
import json
import os
import random
import tomllib
from .data import A, HERE, caption, choose, compose, layers, sample

TABLE = json.load(open(os.path.join(HERE, '..', 'characters.json')))
PRESETS = os.path.join(HERE, '..', '..', 'presets')
FREE = ('clothes', 'clothes_color', 'expression', 'background')     # what a prompt may ask of a character


@functools.cache
def preset(name):
    with open(f'{PRESETS}/characters/{name}.toml', 'rb') as f:
        return tomllib.load(f)


@functools.cache
def models():
    out = []
    for file in sorted(os.listdir(f'{PRESETS}/models')):
        with open(f'{PRESETS}/models/{file}', 'rb') as f:
            out.append(tomllib.load(f))
    return [m for m in out if m['checkpoint'] == 'starter']


@functools.cache
def styles():
    """Words that styles add, each with the background that they name, if any."""
    words = {w: k for k, v in A['background'].items() for w in v['words']}
    out = []
    for style in (s for m in models() for s in m['styles'].values()):
        text = style.get('positive', '')
        named = [words[t.removesuffix(' background')] for t in text.split(', ') if t.removesuffix(' background') in words and t.endswith(' background')]
        out.append((text, named[0] if named else None))
    return out


def negatives(name):
    """The negative prompts that the service writes for a character where the request adds none."""
    own = preset(name).get('negative', '')
    return [', '.join(t for t in (m.get('negative', ''), s.get('negative', ''), own) if t) for m in models() for s in m['styles'].values()]


def stack(name, a):
    """The layers of a character with free attributes a, back to front."""
    c = TABLE[name]
    out = [f'{name}/skin', f'clothes/{a["clothes"]}/{a["clothes_color"]}', f'{name}/face/{a["expression"]}', f'{name}/hair']
    if 'facial_hair' in c:
        out.append(f'{name}/facial_hair')
    if 'accessory' in c:
        out.append(f'{name}/accessory')
    elif a['accessory'] != 'none':
        out.append(f'accessory/{a["accessory"]}')
    return out + ([f'{name}/ornaments'] if 'ornaments' in c else [])


def draw(name, a, box=None, half=False):
    return compose(a, box, half, stack(name, a), layers('characters'))


def free(name, rnd):
    """Random free attributes of a picture of the character."""
    a = sample(rnd)
    a.update(facial_hair='none', who=TABLE[name]['who'])
    if 'accessory' in TABLE[name]:
        a['accessory'] = 'none'
    return a


def request(a, rnd, full=False, filler=True):
    """What a user types besides the character's name, and which free attributes that names."""
    said = choose(a, rnd, full) & {*FREE, 'accessory'}
    return caption(a, rnd, filler=filler, said=said), said


def prompt(name, text, style=''):
    """The positive prompt as the service composes it."""
    p = preset(name)
    return ', '.join(t for t in (p['trigger'], p.get('positive', ''), text, style) if t)


def example(name, rnd):
    """Free attributes and the whole prompt of a training picture."""
    a = free(name, rnd)
    text, said = request(a, rnd)
    style, ground = rnd.choice(styles() + [('', None)] * 6)
    if ground and 'background' in said:
        style = ''
    elif ground:
        a['background'] = ground
    return a, prompt(name, text, style)


if __name__ == '__main__':
    r = random.Random(1)
    for _ in range(12):
        print(example('aya', r)[1])
