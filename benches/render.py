#!/usr/bin/env python3
"""`imgen render` beside diffusers: same weights, noise, steps, size and threads, in turns, in one run.

    make bench-render            (or: python3 benches/render.py [--steps 6] [--rounds 2] [--pairs f32:bf16 …])

Wants torch, diffusers, transformers and accelerate, and target/release/imgen. The models are models/starter where it
is there, and one of SDXL's shape with a few hundred million random weights, made in /tmp once. What is compared is
the denoising loop without its first step, the best of the rounds on either side, by the clock and by processor time, which a
busy machine disturbs less. diffusers runs as it comes (eager; f32, or bf16 with `bf16-cl` channels-last), and both sides'
threads sleep while they wait.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MID = Path(tempfile.gettempdir()) / "imgen-bench-mid"
PROMPT = "a portrait of an old sailor with a red hat, soft light"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--imgen", type=Path, default=Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/imgen")
    parser.add_argument("--models", type=Path, nargs="*", help="folders; default: models/starter and the random one")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", nargs="*", default=["f32:f32", "f32:bf16", "bf16-cl:bf16"], metavar="THEIRS:OURS",
                        help="number formats; theirs f32, bf16 or bf16-cl")
    return parser.parse_args()


def make_mid():
    """SDXL's blocks at three fifths of its width and less than half its depth, with weights that keep variance."""
    if (MID / "model_index.json").exists():
        return
    sys.path.insert(0, str(ROOT / "tests/fixtures"))
    import tiny_models
    from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
    tokenizers = [CLIPTokenizer.from_pretrained(ROOT / "tests/fixtures/tiny-sdxl" / n) for n in ("tokenizer", "tokenizer_2")]
    text = dict(vocab_size=len(tokenizers[0]), hidden_size=256, intermediate_size=1024, num_hidden_layers=3,
                num_attention_heads=4, projection_dim=256, bos_token_id=0, eos_token_id=2, pad_token_id=1)
    unet = UNet2DConditionModel(
        sample_size=64, block_out_channels=(192, 384, 768), layers_per_block=2, transformer_layers_per_block=[1, 2, 4],
        attention_head_dim=[3, 6, 12], cross_attention_dim=512, use_linear_projection=True,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), addition_embed_type="text_time",
        addition_time_embed_dim=256, projection_class_embeddings_input_dim=6 * 256 + 256)
    vae = AutoencoderKL(block_out_channels=(32, 64, 64, 64), down_block_types=("DownEncoderBlock2D",) * 4,
                        up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=2, latent_channels=4,
                        scaling_factor=0.13025)
    pipe = StableDiffusionXLPipeline(
        tokenizer=tokenizers[0], tokenizer_2=tokenizers[1], unet=tiny_models.enliven(unet, 1),
        vae=tiny_models.enliven(vae, 2), text_encoder=tiny_models.enliven(CLIPTextModel(CLIPTextConfig(**text)), 3),
        text_encoder_2=tiny_models.enliven(CLIPTextModelWithProjection(CLIPTextConfig(**text)), 4),
        scheduler=EulerDiscreteScheduler.from_config(tiny_models.SDXL), add_watermarker=False)
    shutil.rmtree(MID, ignore_errors=True)
    pipe.save_pretrained(MID)


