#!/usr/bin/env bash
# One picture through the real door: starts the service on a free port with a data folder of its own, submits $PROMPT
# by POST /api/v2, polls with a progress line, downloads the picture and prints its path. SIZE=WxH, OUT=folder.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
exec python3 - "$top" <<'PYTHON'
import json, os, pathlib, secrets, shutil, socket, subprocess, sys, tempfile, time, urllib.request

top = pathlib.Path(sys.argv[1])
width, height = (int(side) for side in os.environ.get("SIZE", "1344x768").split("x"))
out = pathlib.Path(os.environ.get("OUT", top / "out"))
out.mkdir(parents=True, exist_ok=True)
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
# What a demo may be told; the rest, such as another S3, would have it deliver elsewhere.
PASSED_ON = ("IMGEN_MODELS_DIR", "IMGEN_PRESETS_DIR", "IMGEN_LORAS_DIR", "IMGEN_DEVICE", "IMGEN_DTYPE", "IMGEN_THREADS", "IMGEN_LIBTORCH")
key = "imgen_" + secrets.token_hex(32)
data = tempfile.mkdtemp(prefix="imgen-demo-")
log = open(out / "demo.log", "w")
own = {name: value for name, value in os.environ.items() if name in PASSED_ON or not name.startswith("IMGEN_")}
environment = own | {"IMGEN_CONFIG": "/dev/null", "IMGEN_LISTEN": f"127.0.0.1:{port}", "IMGEN_DATA_DIR": data, "IMGEN_API_KEY": key}
service = subprocess.Popen([top / "target/release/imgen", "serve"], cwd=top, env=environment, stdout=log, stderr=log)


def api(**body):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v2", json.dumps(body).encode(),
                                     {"Content-Type": "application/json", "Authorization": f"Bearer {key}"})
    try:
        return json.load(urllib.request.urlopen(request, timeout=30))
    except urllib.error.HTTPError as error:
        return json.load(error)


def main():
    for _ in range(600):
        if service.poll() is not None:
            sys.exit(f"the service did not start; see {log.name}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
            break
        except OSError:
            time.sleep(0.1)
    else:
        sys.exit(f"the service is not ready; see {log.name}")
    begun = time.monotonic()
    job = api(action="generate", prompt=os.environ["PROMPT"], width=width, height=height)
    if "error" in job:
        sys.exit(f"{job['error']} {json.dumps(job.get('details', {}))}")
    for warning in job.get("warnings", []):
        print(f"warning: {warning['message']}")
    while True:
        answer = api(action="status", id=job["id"])
        if answer["status"] not in ("IN_QUEUE", "IN_PROGRESS"):
            break
        done = answer.get("progress", 0)
        bar = "#" * round(30 * done)
        print(f"\r{answer['status']:<12} [{bar:<30}] {100 * done:3.0f} %  {time.monotonic() - begun:5.1f} s", end="", flush=True)
        time.sleep(0.25)
    print(f"\r{answer['status']:<12} [{'#' * 30}]        {time.monotonic() - begun:5.1f} s")
    if "meta" not in answer:
        sys.exit(answer.get("error", "no picture"))
    picture = next(image for image in answer["meta"]["images"] if image["type"] == "signed")
    path = out / picture["filename"]
    with urllib.request.urlopen(picture["url"]) as body, open(path, "wb") as file:
        shutil.copyfileobj(body, file)
    print(f"seed {answer['meta']['seed']}, {width}x{height}: {path}")
    print("signed by a root that ends with this demo; pictures of `make run` lead back to their records")


try:
    main()
finally:
    service.terminate()
    service.wait(60)
    shutil.rmtree(data, ignore_errors=True)
PYTHON
