"""A blind side-by-side of prompts and their enhancement, drawn with the starter by `imgen render`, same seed.

    cargo bench --bench enhance -- out/pairs.tsv
    python3 benches/enhance_pairs.py out/pairs.tsv docs/enhance-pairs.jpg [--imgen target/release/imgen]

Takes the first pairs whose prompt the starter can draw (it knows portraits only), puts each enhanced picture left or right by
a hash of its prompt, writes the sheet, and prints the rows of the table in docs/enhance.md. Needs Pillow.
"""

import argparse
import hashlib
import pathlib
import subprocess
import tomllib

from PIL import Image, ImageDraw

PAIRS = 20
SIDE_PX, THUMB_PX, COLUMNS = 1024, 168, 4
# What the starter was trained to draw: training/attributes.json.
KNOWN = ("hoodie", "shirt", "sweater", "blazer", "suit", "hair", "glasses", "beard", "hijab", "turban", "headscarf", "beanie", "afro")
ROOT = pathlib.Path(__file__).resolve().parent.parent


def presets():
    model = tomllib.loads((ROOT / "presets/models/eros.toml").read_text())
    characters = {path.stem: tomllib.loads(path.read_text()) for path in (ROOT / "presets/characters").glob("*.toml")}
    return model, model["styles"][model["default_style"]], characters


def composed(prompt):
    """As `generate` joins them; terms are cut at commas outside parentheses, which is enough for these prompts."""
    model, style, characters = presets()
    character, positive, negative, depth, terms = {}, [], [], 0, [""]
    for sign in prompt:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            terms.append("")
        else:
            terms[-1] += sign
    for term in terms:
        words = term.split()
        for word in [word for word in words if word.startswith("@")]:
            character = characters[word[1:].lower()]
        text = " ".join(word for word in words if not word.startswith("@"))
        if text[:1] == "-" and text[1:2].isalpha() or text[:2] == "-(":
            negative.append(text[1:])
        elif text:
            positive.append(text)
    joined = [character.get("trigger"), character.get("positive"), *positive, style["positive"]]
    kept_out = [model["negative"], style.get("negative"), character.get("negative"), *negative]
    return ", ".join(filter(None, joined)), ", ".join(filter(None, kept_out))


def draw(imgen, prompt, seed, path):
    if not path.exists():
        positive, negative = composed(prompt)
        command = [imgen, "render", "--model-dir", ROOT / "models/starter", "--prompt", positive, "--negative", negative,
                   "--width", SIDE_PX, "--height", SIDE_PX, "--steps", 8, "--guidance", 2, "--seed", seed, "--out", path]
        subprocess.run([str(part) for part in command], check=True, cwd=ROOT)
    return Image.open(path).convert("RGB").resize((THUMB_PX, THUMB_PX), Image.Resampling.LANCZOS)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pairs", type=pathlib.Path)
    parser.add_argument("sheet", type=pathlib.Path)
    parser.add_argument("--imgen", default=ROOT / "target/release/imgen")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "out/pairs")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    pairs = [line.split("\t") for line in arguments.pairs.read_text().splitlines()]
    chosen = [(seed, *pair) for seed, pair in enumerate(pairs) if any(word in pair[0] for word in KNOWN)][:PAIRS]
    rows = -(-len(chosen) // COLUMNS)
    cell = (2 * THUMB_PX + 12, THUMB_PX + 24)
    sheet = Image.new("RGB", (COLUMNS * cell[0], rows * cell[1]), "white")
    pen = ImageDraw.Draw(sheet)
    for number, (seed, prompt, enhanced) in enumerate(chosen, 1):
        left = hashlib.sha256(prompt.encode()).digest()[0] % 2 == 0
        before = draw(arguments.imgen, prompt, seed, arguments.work / f"{seed}_before.png")
        after = draw(arguments.imgen, enhanced, seed, arguments.work / f"{seed}_{hashlib.sha256(enhanced.encode()).hexdigest()[:8]}.png")
        x, y = (number - 1) % COLUMNS * cell[0] + 4, (number - 1) // COLUMNS * cell[1] + 20
        pen.text((x, y - 16), f"{number}", fill="black", font_size=14)
        sheet.paste(after if left else before, (x, y))
        sheet.paste(before if left else after, (x + THUMB_PX + 2, y))
        plain, longer = (text.replace("|", "\\|") for text in (prompt, enhanced))
        print(f"| {number} | {'left' if left else 'right'} | `{plain}` | `{longer}` |")
    sheet.save(arguments.sheet, quality=88, optimize=True)


if __name__ == "__main__":
    main()
