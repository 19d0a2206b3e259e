"""The answers of a run in an order that people expect."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bench.harness.errors import Unfinished
from bench.harness.store import Store


def ordered(store: Store, manifest: Mapping[str, Any]) -> list[str]:
    """Give the keys of all answers: as the file had them that was graded, else by sample.

    Raises:
        Unfinished: an answer has no score.

    """
    if "given" in manifest:
        keys = [record["key"] for record in store.responses]
    else:
        names = list(manifest["tasks"])
        places = [
            (names.index(row["task"]), natural(row["sample"]), row["draw"], row["key"])
            for row in store.scores
        ]
        keys = [key for *_, key in sorted(places)]
    for key in keys:
        if key not in store.scores:
            raise Unfinished(f"{store.folder}: not all scored. Run its own command again.")
    return keys


def natural(text: str) -> list[str | int]:
    """Cut a text at its numbers, so that it sorts as people count.

    >>> sorted(["python/10", "python/9"], key=natural)
    ['python/9', 'python/10']
    """
    return [int(part) if at % 2 else part for at, part in enumerate(re.split(r"(\d+)", text))]


def joined(store: Store, keys: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield response and score of each answer as one object. A failed request has no response."""
    for key in keys:
        score = store.scores[key]
        yield {**store.responses[key], **score} if key in store.responses else score
