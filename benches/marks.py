#!/usr/bin/env python3
"""What the invisible mark survives, beside four peers, on photographs and on the starter's flat art, all in one run.

    python3 benches/marks.py --photos DIR --flat DIR [--peers N] [--slow-peers N] [--keep FILE] [--out docs/marks.png]

DIR holds PNG files of 1344x768, at least a hundred in each for the figures that count; `--fetch DIR` makes a hundred
photographs from Debian's wallpaper packages (apt-get), and `--draw DIR` draws a hundred pictures with the starter. Our mark is tried on all pictures,
the peers on N of either kind, rivaGan on the N of --slow-peers (a copy takes it seconds). With --keep a run that was stopped
goes on with what it had not done yet. A copy counts as read where the payload is
exactly right: 64 bits for us, 32 for each peer. Needs pillow, numpy, matplotlib, invisible-watermark 0.2.0 and torch.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

TOP = Path(__file__).resolve().parent.parent
SIZE = (1344, 768)
# Debian 12's packages, and what in them is a photograph.
PACKAGES = ["lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04", "plasma-workspace-wallpapers", "mate-backgrounds"]
PHOTOGRAPHS = (
    "Bridge_by", "Dragonfly_by", "Kleiber_by", "Wine_by", "aitzgorri_by", "free_by", "friends_by", "greentock_by", "life_by",
    "picosdeeuropa_by", "seeding_by", "sunset_by", "nature/Aqua", "nature/Blinds", "nature/Garden", "nature/LadyBird",
    "nature/RainDrops", "nature/Storm", "nature/TwoWings", "nature/Wood", "BytheWater/", "ColorfulCups/", "EveningGlow/",
    "FallenLeaf/", "Grey/", "OneStandsOut/",
)


def through(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return Image.open(buffer).convert("RGB")


def cut(picture, share, back):
    w, h = picture.size
    dx, dy = round(w * share), round(h * share)
    part = picture.crop((dx, dy, w - dx, h - dy))
    return part.resize((w, h), Image.BICUBIC) if back else part


def zoom(picture, factor):
    w, h = picture.size
    large = picture.resize((round(w * factor), round(h * factor)), Image.BICUBIC)
    x, y = (large.width - w) // 2, (large.height - h) // 2
    return large.crop((x, y, x + w, y + h))


def noise(picture, sigma):
    pixels = np.asarray(picture).astype(np.float32)
    pixels += np.random.default_rng(5).normal(0, sigma, pixels.shape).astype(np.float32)
    return Image.fromarray(np.clip(pixels.round(), 0, 255).astype(np.uint8))


def scaled(picture, factor, how=Image.BICUBIC):
    return picture.resize((round(picture.width * factor), round(picture.height * factor)), how)


# Those of the bar, then those that show where it ends.
ATTACKS = {
    "none": lambda p: p,
    "JPEG 90": lambda p: through(p, "JPEG", quality=90),
    "JPEG 75": lambda p: through(p, "JPEG", quality=75),
    "JPEG 50": lambda p: through(p, "JPEG", quality=50),
    "WebP 75": lambda p: through(p, "WEBP", quality=75),
    "AVIF 60": lambda p: through(p, "AVIF", quality=60, speed=8),
    "half size": lambda p: scaled(p, 0.5),
    "half and back": lambda p: scaled(p, 0.5).resize(p.size, Image.BICUBIC),
    "crop 10 % a side": lambda p: cut(p, 0.1, False),
    "crop 10 %, resized back": lambda p: cut(p, 0.1, True),
    "zoom 1.1": lambda p: zoom(p, 1.1),
    "zoom 1.2": lambda p: zoom(p, 1.2),
    "zoom 1.3": lambda p: zoom(p, 1.3),
    "brightness +20 %": lambda p: ImageEnhance.Brightness(p).enhance(1.2),
    "brightness -20 %": lambda p: ImageEnhance.Brightness(p).enhance(0.8),
    "contrast +20 %": lambda p: ImageEnhance.Contrast(p).enhance(1.2),
    "contrast -20 %": lambda p: ImageEnhance.Contrast(p).enhance(0.8),
    "blur, sigma 1": lambda p: p.filter(ImageFilter.GaussianBlur(1)),
    "noise, sigma 5": lambda p: noise(p, 5),
    "screenshot (0.75, JPEG 80)": lambda p: through(scaled(p, 0.75, Image.BILINEAR), "JPEG", quality=80),
    "0.75 as is": lambda p: scaled(p, 0.75, Image.BILINEAR),
    "JPEG 30": lambda p: through(p, "JPEG", quality=30),
    "half size, JPEG 50": lambda p: through(scaled(p, 0.5), "JPEG", quality=50),
    "512 px thumbnail, JPEG 85": lambda p: through(p.resize((512, 293), Image.LANCZOS), "JPEG", quality=85),
    "crop 25 % a side": lambda p: cut(p, 0.25, False),
    "pressed to 1024x768": lambda p: p.resize((1024, 768), Image.BICUBIC),
    "mirrored": ImageOps.mirror,
    "turned by 3 degrees": lambda p: p.rotate(3, Image.BICUBIC),
    "grey": lambda p: ImageOps.grayscale(p).convert("RGB"),
    "JPEG 10": lambda p: through(p, "JPEG", quality=10),
    "blur, sigma 3": lambda p: p.filter(ImageFilter.GaussianBlur(3)),
    "quarter size": lambda p: scaled(p, 0.25),
}
BAR = list(ATTACKS)[:20]
# Beyond the bar every fourth picture says enough.
BEYOND = 4


def fetch(folder):
    """Twenty-six photographs, each whole and cut out of in three or four places, at its own or half its size."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["apt-get", "download", *PACKAGES], cwd=scratch, check=True)
        for package in Path(scratch).glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, f"{scratch}/all"], check=True)
        seen, count = set(), 0
        for path in sorted(Path(scratch, "all").rglob("*")):
            if path.suffix not in (".jpg", ".jpeg", ".png") or not any(name in str(path) for name in PHOTOGRAPHS):
                continue
            picture = Image.open(path)
            if path.resolve() in seen or picture.width < 1344 or picture.height < 768:
                continue
            seen.add(path.resolve())
            picture = picture.convert("RGB")
            parts = [ImageOps.fit(picture, SIZE, Image.LANCZOS)]
            near = scaled(picture, 0.5, Image.LANCZOS) if picture.width >= 4000 else picture
            if near.width >= 1750 and near.height >= 1000:
                right, low = near.width - 1344, near.height - 768
                if picture.width >= 4000:
                    parts.append(picture.crop((picture.width // 2, 900, picture.width // 2 + 1344, 1668)))
                places = [(right // 2, low // 2), (0, low), (right, 0)]
                parts += [near.crop((x, y, x + 1344, y + 768)) for x, y in places]
            for part in parts:
                part.save(folder / f"p{count:03}.png")
                count += 1
    print(f"{count} photographs")


def draw(folder):
    """Flat art: what the bundled starter draws for the prompts of a file."""
    folder.mkdir(parents=True, exist_ok=True)
    prompts = (TOP / "benches/support/portraits.txt").read_text().splitlines()
    people = ["woman, brown hair", "man, black hair", "girl, blonde hair", "woman, red hair, long hair", "man, beard, grey hair", "woman, black curly hair"]
    for index in range(102):
        terms = [term.strip() for term in prompts[index % len(prompts)].split(",")]
        positive = ", ".join(term for term in terms if not term.startswith("-"))
        negative = ", ".join(term[1:] for term in terms if term.startswith("-"))
        subprocess.run(
            [TOP / "target/release/imgen", "render", "--model-dir", "models/starter", "--prompt", f"portrait of a {people[index % 6]}, {positive}",
             "--negative", negative, "--width", "1344", "--height", "768", "--steps", "8", "--guidance", "2", "--seed", str(index),
             "--out", folder.resolve() / f"{index:03}.png"],
            cwd=TOP, check=True)


def bench(*arguments):
    """A line of JSON each from `benches/marks.rs`; two halves at once, as there are two cores."""
    words, files = arguments[: -1], [str(file) for file in arguments[-1]]

    def run(part):
        if not part:
            return []
        done = subprocess.run([*BENCH, *words, *part], cwd=TOP, check=True, capture_output=True, text=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(run, (files[::2], files[1::2])), [])


def attacked(folder, name, files):
    """The copies as files, one attack at a time, so that the disk holds no more than that."""
    def one(file):
        copy = folder / f"{file.stem}@.png"
        ATTACKS[name](Image.open(file).convert("RGB")).save(copy, compress_level=1)
        return copy
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, files))


def peers():
    """Name, embed(bgr, bits), decode(bgr): the methods of invisible-watermark, 32 bits each."""
    from imwatermark import WatermarkDecoder, WatermarkEncoder
    WatermarkEncoder.loadModel()

    def method(name):
        def embed(bgr, bits):
            encoder = WatermarkEncoder()
            encoder.set_watermark("bits", bits)
            return encoder.encode(bgr, name)
        return name, embed, lambda bgr: np.asarray(WatermarkDecoder("bits", 32).decode(bgr, name)).astype(int)
    return [method(name) for name in ("dwtDct", "dwtDctSvd", "rivaGan")]


def psnr(one, two):
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - two) ** 2))


