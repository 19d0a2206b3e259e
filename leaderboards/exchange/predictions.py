"""Prediction files: an id and a score for each sample, as JSON lines or CSV."""

import csv
import json
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from bench.harness.errors import BenchError
from bench.leaderboards.exchange.imported import Scored, json_lines

IDS = "id", "sample", "sample_id"
SCORE, ANSWER = "score", "answer"


def is_scored(file: Path) -> bool:
    """Tell by its first row whether a file has scores; if not, it has answers.

    Raises:
        BenchError: it has no rows, or rows with neither.

    """
    for where, row in rows_of(file):
        if SCORE in row or ANSWER in row:
            return SCORE in row
        raise _lacking(where, row, f"{SCORE!r} or {ANSWER!r}")
    raise BenchError(f"{file}: no rows, so there is nothing to import.")


def rows_of(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield where each row of a file is, and the row.

    Raises:
        BenchError: the file cannot be read, or a line of it.

    """
    if file.suffix.lower() not in {".csv", ".tsv"}:
        yield from json_lines(file)
        return
    reader = None
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            delimiter = "\t" if file.suffix.lower() == ".tsv" else ","
            reader = csv.DictReader(lines, delimiter=delimiter, strict=True)
            for row in reader:
                where = f"{file}:{reader.line_num}"
                if None in row or None in row.values():
                    raise BenchError(f"{where}: not as many columns as the first line names.")
                yield where, row
    except (csv.Error, UnicodeDecodeError) as problem:
        number = reader.line_num if reader else 1
        raise BenchError(f"{file}:{number}: not CSV ({problem}).") from problem
    except OSError as problem:
        raise BenchError(f"{file}: cannot be read ({problem.strerror}).") from problem


def scored(file: Path, task: str, metric: str) -> Iterator[Scored]:
    """Yield the samples of a file of scores.

    `group` says which samples are of one problem, and `draw` counts several answers to one sample.

    Raises:
        BenchError: a row has no id or score, its score is no number, or it was there already.

    """
    first: dict[tuple[str, int], str] = {}
    for where, row in rows_of(file):
        sample, draw = identifier(where, row), _draw(where, row)
        if SCORE not in row:
            raise _lacking(where, row, f"{SCORE!r}")
        number = where.rpartition(":")[2]
        before = first.setdefault((sample, draw), number)
        if before is not number:
            raise BenchError(f"{where}: {sample!r} is in line {before} already.")
        text = row.get(ANSWER)
        yield Scored(
            task,
            sample,
            {metric: _number(where, row[SCORE])},
            text=None if text is None else str(text),
            group=str(row.get("group") or ""),
            draw=draw,
        )


def identifier(where: str, row: Mapping[str, Any]) -> str:
    """Give the id of a row's sample."""
    for name in IDS:
        if name in row:
            found = row[name]
            if isinstance(found, str | int) and not isinstance(found, bool) and found != "":
                return str(found)
            raise BenchError(f"{where}: {name!r} must be a text or a whole number.")
    raise _lacking(where, row, f"{IDS[0]!r}")


def _lacking(where: str, row: Mapping[str, Any], what: str) -> BenchError:
    names = ", ".join(str(name)[:40] for name in row) or "none"
    return BenchError(f"{where}: no column {what}. Its columns are: {names}.")


def _draw(where: str, row: Mapping[str, Any]) -> int:
    try:
        draw = int(row.get("draw") or 0)
    except (TypeError, ValueError):
        draw = -1
    if not 0 <= draw < 10_000:
        raise BenchError(f"{where}: 'draw' must be a whole number from 0.")
    return draw


def _number(where: str, value: Any) -> float | None:
    """Give a score; an empty one was not scored."""
    if value is None or value == "":
        return None
    try:
        number = float({"true": 1, "false": 0}.get(str(value).lower(), value))
    except (TypeError, ValueError):
        raise BenchError(f"{where}: the score {str(value)[:40]!r} is no number.") from None
    if not isfinite(number):
        raise BenchError(f"{where}: the score is {number}. Leave it empty if there is none.")
    return number


def as_own_rows(file: Path, task: str, target: Path) -> int:
    """Write a file of answers as the rows that `bench grade` reads; give their number."""
    count = 0
    with target.open("w", encoding="utf-8") as out:
        for where, row in rows_of(file):
            if not isinstance(row.get(ANSWER), str):
                raise _lacking(where, row, f"{ANSWER!r} with a text")
            said = {"task": task, "sample": identifier(where, row), "text": row[ANSWER]}
            said |= {"draw": _draw(where, row)} if "draw" in row else {}
            out.write(json.dumps(said) + "\n")
            count += 1
    return count
