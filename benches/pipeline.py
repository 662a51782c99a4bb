#!/usr/bin/env python3
"""From pixels to signed bytes beside Pillow + invisible-watermark + pdqhash + c2pa-python, in turns, in one run.

    make bench-pipeline          (or: python3 benches/pipeline.py [--rounds 2] [PICTURE…])

Wants numpy, pillow (11.3 or later, for AVIF), invisible-watermark, pdqhash, c2pa-python and cargo. Both sides draw the
same watermark, set and read back an invisible mark of 64 bits, hash, encode, sign with the same certificates, read the
signature back, and do the last three once more for a thumbnail with the picture as its ingredient; one thread each. Of
each picture first one side, then the other, and in the next round the other way about; medians over pictures and rounds.

The peer's invisible mark is dwtDctSvd, the library's stronger one without a network. It does not survive a
crop or a resize that is not undone, which imgen's is made for, so the comparison is conservative. Its encoders are set to
the effort of imgen's; with `--pillow-effort` they run as Pillow has them, which is slower.

Without PICTUREs five that look like photographs and five flat ones are made; others are cut and scaled to 1344x768.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

# Read when the libraries below are loaded.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = "1"

import time  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
SIZE = (1344, 768)
PAYLOAD = bytes.fromhex("0123456789abcdef")
QUALITY, THUMBNAIL_QUALITY, THUMBNAIL_LONG_SIDE_PX = 95, 85, 512
EVERY_FORMAT = "every format"

# Pillow's name, content type, whether there is a quality, options; and those that make it as fast as imgen's encoder.
OUTPUTS = {
    "JPEG 95": ("JPEG", "image/jpeg", True, {"subsampling": 0}, {"optimize": True}),
    "PNG": ("PNG", "image/png", False, {}, {"compress_level": 1}),
    "WebP 95": ("WEBP", "image/webp", True, {}, {"method": 0}),
    "WebP lossless": ("WEBP", "image/webp", False, {"lossless": True}, {"method": 0, "quality": 0}),
    "AVIF 95": ("AVIF", "image/avif", True, {"subsampling": "4:4:4", "max_threads": 1}, {"speed": 9}),
    # 100 is as near to lossless as Pillow goes: libavif's lossless wants the identity matrix, which it does not set.
    "AVIF lossless": ("AVIF", "image/avif", False, {"quality": 100, "subsampling": "4:4:4", "max_threads": 1}, {"speed": 9}),
}
TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
ENHANCED = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, nargs="*", metavar="PICTURE")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--pillow-effort", action="store_true", help="the peer's encoders as Pillow sets them")
    return parser.parse_args()


class Laps:
    """Milliseconds of the wall and of the processor, and bytes, of each run of each step of each format."""

    def __init__(self):
        self.of = {}

    def add(self, format_name, step, wall_ms, cpu_ms, size=0):
        self.of.setdefault((format_name, step), []).append((wall_ms, cpu_ms, size))

    def time(self, format_name, step, run):
        wall, cpu = time.perf_counter(), time.process_time()
        made = run()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        self.add(format_name, step, wall * 1e3, cpu * 1e3, len(made) if isinstance(made, bytes) else 0)
        return made

    def median(self, format_name, step):
        return [median(column) for column in zip(*self.of[format_name, step])]


class Peer:
    """The pipeline that one would write in Python."""

    def __init__(self, credentials, watermark, pillow_effort):
        import c2pa
        import cv2
        import numpy
        import pdqhash
        from imwatermark import WatermarkDecoder, WatermarkEncoder
        from PIL import Image
        cv2.setNumThreads(1)
        self.c2pa, self.numpy, self.pdqhash, self.Image = c2pa, numpy, pdqhash, Image
        self.watermark = Image.open(watermark).convert("RGBA")
        self.pillow_effort = pillow_effort
        self.encoder, self.decoder = WatermarkEncoder(), WatermarkDecoder("bytes", len(PAYLOAD) * 8)
        self.encoder.set_watermark("bytes", PAYLOAD)
        # Key and chain, as imgen keeps them.
        signer = (credentials / "signer.pem").read_text()
        begin = signer.index("-----BEGIN CERTIFICATE-----")
        key = signer.index("-----BEGIN PRIVATE KEY-----")
        chain, key = (signer[begin:], signer[key:begin]) if key < begin else (signer[begin:key], signer[key:])
        self.signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain.encode(), key.encode(), None))
        root = (credentials / "root.pem").read_text()
        anchor = root[root.index("-----BEGIN CERTIFICATE-----"):].split("-----END CERTIFICATE-----")[0]
        # No thumbnails inside manifests, no network, our root: as imgen.
        self.context = c2pa.Context.from_dict({
            "builder": {"thumbnail": {"enabled": False}},
            "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
            "trust": {"user_anchors": anchor + "-----END CERTIFICATE-----\n"},
        })
        self.marks_read = self.marks_set = 0

    def draw(self, picture):
        width = picture.width * 20 // 100
        size = (width, round(self.watermark.height * width / self.watermark.width))
        scaled = self.watermark.resize(size, self.Image.Resampling.LANCZOS)
        scaled.putalpha(scaled.getchannel("A").point(lambda value: value * 80 // 100))
        drawn = picture.convert("RGBA")
        drawn.alpha_composite(scaled, (picture.width - size[0] - 10, picture.height - size[1] - 10))
        return drawn.convert("RGB")

    def mark(self, picture):
        bgr = self.numpy.ascontiguousarray(self.numpy.asarray(picture)[:, :, ::-1])
        return self.Image.fromarray(self.encoder.encode(bgr, "dwtDctSvd")[:, :, ::-1].copy())

    def pdq(self, picture):
        return self.pdqhash.compute(self.numpy.asarray(picture))

    def encode(self, picture, name, quality=QUALITY):
        kind, _, has_quality, options, effort = OUTPUTS[name]
        options = options | ({"quality": quality} if has_quality else {}) | ({} if self.pillow_effort else effort)
        file = io.BytesIO()
        picture.save(file, kind, **options)
        return file.getvalue()

    def sign(self, data, name, full=None):
        kind = OUTPUTS[name][1]
        builder = self.c2pa.Builder(definition(kind, full is not None), context=self.context)
        if full is not None:
            parent = {"title": "full picture", "relationship": "parentOf", "label": "full-picture"}
            builder.add_ingredient_from_stream(json.dumps(parent), kind, io.BytesIO(full))
        signed = io.BytesIO()
        builder.sign(self.signer, kind, io.BytesIO(data), signed)
        signed.seek(0)
        with self.c2pa.Reader(kind, signed, context=self.context) as reader:
            if reader.get_validation_state() != "Trusted":
                raise SystemExit(f"{name}: {reader.get_validation_state()}, {reader.get_validation_results()}")
        return signed.getvalue()

    def read_back(self, data):
        bgr = self.numpy.asarray(self.Image.open(io.BytesIO(data)).convert("RGB"))[:, :, ::-1]
        return self.decoder.decode(self.numpy.ascontiguousarray(bgr), "dwtDctSvd") == PAYLOAD

    def thumbnail(self, picture, signed, name):
        shrunk = THUMBNAIL_LONG_SIDE_PX / max(picture.size)
        small = picture.resize([round(side * shrunk) for side in picture.size], self.Image.Resampling.LANCZOS)
        return self.sign(self.encode(small, name, THUMBNAIL_QUALITY), name, signed)

    def finish(self, picture, name):
        marked = self.mark(self.draw(picture))
        self.pdq(marked)
        signed = self.sign(self.encode(marked, name), name)
        self.marks_set += 1
        self.marks_read += self.read_back(signed)
        self.thumbnail(marked, signed, name)
        return signed

    def run(self, path, laps):
        picture = self.Image.open(path).convert("RGB")
        drawn = laps.time(EVERY_FORMAT, "visible watermark", lambda: self.draw(picture))
        marked = laps.time(EVERY_FORMAT, "invisible mark", lambda: self.mark(drawn))
        laps.time(EVERY_FORMAT, "PDQ", lambda: self.pdq(marked))
        for name in OUTPUTS:
            laps.time(name, "end to end", lambda: self.finish(picture, name))
            encoded = laps.time(name, "encode", lambda: self.encode(marked, name))
            signed = laps.time(name, "sign", lambda: self.sign(encoded, name))
            laps.time(name, "read the mark back", lambda: self.read_back(signed))
            laps.time(name, "thumbnail", lambda: self.thumbnail(marked, signed, name))


def definition(kind, is_thumbnail):
    """A manifest that says what imgen's says."""
    action = lambda name, **more: {"action": name, "softwareAgent": {"name": "bench", "version": "1"}} | more
    if is_thumbnail:
        actions = [action("c2pa.opened", parameters={"ingredientIds": ["full-picture"]}), action("c2pa.resized.proportional")]
    else:
        actions = [action("c2pa.created", digitalSourceType=TRAINED)]
    actions.append(action("c2pa.edited", digitalSourceType=ENHANCED, description="visible watermark"))
    assertions = []
    if not is_thumbnail:
        actions.append(action("c2pa.watermarked.bound"))
        binding = {"alg": "dwtDctSvd", "name": "invisible mark", "blocks": [{"scope": {}, "value": PAYLOAD.hex()}]}
        source = {"@context": {"Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"},
                  "Iptc4xmpExt:DigitalSourceType": TRAINED}
        credit = {"@context": {"dc": "http://purl.org/dc/elements/1.1/"}, "dc:title": "A title", "dc:publisher": ["imgen"]}
        assertions = [
            {"label": "c2pa.soft-binding", "created": True, "data": binding},
            {"label": "c2pa.metadata", "created": True, "kind": "Json", "data": source},
            {"label": "c2pa.ai-disclosure", "created": True, "data": {"modelType": "c2pa.types.model", "modelName": "starter"}},
            {"label": "org.imgen.generation", "created": True, "kind": "Json", "data": {"model": "starter"}},
            {"label": "cawg.metadata", "kind": "Json", "data": credit},
        ]
    done = {"label": "c2pa.actions.v2", "created": True, "data": {"actions": actions, "allActionsIncluded": True}}
    return json.dumps({"claim_version": 2, "claim_generator_info": [{"name": "bench", "version": "1"}], "format": kind,
                       "title": "A title", "assertions": [done, *assertions]})


