"""A run folder on disk: append-only JSON lines, keyed by content. Reading them back is resuming.

A record is complete when its line ends; an unfinished last line, which a crash leaves, is dropped
on opening. Lines reach the operating system at once, so that `kill -9` loses nothing, and the disk
about once a second and on closing.
"""

import errno
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Self

from bench.harness.errors import BenchError, Unfinished

SYNC_SECONDS = 1.0
READ_BYTES = 4096
RECENT = 4096
"""places that are kept apart from the sorted ones"""
RESPONSES, SCORES = "responses.jsonl", "scores.jsonl"
JUDGEMENTS = "judgements.jsonl"
MANIFEST, SUMMARY = "manifest.json", "summary.json"
FILES = RESPONSES, SCORES, JUDGEMENTS, SUMMARY, MANIFEST


class Places:
    """Where the last record of each key begins in a file: 24 bytes a key, so that millions fit.

    Reading is safe beside the one thread that writes.
    """

    def __init__(self) -> None:
        import numpy as np  # heavy

        self._np = np
        # Keys of 16 bytes and their places, by key; what came since is in a dictionary.
        self._sorted = np.empty(0, "S16"), np.empty(0, np.int64)
        self._recent: dict[bytes, int] = {}
        self._count = 0

    def get(self, key: bytes) -> int | None:
        """Give the place of a key, None where it has none."""
        recent = self._recent  # before the sorted ones, into which they go before they go from here
        if key in recent:
            return recent[key]
        keys, places = self._sorted
        at = int(keys.searchsorted(key))
        # A numpy string has lost the zeros at its end, which every key of 16 bytes gets back.
        found = at < len(keys) and bytes(keys[at]).ljust(16, b"\0") == key
        return int(places[at]) if found else None

    def put(self, key: bytes, place: int) -> None:
        """Set the place of a key."""
        self._count += self.get(key) is None
        self._recent[key] = place
        if len(self._recent) >= RECENT:
            self._sorted = self._merged()
            self._recent = {}

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        """Yield the places in the order of the file."""
        yield from sorted(self._merged()[1].tolist())

    def _merged(self) -> Any:
        np, (keys, places) = self._np, self._sorted
        recent = dict(self._recent)
        keys = np.concatenate([np.array(list(recent), "S16"), keys])
        places = np.concatenate([np.array(list(recent.values()), np.int64), places])
        keys, first = np.unique(
            keys, return_index=True
        )  # the first of equal keys is the recent one
        return keys, places[first]


class Records:
    """One append-only file of JSON lines, each with a "key"; the last record of a key counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._places = Places()
        self._size = 0
        self._synced = time.monotonic()
        self._index()

    def _index(self) -> None:
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                try:
                    key = bytes.fromhex(json.loads(line)["key"])
                except (ValueError, KeyError, TypeError) as problem:
                    raise BenchError(
                        f"{self.path}:{number}: damaged record ({problem}). Delete that line; the "
                        "same command then does its sample again."
                    ) from problem
                self._places.put(key, self._size)
                self._size += len(line)
        os.ftruncate(self._fd, self._size)

    def __contains__(self, key: str) -> bool:
        return self._places.get(bytes.fromhex(key)) is not None

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the last record of each key, in the order of the file."""
        for place in self._places:
            yield self._read(place)

    def __getitem__(self, key: str) -> dict[str, Any]:
        place = self._places.get(bytes.fromhex(key))
        if place is None:
            raise KeyError(key)
        return self._read(place)

    def _read(self, place: int) -> dict[str, Any]:
        line, size = b"", READ_BYTES
        while b"\n" not in line:
            line = os.pread(self._fd, size, place)
            size *= 4
        record: dict[str, Any] = json.loads(line[: line.index(b"\n")])
        return record

    def add(self, record: Mapping[str, Any]) -> None:
        """Append one record.

        Raises:
            Unfinished: the disk is full; the file ends with the last complete record.

        """
        line = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            try:
                written, said = os.write(self._fd, line), os.strerror(errno.ENOSPC)
            except OSError as problem:
                written, said = 0, problem.strerror or str(problem)
            if written < len(line):
                os.ftruncate(self._fd, self._size)
                raise Unfinished(
                    f"{self.path}: {said}. What was done is kept; make room, then run the same "
                    "command again."
                )
            self._places.put(bytes.fromhex(record["key"]), self._size)
            self._size += len(line)
            if time.monotonic() - self._synced > SYNC_SECONDS:
                os.fdatasync(self._fd)
                self._synced = time.monotonic()

    def close(self) -> None:
        """Bring everything to the disk."""
        os.fsync(self._fd)
        os.close(self._fd)


class Store:
    """The records of one run. Only one process may have it open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._guard = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            os.close(self._guard)
            raise BenchError(f"{folder}: another bench process is writing to it.") from problem
        self.responses = Records(folder / RESPONSES)
        self.scores = Records(folder / SCORES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.responses.close()
        self.scores.close()
        os.close(self._guard)


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the complete records of a file that nobody writes; of one key the last one counts.

    Raises:
        BenchError: the file is not there, or a line of it is damaged.

    """
    return (record for _, _, record in placed_records(path))


def placed_records(path: Path) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yield where each complete record of a file begins, how long it is, and the record itself.

    Raises:
        BenchError: the file is not there, or a line of it is damaged.

    """
    number = place = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                record = parsed(line)
                if not isinstance(record, dict) or "key" not in record:
                    raise BenchError(f"{path}:{number}: damaged, not a record.")
                yield place, len(line), record
                place += len(line)
    except ValueError as problem:
        raise BenchError(f"{path}:{number}: damaged record ({problem}).") from problem
    except OSError as problem:
        raise BenchError(f"{path}: cannot be read ({problem.strerror}).") from problem


def parsed(line: bytes) -> Any:
    """Read the JSON of one line."""
    from pydantic_core import from_json  # twice as fast as json

    try:
        return from_json(line)
    except ValueError:  # a lone surrogate, which a model may write and UTF-8 cannot hold
        return json.loads(line)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a JSON file as a whole, so that no reader and no crash sees half of it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as problem:
        draft.unlink(missing_ok=True)
        raise Unfinished(
            f"{path}: {problem.strerror}. Mend that, then run the same command again."
        ) from problem


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object that a run wrote."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise BenchError(f"{path}: cannot be read ({problem.strerror}).") from problem
    except ValueError as problem:
        raise BenchError(f"{path}: damaged, not JSON ({problem}).") from problem
    if not isinstance(content, dict):
        raise BenchError(f"{path}: damaged, not a JSON object.")
    return content
