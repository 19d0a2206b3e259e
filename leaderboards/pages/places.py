"""Where the records of runs are: found in one pass, so that the next one reads them piece by piece.

Nothing but places is kept, so that a run of a million samples needs little memory.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.harness.errors import BenchError
from bench.harness.store import placed_records
from bench.leaderboards.ordering import natural

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Located:
    """Where the records of a file are."""

    ids: Mapping[str, Sequence[str]]
    """of the samples by task, in the order of the file"""
    rows: "NDArray[np.int64]"
    """a row for each record: task, sample (both as positions in `ids`), draw, place, length"""


def locate(file: Path, tasks: Sequence[str]) -> Located:
    """Find the records of some tasks in a file of a run, without keeping any.

    A file that is not there, as of an imported run, has none.

    Raises:
        BenchError: the file is damaged.

    """
    import numpy as np  # heavy

    at = {name: position for position, name in enumerate(tasks)}
    known: list[dict[str, int]] = [{} for _ in tasks]
    columns = array("i"), array("i"), array("i"), array("q"), array("i")
    try:
        for place, length, record in placed_records(file) if file.exists() else ():
            task = at.get(record["task"], -1)
            if task < 0:
                continue
            samples, sample = known[task], record["sample"]
            row = task, samples.setdefault(sample, len(samples)), record["draw"], place, length
            for column, value in zip(columns, row, strict=True):
                column.append(value)
    except (KeyError, TypeError) as problem:
        raise BenchError(f"{file}: damaged, a record without {problem}.") from problem
    rows = np.empty((len(columns[0]), 5), np.int64)
    for position, column in enumerate(columns):
        rows[:, position] = column
    return Located(dict(zip(tasks, map(list, known), strict=True)), rows)


def ordered(rendered: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> list[str]:
    """Order the ids of a task's samples: as they were rendered, then the others by their numbers.

    `found` are the ids that runs have; what none of them has is left out.
    """
    there = set().union(*found)
    first = dict.fromkeys(one for ids in rendered for one in ids if one in there)
    rest = sorted((one for one in there if one not in first), key=natural)
    return [*first, *rest]


def joined(
    scores: Located, responses: Located, places: Mapping[str, Mapping[str, int]]
) -> "NDArray[np.int64]":
    """Give a row for each draw of a run, sorted.

    A row has task, position, score's place and length, response's place and length; -1 means that
    there is no response. `places` gives the position of each sample by task and id. Of records of
    one draw the last one counts.
    """
    import numpy as np

    ours, theirs = _last(scores, places), _last(responses, places)
    rows = np.full((len(ours), 6), -1, np.int64)
    rows[:, :2], rows[:, 2:4] = ours[:, :2], ours[:, 3:]
    if len(ours) and len(theirs):
        spans = np.maximum(ours[:, :3].max(axis=0), theirs[:, :3].max(axis=0)) + 1
        codes, others = (
            (part[:, 0] * spans[1] + part[:, 1]) * spans[2] + part[:, 2] for part in (ours, theirs)
        )
        at = np.minimum(np.searchsorted(others, codes), len(others) - 1)
        there = others[at] == codes
        rows[there, 4:] = theirs[at[there], 3:]
    return rows


def _last(located: Located, places: Mapping[str, Mapping[str, int]]) -> "NDArray[np.int64]":
    """Give rows with the samples' positions, sorted by task, position and draw, each once."""
    import numpy as np

    tables = [[places[name].get(one, -1) for one in ids] for name, ids in located.ids.items()]
    begin = np.cumsum([0, *map(len, tables)])
    flat = np.array([position for table in tables for position in table], np.int64)
    rows = located.rows.copy()
    if len(rows):
        rows[:, 1] = flat[begin[rows[:, 0]] + rows[:, 1]]
    rows = rows[rows[:, 1] >= 0]
    rows = rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]
    same = (rows[1:, :3] == rows[:-1, :3]).all(axis=1)
    last: NDArray[np.int64] = rows[np.append(~same, np.ones(min(len(rows), 1), bool))]
    return last