def ours(scheme, kind, files, scratch):
    marked = scratch / f"{scheme}-{kind}"
    marked.mkdir()
    rows = bench("embed", scheme, marked, files)
    result = {"psnr_db": float(np.mean([row["psnr_db"] for row in rows])), "embed_ms": float(np.median([row["ms"] for row in rows]))}
    names = [marked / file.name for file in files]
    times = []
    for name in ATTACKS:
        rows = bench("detect", scheme, attacked(scratch, name, names if name in BAR else names[::BEYOND]))
        result[name] = (sum(row["found"] for row in rows), len(rows))
        times += [row["ms"] for row in rows]
        missed = [Path(row["file"]).stem for row in rows if not row["found"]]
        worst = max((row["wrong"] or 0 for row in rows), default=0)
        print(f"{scheme} {kind} {name}: {result[name]}, at most {worst:.3f} of the coded bits wrong", *missed, file=sys.stderr, flush=True)
    return {**result, "detect_ms": float(np.median(times)), "detect_ms_worst": max(times), "pictures": len(files)}


def theirs(name, embed, decode, kind, files):
    read = dict.fromkeys(ATTACKS, 0)
    noise_db = []
    for index, file in enumerate(files):
        bits = np.random.default_rng(index).integers(0, 2, 32).tolist()
        plain = np.asarray(Image.open(file).convert("RGB"))[..., ::-1].copy()
        marked = embed(plain.copy(), bits)
        noise_db.append(psnr(plain, marked))
        picture = Image.fromarray(np.ascontiguousarray(marked[..., ::-1]))
        for attack, change in ATTACKS.items():
            copy = np.asarray(change(picture))[..., ::-1].copy()
            try:
                read[attack] += int(np.array_equal(decode(copy), bits))
            except (ValueError, RuntimeError):
                pass  # A size that the peer cannot take is a copy that it cannot read.
        print(f"{name} {kind} {index + 1}/{len(files)}", file=sys.stderr, flush=True)
    result = {attack: (count, len(files)) for attack, count in read.items()}
    return {**result, "pictures": len(files), "psnr_db": float(np.mean(noise_db))}