class Diffusers:
    def __init__(self, folder, dtype, steps, threads):
        import torch
        from diffusers import StableDiffusionXLPipeline
        torch.set_num_threads(threads)
        self.torch, self.steps = torch, steps
        kind = {"f32": torch.float32, "bf16": torch.bfloat16, "bf16-cl": torch.bfloat16}[dtype]
        self.pipe = StableDiffusionXLPipeline.from_pretrained(folder, torch_dtype=kind)
        if dtype.endswith("-cl"):
            self.pipe.unet.to(memory_format=torch.channels_last)
        self.pipe.set_progress_bar_config(disable=True)
        self.size = (512, 512) if self.pipe.vae_scale_factor <= 16 else (1344, 768)

    def run(self):
        """Seconds of each step but the first, processor seconds a step, and the last latents. The noise is imgen's: in
        bf16 diffusers' own would be other numbers."""
        laps, spent = [], []
        def lap(_pipe, _step, _timestep, kept):
            laps.append(time.perf_counter())
            spent.append(time.process_time())
            return kept
        width, height = (side // self.pipe.vae_scale_factor for side in self.size)
        noise = self.torch.randn((1, self.pipe.unet.config.in_channels, height, width),
                                 generator=self.torch.Generator("cpu").manual_seed(1)).to(self.pipe.dtype)
        with self.torch.no_grad():
            latents = self.pipe(PROMPT, width=self.size[0], height=self.size[1], num_inference_steps=self.steps,
                                guidance_scale=5.0, latents=noise, output_type="latent",
                                callback_on_step_end=lap).images
        return [b - a for a, b in zip(laps, laps[1:])], (spent[-1] - spent[0]) / (len(spent) - 1), latents.float()


def run_imgen_twice(binary, folder, dtype, size, steps, threads, out):
    """As Diffusers.run; a short run tells what of the processor time is not steps."""
    _, few, _ = run_imgen(binary, folder, dtype, size, 2, threads, out)
    laps, many, latents = run_imgen(binary, folder, dtype, size, steps, threads, out)
    return laps, (many - few) / (steps - 2), latents


def run_imgen(binary, folder, dtype, size, steps, threads, out):
    command = [binary, "render", "--model-dir", folder, "--prompt", PROMPT, "--width", size[0], "--height", size[1],
               "--steps", steps, "--guidance", 5, "--seed", 1, "--dtype", dtype, "--timings",
               "--dump-latents", out / "latents.safetensors", "--out", out / "picture.png"]
    # libtorch of the Python beside it is another copy; neither may find the other's.
    clean = {k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH"}
    env = clean | {"IMGEN_DEVICE": "cpu", "IMGEN_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    spent = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    before = spent()
    answer = subprocess.run([str(word) for word in command], env=env, check=True, stdout=subprocess.PIPE, text=True)
    from safetensors.torch import load_file
    timings = json.loads(answer.stdout.strip().splitlines()[-1])
    latents = load_file(out / "latents.safetensors")["latents"]
    return [ms / 1e3 for ms in timings["steps"][1:]], spent() - before, latents


def compare(binary, folder, pair, asked, out):
    their_dtype, dtype = pair.split(":")
    theirs = Diffusers(folder, their_dtype, asked.steps, asked.threads)
    millions = sum(p.numel() for p in theirs.pipe.unet.parameters()) / 1e6
    best = {}
    for _ in range(asked.rounds):
        for name, run in (("diffusers", theirs.run),
                          ("imgen", lambda: run_imgen_twice(binary, folder, dtype, theirs.size, asked.steps, asked.threads, out))):
            laps, cpu, latents = run()
            if name not in best:
                best[name] = (laps, cpu, latents)
            wall = min(laps, best[name][0], key=sum)
            best[name] = (wall, min(cpu, best[name][1]), latents)
    (their_laps, their_cpu, their_latents), (our_laps, our_cpu, our_latents) = best["diffusers"], best["imgen"]
    per_step = lambda laps: sum(laps) / len(laps)
    difference = (their_latents - our_latents).abs().max() / their_latents.abs().max()
    print(f"| {folder.name} | {millions:.0f} M | {theirs.size[0]}x{theirs.size[1]} | {their_dtype} | {dtype} "
          f"| {per_step(their_laps):.3f} | {per_step(our_laps):.3f} | {per_step(their_laps) / per_step(our_laps):.2f} "
          f"| {their_cpu:.2f} | {our_cpu:.2f} | {their_cpu / our_cpu:.2f} | {difference:.1e} |", flush=True)


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    git = lambda *words: subprocess.run(["git", "-C", ROOT, *words], stdout=subprocess.PIPE, text=True).stdout.strip()
    import diffusers
    import torch
    return (f"{cpu}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start; commit {git('rev-parse', '--short', 'HEAD')}; "
            f"torch {torch.__version__}, diffusers {diffusers.__version__}")


def main():
    asked = arguments()
    # imgen has it so of itself: spinning threads starve each other on a shared machine. Read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if not asked.imgen.exists():
        raise SystemExit(f"{asked.imgen} is not there: build it with `make build`, or name it with --imgen")
    try:
        import accelerate, diffusers, safetensors, torch, transformers  # noqa: F401
    except ImportError as missing:
        raise SystemExit(f"{missing}: needs Python with torch, diffusers, transformers, safetensors and accelerate")
    print(machine())
    print(f"{asked.steps} steps, guidance 5, {asked.threads} threads, best of {asked.rounds}; seconds a step without the first\n")
    if asked.models:
        folders = asked.models
    else:
        make_mid()
        starter = ROOT / "models/starter"
        folders = [starter] * (starter / "model_index.json").exists() + [MID]
    print("| model | UNet | size | diffusers in | imgen in | diffusers s/step | imgen s/step | times faster | diffusers CPU s/step "
          "| imgen CPU s/step | times less CPU | latents differ, relative |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as out:
        for folder in folders:
            for pair in asked.pairs:
                compare(asked.imgen.resolve(), folder.resolve(), pair, asked, Path(out))


if __name__ == "__main__":
    main()
