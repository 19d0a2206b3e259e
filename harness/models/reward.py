"""Reward models: sequence classifiers with one output, through transformers.

The reward of a decoder is its head's value at the last token of prompt and answer, before any
padding. Where padding and end-of-sequence are one token, a search for the first padding token would
find the end of the text itself (as in MA-RLHF's scripts); here lengths are known and not searched.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from bench.harness.core import Message, Request, Response, Reward
from bench.harness.errors import BenchError
from bench.harness.models import options
from bench.harness.models.checkpoint import Checkpoint, find
from bench.harness.models.hardware import installed, torch_device
from bench.harness.models.loading import LOADING, silence, yield_idle_cores

OPTIONS = ("batch_size", "device", "dtype", "form", "revision")


def open_model(name: str, chosen: Mapping[str, str]) -> "RewardModel":
    """Open a reward model of the Hugging Face hub, or of a local folder, with transformers."""
    options.check("reward", chosen, OPTIONS)
    return RewardModel(find(name, chosen.get("revision", "")), chosen)


class RewardModel:
    """A classifier with one output, loaded with the first request."""

    has_chat_template = False
    """it answers Reward and nothing else"""

    def __init__(self, checkpoint: Checkpoint, chosen: Mapping[str, str]) -> None:
        """Read the small files of a checkpoint.

        `form` is "chat" where prompt and answer go through its chat template, which is the
        default where there is one, or "text" where they are joined and an EOS token follows.
        """
        self.name = checkpoint.name
        self._checkpoint = checkpoint
        template = checkpoint.chat_template()
        forms = ("chat", "text") if template else ("text",)
        self._form = options.choice(chosen, "form", forms)
        self._template = hashlib.sha256(template.encode()).hexdigest() if template else ""
        device = options.choice(chosen, "device", ("auto", "cpu", "cuda"))
        self._device = torch_device() if device == "auto" else device
        dtype = options.choice(chosen, "dtype", ("auto", "float32", "bfloat16", "float16"))
        self._dtype = checkpoint.dtype() if dtype == "auto" else dtype
        self._batch = options.count(chosen, "batch_size", 16)
        self._loaded: tuple[Any, Any] | None = None

    def identity(self) -> Mapping[str, str]:
        """Give what decides the rewards."""
        return {
            "backend": "reward",
            "gives": "rewards",
            "name": self.name,
            "revision": self._checkpoint.revision(),
            "form": self._form,
            "chat_template": self._template,
            "dtype": self._dtype,
            "device": self._device,
            "torch": installed("torch"),
            "transformers": installed("transformers"),
        }

    def respond(self, requests: Iterable[Request]) -> Iterator[tuple[int, Response]]:
        """Yield a reward for each request; "length" and none where the text is too long.

        Raises:
            BenchError: the model has no head for rewards, or something else than one is asked.

        """
        numbered = enumerate(requests)
        while window := list(islice(numbered, 8 * self._batch)):
            with LOADING:
                network, tokenizer = self._loaded = self._loaded or self._load()
            limit = getattr(network.config.get_text_config(), "max_position_embeddings", None)
            rows: list[tuple[int, list[int]]] = []
            for position, request in window:
                ids = self._ids(tokenizer, request)
                if limit and len(ids) > limit:
                    yield position, Response(finish_reason="length", prompt_tokens=len(ids))
                else:
                    rows.append((position, ids))
            rows.sort(key=lambda row: -len(row[1]))
            for at in range(0, len(rows), self._batch):
                yield from self._weigh(network, rows[at : at + self._batch])

    def _ids(self, tokenizer: Any, request: Request) -> list[int]:
        if not isinstance(request, Reward):
            raise BenchError(f"{self.name} is a reward model: it judges, and writes nothing.")
        if self._form == "text":
            ids: list[int] = tokenizer(request.prompt + request.answer)["input_ids"]
            end = tokenizer.eos_token_id
            return ids if end is None or ids[-1:] == [end] else [*ids, end]
        turns = (Message("user", request.prompt), Message("assistant", request.answer))
        text = tokenizer.apply_chat_template(
            [{"role": turn.role, "content": turn.text} for turn in turns], tokenize=False
        )
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    def _weigh(
        self, network: Any, rows: list[tuple[int, list[int]]]
    ) -> Iterator[tuple[int, Response]]:
        import torch

        width = max(len(ids) for _, ids in rows)
        padded = [ids + [0] * (width - len(ids)) for _, ids in rows]
        seen = [[1] * len(ids) + [0] * (width - len(ids)) for _, ids in rows]
        with silence(), torch.inference_mode():
            read = torch.tensor(padded, device=self._device)
            mask = torch.tensor(seen, device=self._device)
            if hasattr(network, "score"):
                states = network.base_model(read, attention_mask=mask).last_hidden_state
                ends = torch.tensor([len(ids) - 1 for _, ids in rows], device=self._device)
                last = states[torch.arange(len(rows), device=self._device), ends]
                values = network.score(last)
            else:  # an encoder, which has a place of its own for the whole text
                values = network(read, attention_mask=mask).logits
            rewards = values.float()[:, 0].tolist()
        for (position, ids), reward in zip(rows, rewards, strict=True):
            yield position, Response(prompt_tokens=len(ids), reward=reward)

    def _load(self) -> tuple[Any, Any]:
        yield_idle_cores()
        try:
            import torch
            import transformers
        except ImportError as problem:
            raise BenchError(
                f"{self.name}: needs torch and transformers. Install bench-harness[hf]."
            ) from problem
        folder = self._checkpoint.folder
        try:
            with silence():
                tokenizer = transformers.AutoTokenizer.from_pretrained(
                    folder, local_files_only=True
                )
                network, loading = transformers.AutoModelForSequenceClassification.from_pretrained(
                    folder,
                    dtype=getattr(torch, self._dtype),
                    local_files_only=True,
                    output_loading_info=True,
                )
        except Exception as problem:  # each file format brings an error class of its own
            reason = str(problem).strip().partition("\n")[0]
            said = f"{self.name}: cannot be loaded from {folder} ({reason})."
            raise BenchError(said) from problem
        if loading["missing_keys"]:
            raise BenchError(
                f"{self.name} has no head that gives rewards. Name a sequence classifier, or give "
                "it as a judge that writes."
            )
        if network.config.num_labels != 1:
            raise BenchError(
                f"{self.name} has {network.config.num_labels} outputs; a reward model has 1."
            )
        return network.to(self._device).eval(), tokenizer
