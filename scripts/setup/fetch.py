"""Downloads the pinned files of one section of downloads.lock into a folder: resumable, verified, with progress.

    fetch.py SECTION FOLDER

An interrupted download leaves FILE.part and goes on from there. A file whose sha256 is not the pinned one is
removed and is an error. The package index is the one pip is configured for (PIP_INDEX_URL, pip.conf, pip's default).
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

LOCK = pathlib.Path(__file__).with_name("downloads.lock")
CHUNK_BYTES = 1 << 20
ATTEMPTS = 8


def pinned(section):
    """Yields (project, file name, sha256) of one section of the lock file."""
    here = None
    for line in LOCK.read_text().splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("["):
            here = line.strip("[]")
        elif line and here == section:
            yield tuple(line.split())


def index_url():
    asked = os.environ.get("PIP_INDEX_URL")
    if not asked:
        answer = subprocess.run([sys.executable, "-m", "pip", "config", "get", "global.index-url"],
                                capture_output=True, text=True, check=False)
        asked = answer.stdout.strip()
    if not asked:
        from pip._internal.models.index import PyPI  # pip's own default, so that no address is pinned here
        asked = PyPI.simple_url
    return asked.rstrip("/")


def locate(project, name):
    """The address of a file, from the index's JSON page (PEP 691), or from its HTML page where it has no JSON."""
    page = f"{index_url()}/{project}/"
    accept = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
    with urllib.request.urlopen(urllib.request.Request(page, headers={"Accept": accept}), timeout=60) as answer:
        body = answer.read().decode()
        if "json" in answer.headers.get_content_type():
            links = {entry["filename"]: entry["url"] for entry in json.loads(body)["files"]}
        else:
            import re
            links = {pathlib.PurePosixPath(urllib.parse.urlparse(link).path).name: link
                     for link in re.findall(r'href="([^"]+)"', body)}
    if name not in links:
        sys.exit(f"set-up: the package index has no {name}")
    return urllib.parse.urljoin(page, links[name])


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def say(name, done, total, ended=False):
    if not (sys.stderr.isatty() or ended):
        return
    share = f" ({100 * done // total} %)" if total else ""
    print(f"\rset-up: {name[:40]} {done >> 20} of {total >> 20} MiB{share}   ", end="\n" if ended else "",
          file=sys.stderr, flush=True)


def transfer(url, part, name):
    """Appends to `part` what is still missing of `url`."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=60) as answer:
        if have and answer.status != 206:  # the server starts over
            have = 0
        total = have + int(answer.headers.get("Content-Length", 0))
        last = 0.0
        with open(part, "ab" if have else "wb") as file:
            while chunk := answer.read(CHUNK_BYTES):
                file.write(chunk)
                have += len(chunk)
                if time.monotonic() - last > 0.5:
                    say(name, have, total)
                    last = time.monotonic()
    if total and have < total:
        raise ConnectionError(f"ended after {have} of {total} bytes")
    say(name, have, total or have, ended=True)


def fetch(project, name, digest, folder):
    path = folder / name
    if path.exists() and sha256(path) == digest:
        return
    part = folder / (name + ".part")
    url = locate(project, name)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            transfer(url, part, name)
            break
        except urllib.error.HTTPError as error:
            if error.code == 416:  # the part is already whole
                break
            if error.code < 500 or attempt == ATTEMPTS:
                sys.exit(f"set-up: {name}: the index answered {error.code}")
        except OSError as error:
            if attempt == ATTEMPTS:
                sys.exit(f"set-up: {name}: {error}; run it again to go on from here")
            print(f"set-up: {name}: {error}; going on", file=sys.stderr)
        time.sleep(min(2 ** attempt, 30))
    found = sha256(part)
    if found != digest:
        part.unlink()
        sys.exit(f"set-up: {name} has sha256 {found}, not the pinned {digest}; removed")
    part.rename(path)


def main():
    section, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for project, name, digest in pinned(section):
        fetch(project, name, digest, folder)


if __name__ == "__main__":
    main()