def plot(results, out):
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    schemes = list(results)
    share = np.array([[sum(results[s][k][a][0] for k in results[s]) / sum(results[s][k][a][1] for k in results[s]) for s in schemes] for a in ATTACKS])
    fig, axis = plt.subplots(figsize=(7.6, 9.6), dpi=150)
    axis.imshow(share, cmap="YlGn", vmin=0, vmax=1.25, aspect="auto")
    for (row, column), value in np.ndenumerate(share):
        axis.text(column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=8, color="#123" if value < 0.9 else "white")
    db = {s: np.mean([results[s][k]["psnr_db"] for k in results[s]]) for s in schemes}
    bits = {s: 64 if s == "imgen" else 32 for s in schemes}
    axis.set_xticks(range(len(schemes)), [f"{s}\n{bits[s]} bits\n{db[s]:.1f} dB" for s in schemes], fontsize=9)
    axis.xaxis.tick_top()
    axis.set_yticks(range(len(ATTACKS)), list(ATTACKS), fontsize=8.5)
    axis.axhline(len(BAR) - 0.5, color="#667", linewidth=1)
    axis.tick_params(length=0)
    for spine in axis.spines.values():
        spine.set_visible(False)
    axis.set_title("Copies whose whole payload is read, in percent", fontsize=11, pad=12)
    fig.tight_layout()
    fig.savefig(out)


