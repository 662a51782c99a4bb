"""Pictures from drawing layers, and the captions that describe them.

Every picture is a stack of flat layers (skin, clothes, face, hair, beard, accessory) on a plain background. The figure always
fills the same 768x768 block, centred at the bottom of the picture, so every size shares one layout on the grid of latents.
"""
import io
import json
import os
import random
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
A = json.load(open(os.path.join(HERE, '..', 'attributes.json')))
WORK = os.environ.get('STARTER_WORK', os.path.join(HERE, '..', 'work'))
SIZES = [(1024, 1024), (1344, 768), (768, 1344), (1216, 832), (832, 1216), (1152, 896), (896, 1152)]
BLOCK = 768
rgb = lambda h: np.array([int(h[i:i + 2], 16) for i in (0, 2, 4)], np.uint8)


def render_layers(name='layers'):
    """NAME.jsonl -> NAME.npz: premultiplied RGBA cut to its bounding box, at full and half size."""
    import resvg_py
    from PIL import Image
    out = {}
    for line in open(f'{WORK}/{name}.jsonl'):
        r = json.loads(line)
        png = bytes(resvg_py.svg_to_bytes(svg_string=r['svg'], width=840, height=840))
        im = np.asarray(Image.open(io.BytesIO(png)).convert('RGBA'))[0:BLOCK, 36:36 + BLOCK].astype(np.float32)
        im[..., :3] *= im[..., 3:] / 255
        half = im.reshape(BLOCK // 2, 2, BLOCK // 2, 2, 4).mean((1, 3))
        for tag, a in (('1', im), ('2', half)):
            a = np.round(a).astype(np.uint8)
            ys, xs = np.where(a[..., 3].any(1))[0], np.where(a[..., 3].any(0))[0]
            y, x = ys[0], xs[0]
            out[f'{tag}|{r["key"]}'] = a[y:ys[-1] + 1, x:xs[-1] + 1]
            out[f'{tag}|{r["key"]}|at'] = np.array([y, x])
    np.savez_compressed(f'{WORK}/{name}.npz', **out)


_layers = {}


def layers(name='layers'):
    """The drawn layers of NAME.npz."""
    if name not in _layers:
        z = np.load(f'{WORK}/{name}.npz')
        _layers[name] = {k: z[k] for k in z.files}
    return _layers[name]


def keys(a):
    """The layers of a set of attributes, back to front."""
    out = [f'skin/{a["skin"]}', f'clothes/{a["clothes"]}/{a["clothes_color"]}', f'face/{a["expression"]}',
           f'hair/{a["hair"]}/{a["hair_color"]}']
    if a['facial_hair'] != 'none':
        out.append(f'facial_hair/{a["facial_hair"]}/{a["beard_color"]}')
    if a['accessory'] != 'none':
        out.append(f'accessory/{a["accessory"]}')
    return out


def compose(a, box=None, half=False, stack=None, own=None):
    """RGB uint8 of the window box=(y0, x0, y1, x1), in pixels of the figure's block (may reach beyond it).

    stack: the layers, back to front, where they are not those of the attributes; own: further layers beside the shared ones."""
    n = BLOCK // 2 if half else BLOCK
    y0, x0, y1, x1 = box or (0, 0, n, n)
    img = np.empty((y1 - y0, x1 - x0, 3), np.uint8)
    img[:] = rgb(A['background'][a['background']]['hex'])
    shared, tag = layers(), '2' if half else '1'
    for k in keys(a) if stack is None else stack:
        L = own if own and f'{tag}|{k}' in own else shared
        src = L[f'{tag}|{k}']
        ly, lx = L[f'{tag}|{k}|at']
        ay, ax = max(ly, y0), max(lx, x0)
        by, bx = min(ly + src.shape[0], y1), min(lx + src.shape[1], x1)
        if ay >= by or ax >= bx:
            continue
        s = src[ay - ly:by - ly, ax - lx:bx - lx]
        d = img[ay - y0:by - y0, ax - x0:bx - x0]
        inv = (255 - s[..., 3:]).astype(np.uint16)
        d[:] = np.minimum(s[..., :3] + (d * inv + 127) // 255, 255)
    return img


def canvas_box(w, h, half=False):
    """The window of a whole w x h picture around the figure's block."""
    k = 2 if half else 1
    return ((BLOCK - h) // k, (BLOCK - w) // 2 // k, BLOCK // k, (BLOCK + w) // 2 // k)


FILLER = json.load(open(os.path.join(HERE, '..', 'filler.json')))
WHO = {'woman': ['woman', 'lady', 'female'], 'man': ['man', 'guy', 'male']}
# what a caption that does not say it may mean
USUAL = {'background': ['blue', 'white', 'gray'], 'skin': ['pale', 'tan'], 'clothes_color': ['blue', 'red', 'green'],
         'hair_color': ['black', 'brown'], 'clothes': ['tshirt', 'sweater'], 'expression': ['smile']}
USUAL_HAIR = {'woman': ['straight', 'bob', 'shoulder'], 'man': ['short', 'shortcurly']}
FREE = {'background': .15, 'skin': .5, 'clothes_color': .15, 'hair_color': .15, 'clothes': .12, 'expression': .2, 'hair': .12}


def sample(rnd):
    """Random attributes. Those in a['free'] have a usual value and may go unsaid."""
    is_hat = lambda: A['hair'][a['hair']].get('hat')
    a = {'free': [k for k, p in FREE.items() if rnd.random() < p]}
    a['hair'] = rnd.choice(list(A['hair']))
    a['who'] = A['hair'][a['hair']]['who']
    if a['who'] == 'any':
        a['who'] = rnd.choice(['woman', 'man'])
    if 'hair' in a['free']:
        a['hair'] = rnd.choice(USUAL_HAIR[a['who']])
    for k in ('skin', 'clothes', 'clothes_color', 'expression', 'background', 'hair_color'):
        a[k] = rnd.choice(USUAL[k] if k in a['free'] else list(A[k]))
    a['accessory'] = rnd.choice(list(A['accessory'])) if rnd.random() < .5 else 'none'
    a['facial_hair'] = rnd.choice(['beard', 'moustache']) if a['who'] == 'man' and rnd.random() < .4 else 'none'
    a['beard_color'] = a['hair_color']
    if is_hat():
        a['hair_color'] = rnd.choice(list(A['clothes_color']))
        a['beard_color'] = rnd.choice(['black', 'brown'])
        a['free'] = [k for k in a['free'] if k != 'hair_color']
    return a


def choose(a, rnd, full=False):
    """Which attributes a caption says."""
    said = {k for k in list(FREE) + ['accessory', 'facial_hair'] if full or k not in a['free'] or rnd.random() > .85}
    if full or 'hair' not in said or rnd.random() < .8:
        said.add('who')
    return said


def caption(a, rnd, full=False, filler=True, said=None):
    """A caption of the attributes, in random order, with synonyms; full=True says every one."""
    said = choose(a, rnd, full) if said is None else said
    unsaid = lambda k: k not in said
    w = lambda k, v: rnd.choice(A[k][v]['words'])
    hat = A['hair'][a['hair']].get('hat')
    items = []
    style, color = w('hair', a['hair']), w('clothes_color' if hat else 'hair_color', a['hair_color'])
    say_style, say_color = not unsaid('hair'), not unsaid('hair_color')
    if say_style and say_color:
        items.append(f'{color} {style}' if hat or rnd.random() < .8 else f'{style}, {color} hair')
    elif say_style:
        items.append(style)
    elif say_color:
        items.append(f'{color} hair')
    say_style, say_color = not unsaid('clothes'), not unsaid('clothes_color')
    style, color = w('clothes', a['clothes']), w('clothes_color', a['clothes_color'])
    if say_style or say_color:
        text = f'{color} {style}' if say_style and say_color else style if say_style else f'{color} clothes'
        items.append(('wearing a ' if rnd.random() < .3 else '') + text)
    if not unsaid('skin'):
        items.append(w('skin', a['skin']))
    if not unsaid('expression'):
        items.append(w('expression', a['expression']))
    for k in ('accessory', 'facial_hair'):
        if a[k] != 'none':
            items.append(w(k, a[k]))
    if not unsaid('background'):
        items.append(f'{w("background", a["background"])} background')
    elif rnd.random() < .4:
        items.append(rnd.choice(['simple background', 'plain background']))
    rnd.shuffle(items)
    lead = []
    if 'who' in said:
        subject = rnd.choice(WHO[a['who']])
        lead.append((rnd.choice(['portrait of a ', 'a ', 'photo of a ', 'picture of a ']) if rnd.random() < .3 else '') + subject)
    if filler:
        if rnd.random() < .7:
            lead.insert(0, rnd.choice(['flat cartoon portrait', 'cartoon portrait', 'cartoon avatar', 'flat cartoon']))
        if rnd.random() < .3:
            rnd.shuffle(lead)
        for _ in range(rnd.choice([0, 0, 1, 2, 3, 5])):
            items.insert(rnd.randint(0, len(items)), rnd.choice(FILLER))
        items += [rnd.choice(FILLER) for _ in range(rnd.choice([0, 0, 2, 4]))]
    return (', ' if rnd.random() < .9 else ' ').join(lead + items)


# the attribute code that the pooled text embedding is trained to be: one place per value, zero where the caption says nothing
SLOTS = {'hair': list(A['hair']), 'hair_color': sorted(set(A['hair_color']) | set(A['clothes_color'])), 'skin': list(A['skin']),
         'clothes': list(A['clothes']), 'clothes_color': list(A['clothes_color']), 'accessory': list(A['accessory']),
         'facial_hair': list(A['facial_hair']), 'expression': list(A['expression']), 'background': list(A['background']), 'who': ['woman', 'man']}
CODE = 128


def attribute_code(a, said, out):
    """Writes the code into out (zeros, CODE long)."""
    i = 0
    for k, v in SLOTS.items():
        if k in said:
            out[i + v.index(a[k])] = 2.0
        i += len(v)


if __name__ == '__main__':
    import sys
    if sys.argv[1:] in (['layers'], ['characters']):
        render_layers(sys.argv[1])
    else:
        r = random.Random(1)
        for _ in range(20):
            print(caption(sample(r), r))