def make_pictures(folder):
    """Five with the falling spectrum and grain of photographs, five of flat shapes with hard edges."""
    import numpy
    from PIL import Image, ImageDraw
    made = []
    for seed in range(5):
        chance = numpy.random.default_rng(seed)
        rows, columns = numpy.fft.fftfreq(SIZE[1])[:, None], numpy.fft.rfftfreq(SIZE[0])[None]
        falling = 1 / numpy.maximum(numpy.hypot(rows, columns), 1 / max(SIZE)) ** 1.2
        luma = numpy.fft.irfft2(numpy.fft.rfft2(chance.normal(size=SIZE[::-1])) * falling, s=SIZE[::-1])
        tint = [numpy.fft.irfft2(numpy.fft.rfft2(chance.normal(size=SIZE[::-1])) * falling ** 1.5, s=SIZE[::-1]) for _ in range(3)]
        scaled = lambda plane, spread: plane / plane.std() * spread
        planes = [128 + scaled(luma, 45) + scaled(plane, 20) + chance.normal(size=SIZE[::-1]) * 2 for plane in tint]
        made.append(folder / f"photo-{seed}.png")
        Image.fromarray(numpy.stack(planes, -1).clip(0, 255).astype("uint8")).save(made[-1])
        flat = Image.new("RGB", SIZE, tuple(chance.integers(0, 256, 3).tolist()))
        for _ in range(40):
            x, y, wide, high = (chance.integers(-100, side) for side in (*SIZE, 500, 400))
            shape = (x, y, x + abs(wide) + 4, y + abs(high) + 4)
            pen = ImageDraw.Draw(flat)
            (pen.ellipse if chance.integers(2) else pen.rectangle)([int(at) for at in shape], fill=tuple(chance.integers(0, 256, 3).tolist()))
        made.append(folder / f"flat-{seed}.png")
        flat.save(made[-1])
    return made


