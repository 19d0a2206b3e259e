"""Weighing given texts: the log-probability of a continuation after a context.

The border between the two follows lm-evaluation-harness's rule for causal models, so that numbers
compare: whitespace at the end of the context moves to the continuation, both are encoded together,
and what comes after the length of the encoded context is the continuation.
"""

import inspect
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from bench.harness.core import LogLikelihood, LogProb, Response, RollingLogLikelihood, Text
from bench.harness.errors import BenchError
from bench.harness.models.decoding import left_padded
from bench.harness.models.loading import Loaded, silence
from bench.harness.models.memory import exhausted, give_back, no_memory
from bench.harness.models.rolling import Ids, joined, windows
from bench.harness.models.vocabulary import Vocabulary

MOST_LOGITS = 1 << 28
"""logits of one batch, so that long continuations do not fill the memory"""
MOST_READ = {"cpu": 1 << 13, "cuda": 1 << 16}
"""tokens of one batch; more at a time are no faster, fill the memory, and are lost together"""

Weighing: TypeAlias = LogLikelihood | RollingLogLikelihood


@dataclass(frozen=True, slots=True)
class Pair:
    """A continuation in tokens, `targets`, and all tokens that the network reads for it.

    `rolling`: its request asks for the sum of all its pairs.
    """

    position: int
    index: int
    read: Ids
    targets: Ids
    rolling: bool


def pairs(vocabulary: Vocabulary, position: int, request: Weighing) -> list[Pair]:
    """Give a pair for each continuation of a request, or for each window, in their order.

    Raises:
        BenchError: a request mixes strings and token ids.

    """
    rolling = isinstance(request, RollingLogLikelihood)
    if isinstance(request, RollingLogLikelihood):
        text = request.text
        ids = vocabulary.encode_plain(text) if isinstance(text, str) else text
        parts = list(windows(ids, vocabulary.start, vocabulary.context))
    else:
        parts = [border(vocabulary, *pair) for pair in request.pairs]
    return [
        Pair(position, index, (context + targets)[:-1], targets, rolling)
        for index, (context, targets) in enumerate(parts)
    ]


def border(vocabulary: Vocabulary, context: Text, continuation: Text) -> tuple[Ids, Ids]:
    """Give the tokens of a context and of its continuation; an empty context is the BOS token."""
    if isinstance(context, tuple) and isinstance(continuation, tuple):
        return context or vocabulary.start, continuation
    if not isinstance(context, str) or not isinstance(continuation, str):
        raise BenchError("A LogLikelihood request is all strings or all token ids.")
    bare = context.rstrip()
    continuation = context[len(bare) :] + continuation
    if not bare:
        return vocabulary.start, vocabulary.encode_plain(continuation)
    before = vocabulary.encode(bare)
    targets = vocabulary.encode(bare + continuation)[len(before) :]
    if continuation and not targets:  # the tokenizer merged it into the context's last token
        targets = vocabulary.encode_plain(continuation)
    return before, targets


def weigh(loaded: Loaded, asked: list[Pair], size: int) -> Iterator[tuple[int, Response]]:
    """Yield the response to each request once all of its pairs are weighed.

    A request that does not fit into the context gets no log-probabilities, and "length"; one that
    does not fit into the memory gets an error.
    """
    left: dict[int, dict[int, LogProb | None]] = defaultdict(dict)
    lengths: dict[int, int] = {}
    for pair in asked:
        left[pair.position][pair.index] = None
        lengths[pair.position] = len(pair.read) + 1 - len(pair.targets)
    long = {pair.position for pair in asked if len(pair.read) > loaded.context}
    for position in long:
        yield position, Response(finish_reason="length", prompt_tokens=lengths[position])
    fitting = [pair for pair in asked if pair.position not in long]
    for batch in _batches(loaded, fitting, size):
        for pair, logprob in _halved(loaded, batch):
            found = left.get(pair.position)
            if found is None:  # another pair of its request had an error
                continue
            if logprob is None:
                del left[pair.position]
                yield pair.position, Response(error=no_memory(len(pair.read)))
                continue
            found[pair.index] = logprob
            known = tuple(value for _, value in sorted(found.items()) if value is not None)
            if len(known) == len(found):
                known = (joined(known),) if pair.rolling else known
                yield pair.position, Response(prompt_tokens=lengths[pair.position], logprobs=known)


def _batches(loaded: Loaded, asked: list[Pair], size: int) -> Iterator[list[list[Pair]]]:
    # Pairs that read the same tokens, such as the letters after one question, share a row.
    same: dict[Ids, list[Pair]] = defaultdict(list)
    for pair in asked:
        same[pair.read].append(pair)
    room = MOST_LOGITS // loaded.network.config.get_text_config().vocab_size
    read = MOST_READ[loaded.device]
    batch: list[list[Pair]] = []
    longest = 0
    for row in sorted(same.values(), key=lambda row: -len(row[0].read)):
        needed = max(len(pair.targets) for pair in row)
        most = min(size, room // max(longest, needed, 1))
        if batch and len(batch) >= min(most, read // max(len(batch[0][0].read), 1)):
            yield batch
            batch, longest = [], 0
        batch.append(row)
        longest = max(longest, needed)
    if batch:
        yield batch


def _halved(loaded: Loaded, rows: list[list[Pair]]) -> list[tuple[Pair, LogProb | None]]:
    """Weigh rows at once, or half of them after the other; None where not even one can be."""
    try:
        return list(_weigh(loaded, rows))
    except (MemoryError, RuntimeError) as problem:
        if not exhausted(problem):
            raise
    give_back(loaded.device)
    if len(rows) == 1:
        return [(pair, None) for pair in rows[0]]
    half = len(rows) // 2
    return [*_halved(loaded, rows[:half]), *_halved(loaded, rows[half:])]


def _weigh(loaded: Loaded, rows: list[list[Pair]]) -> Iterator[tuple[Pair, LogProb]]:
    import torch

    needed = max(len(pair.targets) for row in rows for pair in row)
    if not needed:
        yield from ((pair, LogProb(0.0, 0, greedy=True)) for row in rows for pair in row)
        return
    ids, mask = left_padded([row[0].read for row in rows])
    seen = torch.tensor(mask, device=loaded.device)
    options: dict[str, Any] = {"logits_to_keep": needed, "use_cache": False}
    options["position_ids"] = (seen.cumsum(-1) - 1).clamp(min=0)
    taken = inspect.signature(loaded.network.forward).parameters
    options = {name: value for name, value in options.items() if name in taken}
    with silence(), torch.inference_mode():
        logits = loaded.network(
            torch.tensor(ids, device=loaded.device), attention_mask=seen, **options
        ).logits
        for row, scores in zip(rows, logits, strict=True):
            longest = max(len(pair.targets) for pair in row)
            logprobs = scores[len(scores) - longest :].float().log_softmax(-1)
            yield from ((pair, _sum(logprobs, pair.targets)) for pair in row)


def _sum(logprobs: Any, targets: Ids) -> LogProb:
    import torch

    own = logprobs[len(logprobs) - len(targets) :]
    wanted = torch.tensor(targets, dtype=torch.long, device=own.device)
    total = own.gather(1, wanted[:, None]).sum().item()
    return LogProb(total, len(targets), greedy=bool((own.argmax(-1) == wanted).all()))
