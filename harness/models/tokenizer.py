"""The tokenizer of a model that is on this machine, without its network."""

from typing import Any

from bench.harness.core import Model, Tokenizer
from bench.harness.errors import BenchError
from bench.harness.models.checkpoint import Checkpoint
from bench.harness.models.loading import LOADING, silence
from bench.harness.models.vocabulary import read


def tokenizer_of(model: Model) -> Tokenizer | None:
    """Give the tokenizer that is among a model's files; None where it has no files here.

    Raises:
        BenchError: transformers is missing, or cannot load the tokenizer.

    """
    checkpoint = getattr(model, "checkpoint", None)
    if not isinstance(checkpoint, Checkpoint):
        return None
    tokenizer = load_tokenizer(checkpoint)
    return read(tokenizer, tokenizer.vocab_size, None, ())


def load_tokenizer(checkpoint: Checkpoint) -> Any:
    """Load the tokenizer of a checkpoint, as transformers has it.

    Raises:
        BenchError: transformers is missing, or cannot load the tokenizer.

    """
    try:
        with LOADING:
            from transformers import AutoTokenizer

            with silence():
                return AutoTokenizer.from_pretrained(checkpoint.folder, local_files_only=True)
    except Exception as problem:  # each file format brings an error class of its own
        reason = str(problem).strip().partition("\n")[0]
        said = f"{checkpoint.name}: its tokenizer cannot be loaded ({reason})."
        raise BenchError(said) from problem
