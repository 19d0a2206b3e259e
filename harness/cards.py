"""What is known of a benchmark, for people to read."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from textwrap import fill

from bench.harness.core import Card, Task

WIDTH = 100


def shared(tasks: Sequence[Task]) -> Card | None:
    """Give the card that all of some tasks have, if they have one."""
    cards = {task.card for task in tasks}
    return cards.pop() if len(cards) == 1 else None


def overview(tasks: Sequence[Task]) -> Iterator[tuple[str, str, str]]:
    """Yield the name of each benchmark, how many tasks it has, and what they measure."""
    found = defaultdict[str, list[Task]](list)
    for task in tasks:
        found[task.name.partition("/")[0]].append(task)
    for name, group in found.items():
        said = dict.fromkeys(task.card.measures if task.card else task.about for task in group)
        yield name, f"{len(group):,}", " ".join(said)


def rows(found: Sequence[tuple[str, str, str]]) -> str:
    """Give an overview as plain text."""
    width, digits = (max(len(row[at]) for row in found) for at in (0, 1))
    return "\n".join(
        fill(
            said,
            WIDTH,
            initial_indent=f"{name:{width}}  {count:>{digits}}  ",
            subsequent_indent=" " * (width + digits + 4),
        )
        for name, count, said in found
    )


def text(card: Card) -> str:
    """Give a card as plain text, a paragraph for each part."""
    parts = {name.capitalize(): said for name, said in asdict(card).items()}
    indent = 2 + max(map(len, parts))
    return "\n".join(
        fill(
            said,
            WIDTH,
            initial_indent=f"{name:{indent}}",
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, said in parts.items()
    )