def fit_pictures(paths, folder):
    from PIL import Image, ImageOps
    fitted = []
    for index, path in enumerate(paths):
        fitted.append(folder / f"{index:03}.png")
        ImageOps.fit(Image.open(path).convert("RGB"), SIZE, Image.Resampling.LANCZOS).save(fitted[-1])
    return fitted


def make_watermark(path):
    """A disc and a frame, white on nothing."""
    from PIL import Image, ImageDraw
    mark = Image.new("RGBA", (512, 256))
    pen = ImageDraw.Draw(mark)
    pen.ellipse((10, 10, 246, 246), fill=(255, 255, 255, 255))
    pen.rectangle((270, 20, 500, 236), outline=(255, 255, 255, 200), width=16)
    mark.save(path)
    return path


def build():
    """The bench's program, built by cargo as `cargo bench` would run it."""
    command = ["cargo", "bench", "--locked", "--bench", "pipeline", "--no-run", "--message-format", "json"]
    told = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "pipeline")


def run_imgen(program, data, watermark, picture, laps):
    command = [program, "--data", data, "--watermark", watermark, *([picture] if picture else [])]
    # libtorch of a Python beside it is another copy.
    clean = {k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH"}
    told = subprocess.run([str(word) for word in command], env=clean, check=True, stdout=subprocess.PIPE, text=True).stdout
    for format_name, steps in json.loads(told).items():
        for step, lap in steps.items():
            laps.add(format_name, step, lap["wall_ms"], lap["cpu_ms"], lap["bytes"])


def table(theirs, ours):
    print("| format | step | Python ms | imgen ms | times faster | Python CPU ms | imgen CPU ms | times less CPU |")
    print("|---|---|---|---|---|---|---|---|")
    for key in theirs.of:
        their_wall, their_cpu, _ = theirs.median(*key)
        our_wall, our_cpu, _ = ours.median(*key)
        mark = "**" if key[1] == "end to end" else ""
        print(f"| {key[0]} | {mark}{key[1]}{mark} | {their_wall:.1f} | {our_wall:.1f} | {mark}{their_wall / our_wall:.1f}{mark} "
              f"| {their_cpu:.1f} | {our_cpu:.1f} | {mark}{their_cpu / our_cpu:.1f}{mark} |")
    sizes = [f"{name} {theirs.median(name, 'encode')[2] / 1e3:.0f} / {ours.median(name, 'encode')[2] / 1e3:.0f}" for name in OUTPUTS]
    print(f"\nMedian size of the encoded picture in kB, Python / imgen: {', '.join(sizes)}.")


def machine(peer):
    from importlib.metadata import version
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True).stdout.strip()
    names = ("pillow", "invisible-watermark", "numpy", "pdqhash", "c2pa-python")
    return (f"{cpu}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start; commit {commit}; "
            f"{', '.join(f'{name} {version(name)}' for name in names)} (its core {peer.c2pa.sdk_version()})")