def table(results):
    columns = [(s, k) for s in results for k in results[s]]
    print("| | " + " | ".join(f"{s}, {k}" for s, k in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    print("| pictures | " + " | ".join(str(results[s][k]["pictures"]) for s, k in columns) + " |")
    print("| mean PSNR, dB | " + " | ".join(f"{results[s][k]['psnr_db']:.1f}" for s, k in columns) + " |")
    for attack in ATTACKS:
        print(f"| {attack} | " + " | ".join("{}/{}".format(*results[s][k][attack]) for s, k in columns) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--flat", type=Path)
    parser.add_argument("--fetch", type=Path, metavar="DIR")
    parser.add_argument("--draw", type=Path, metavar="DIR")
    parser.add_argument("--peers", type=int, default=10)
    parser.add_argument("--slow-peers", type=int, default=3)
    parser.add_argument("--keep", type=Path, metavar="FILE", help="results so far, as JSON")
    parser.add_argument("--bench", default="cargo bench --bench marks --", help="how benches/marks.rs is run")
    parser.add_argument("--out", type=Path, default=TOP / "docs/marks.png")
    arguments = parser.parse_args()
    if arguments.fetch:
        return fetch(arguments.fetch)
    if arguments.draw:
        return draw(arguments.draw)
    global BENCH
    BENCH = arguments.bench.split()
    sets = {"photographs": sorted(arguments.photos.resolve().glob("*.png")), "flat art": sorted(arguments.flat.resolve().glob("*.png"))}
    kept = json.loads(arguments.keep.read_text()) if arguments.keep and arguments.keep.exists() else {}

    of = {kind: [file.name for file in files] for kind, files in sets.items()} | {"peers": [arguments.peers, arguments.slow_peers]}
    if kept.setdefault("of", of) != of:
        sys.exit(f"{arguments.keep} holds results of other pictures or peers")

    def few(kind, count):
        return sets[kind][:: max(1, len(sets[kind]) // max(1, count))][:count]

    def once(scheme, kind, run):
        """What `run` gives, or gave before."""
        rows = kept.setdefault(scheme, {})
        if kind not in rows:
            rows[kind] = run()
            if arguments.keep:
                arguments.keep.write_text(json.dumps(kept))
        return rows[kind]

    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        results["imgen"] = {kind: once("imgen", kind, lambda: ours("imgen", kind, files, scratch)) for kind, files in sets.items()}
        if arguments.peers:
            results["bwm"] = {kind: once("bwm", kind, lambda: ours("bwm", kind, few(kind, arguments.peers), scratch)) for kind in sets}
            for name, embed, decode in peers():
                count = arguments.slow_peers if name == "rivaGan" else arguments.peers
                results[name] = {kind: once(name, kind, lambda: theirs(name, embed, decode, kind, few(kind, count))) for kind in sets}
        unmarked = once("unmarked", "all", lambda: bench("unmarked", [file for files in sets.values() for file in files]))
    table(results)
    for kind, row in results["imgen"].items():
        print(f"\nimgen, {kind}: embedding {row['embed_ms']:.0f} ms, reading {row['detect_ms']:.0f} ms (worst {row['detect_ms_worst']:.0f} ms)")
    wrong = sum(row["found"] is not None for row in unmarked)
    slowest = np.median([row["ms"] for row in unmarked if row["variant"] == 0])
    print(f"marks found in {len(unmarked)} unmarked pictures: {wrong}; {slowest:.0f} ms to find none")
    short = [(s, k, a) for s, k, a in ((s, k, a) for s in ["imgen"] for k in results[s] for a in BAR) if results[s][k][a][0] < 0.99 * results[s][k][a][1]]
    print("short of 99 % within the bar:", short or "nothing")
    os.makedirs(arguments.out.parent, exist_ok=True)
    plot(results, arguments.out)


if __name__ == "__main__":
    main()
