"""A checkpoint in memory: the network, its tokenizer, and what the two need to work together."""

import contextlib
import os
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bench.harness.errors import BenchError
from bench.harness.models.vocabulary import Vocabulary, read

LOADING = threading.RLock()
"""held while a model is loaded: transformers cannot be imported by two threads at once, and a model
and its judge start together"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Vocabulary):
    """A network that is ready to answer, with its vocabulary."""

    network: Any
    device: str


def load(name: str, folder: Path, dtype: str, device: str, threads: int) -> Loaded:
    """Load a network and its tokenizer from a folder; `threads` 0 leaves the number to torch.

    Raises:
        BenchError: torch or transformers is missing, or they cannot load the folder.

    """
    with LOADING:
        return _load(name, folder, dtype, device, threads)


def _load(name: str, folder: Path, dtype: str, device: str, threads: int) -> Loaded:
    yield_idle_cores()
    try:
        import torch
        import transformers
    except ImportError as problem:
        raise BenchError(
            f"{name}: needs torch and transformers. Install bench-harness[hf]."
        ) from problem
    if threads:
        torch.set_num_threads(threads)
    if device == "cuda" and not torch.cuda.is_available():
        raise BenchError(f"{name}: torch finds no usable GPU. Give device=cpu.")
    try:
        with silence():
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            network = transformers.AutoModelForCausalLM.from_pretrained(
                folder, dtype=getattr(torch, dtype), local_files_only=True
            )
            network.to(device).eval()
    except Exception as problem:  # each file format brings an error class of its own
        reason = str(problem).strip().partition("\n")[0]
        raise BenchError(f"{name}: cannot be loaded from {folder} ({reason}).") from problem
    return _ready(network, tokenizer, device)


def yield_idle_cores() -> None:
    """Let waiting threads of torch sleep soon; they would spin, and starve the sandboxes.

    Measured on two cores with smollm2, in seconds, alone and beside a sandbox that keeps both
    cores busy: spinning as by default 15 and 69, this 15 and 22, not spinning at all 20 and 18.
    It works only before torch is imported. What the user has set stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keep the progress bars, warnings and log lines of the libraries off the terminal."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    with warnings.catch_warnings(action="ignore"):
        yield


def _ready(network: Any, tokenizer: Any, device: str) -> Loaded:
    from transformers import GenerationConfig

    configured = network.generation_config.eos_token_id
    # The checkpoint's own temperature or repetition penalty must not leak into a measurement.
    network.generation_config = GenerationConfig()
    vocabulary = read(
        tokenizer,
        network.get_input_embeddings().num_embeddings,
        getattr(network.config.get_text_config(), "max_position_embeddings", None),
        configured if isinstance(configured, list) else [configured],
    )
    known = {field.name: getattr(vocabulary, field.name) for field in fields(vocabulary)}
    return Loaded(**known, network=network, device=device)