def main():
    asked = arguments()
    try:
        import c2pa, cv2, imwatermark, numpy, pdqhash, PIL  # noqa: F401
    except ImportError as missing:
        raise SystemExit(f"{missing}: needs Python with numpy, pillow, invisible-watermark, pdqhash and c2pa-python")
    program = build()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        pictures = fit_pictures(asked.pictures, folder) if asked.pictures else make_pictures(folder)
        watermark = make_watermark(folder / "watermark.png")
        # Makes the certificates.
        run_imgen(program, folder, watermark, None, Laps())
        peer = Peer(folder / "credentials", watermark, asked.pillow_effort)
        effort = "Pillow's effort" if asked.pillow_effort else "imgen's effort"
        print(machine(peer))
        print(f"{len(pictures)} pictures of {SIZE[0]}x{SIZE[1]}, {asked.rounds} rounds, one thread, encoders of the peer with {effort}\n", flush=True)
        # What the first call of a library costs belongs to nobody's steps.
        peer.run(pictures[0], Laps())
        theirs, ours = Laps(), Laps()
        for turn in range(asked.rounds):
            for path in pictures:
                sides = [lambda: peer.run(path, theirs), lambda: run_imgen(program, folder, watermark, path, ours)]
                for side in sides if turn % 2 == 0 else reversed(sides):
                    side()
            print(f"round {turn + 1} done, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
        table(theirs, ours)
        print(f"imgen's mark was read back out of every file; the peer's out of {peer.marks_read} of {peer.marks_set}.")


if __name__ == "__main__":
    main()
