#!/usr/bin/env python3
"""Harmless pictures for `cargo bench --bench compliance -- --pictures`, out of Debian 12's packages: none twice, none cut out of another.

    python3 benches/compliance_pictures.py FOLDER     # then --pictures FOLDER/stamps FOLDER/clipart FOLDER/wallpapers

Fetches 0.5 GB with apt-get and unpacks it beside the pictures. Of one picture in several sizes the largest file is taken; what is transparent
becomes white, larger ones are made to fit 1344x768, those under 64 pixels are left out. Needs pillow.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

from PIL import Image

BOX = (1344, 768)
LEAST = 64
# Wallpapers come as one folder a picture, with a file for each size of screen.
ONE_A_FOLDER = "images"
# Of some eight thousand drawings as many as there are of everything else, and more.
CLIPART = 2_000
SETS = {
    "stamps": ["tuxpaint-stamps-default"],
    "clipart": ["openclipart-png"],
    "wallpapers": [
        "lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04", "plasma-workspace-wallpapers", "gnome-backgrounds", "mate-backgrounds",
        "sway-backgrounds", "ukui-wallpapers", "python3-skimage",
    ],
}


def unpacked(package, folder):
    into = folder / package
    if not into.exists():
        subprocess.run(["apt-get", "download", "-q", package], cwd=folder, check=True)
        [archive] = folder.glob(f"{package}_*.deb")
        subprocess.run(["dpkg-deb", "-x", archive, into], check=True)
    return into


def files(package, folder):
    """The picture files of a package, the largest of each folder of sizes."""
    found = [path for path in sorted(unpacked(package, folder).rglob("*")) if path.is_file() and not path.is_symlink()]
    found = [path for path in found if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp")]
    sizes = {}
    for path in found:
        alone = path.parent if path.parent.name.startswith(ONE_A_FOLDER) else path
        sizes.setdefault(alone, []).append(path)
    return [max(paths, key=lambda path: path.stat().st_size) for paths in sizes.values()]


def flat(path):
    """A picture over white, no larger than BOX; None for what is too small, far too large, or cannot be read."""
    try:
        with Image.open(path) as picture:
            picture = picture.convert("RGBA")
    except (OSError, Image.DecompressionBombError):
        return None
    if min(picture.size) < LEAST:
        return None
    picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    picture.thumbnail(BOX, Image.LANCZOS)
    return picture


def gather(name, packages, top):
    found = [path for package in packages for path in files(package, top / "packages")]
    if name == "clipart":
        found = sorted(found, key=lambda path: hashlib.sha256(str(path.relative_to(top)).encode()).digest())[:CLIPART]
    into, seen = top / name, set()
    into.mkdir(exist_ok=True)
    for path in found:
        picture = flat(path)
        if picture is None or (digest := hashlib.sha256(picture.tobytes()).hexdigest()) in seen:
            continue
        seen.add(digest)
        picture.save(into / f"{path.stem[:60]}-{digest[:8]}.png")
    print(f"{name}: {len(seen)}")


def main():
    top = Path(sys.argv[1])
    (top / "packages").mkdir(parents=True, exist_ok=True)
    for name, packages in SETS.items():
        gather(name, packages, top)


if __name__ == "__main__":
    main()
