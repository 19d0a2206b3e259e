"""How much of a model fits into memory, and what it looks like when it does not."""

import sys
from typing import Any

SHARE = 0.5
"""of the free memory, for what a batch keeps of its tokens; the rest is for what it computes"""
ENGINE_SHARE = 0.8
"""of the free memory, for an engine on a CPU; the rest is for programs, and for a judge"""
SIGNS = ("DefaultCPUAllocator", "not enough memory", "can't allocate memory", "out of memory")


def exhausted(problem: Exception) -> bool:
    """Tell whether an error means that the memory did not suffice, on the CPU or on a GPU."""
    named = type(problem).__name__ == "OutOfMemoryError"
    return isinstance(problem, MemoryError) or named or any(s in str(problem) for s in SIGNS)


def no_memory(tokens: int) -> str:
    """Give the line that says so, of a prompt of so many tokens."""
    return f"the memory does not suffice for a prompt of {tokens} tokens, even alone"


def give_back(device: str) -> None:
    """Give back what torch holds of a GPU's memory without using it."""
    if device == "cuda":
        import torch

        torch.cuda.empty_cache()


def room(network: Any, device: str) -> int:
    """Give how many tokens a batch may come to hold, going by the memory that is free now."""
    kept = _bytes_of_token(network)
    if not kept:
        return sys.maxsize
    import psutil
    import torch

    if device == "cuda":
        free: int = torch.cuda.mem_get_info()[0]
    else:
        free = psutil.virtual_memory().available
    return int(SHARE * free / kept)


def engine_share() -> float:
    """Give what an engine on a CPU may reserve, as a share of all memory."""
    import psutil

    memory = psutil.virtual_memory()
    return round(ENGINE_SHARE * float(memory.available / memory.total), 3)


def _bytes_of_token(network: Any) -> int:
    """Give the size of a key and a value in each layer, 0 where the network keeps none."""
    config = network.config.get_text_config()
    heads = getattr(config, "num_attention_heads", 0)
    if not heads:
        return 0
    pairs = config.num_hidden_layers * (getattr(config, "num_key_value_heads", None) or heads)
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    return int(2 * pairs * width * network.dtype.itemsize)
