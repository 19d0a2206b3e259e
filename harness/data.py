"""Benchmark data: from a directory that the user names, or downloaded at a pinned revision.

What is read is hashed by content; a file that does not match its pinned hash is refused.
"""

import csv
import gzip
import hashlib
import io
import json
import os
import socket
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from bench.harness.errors import BenchError

REACH_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Source:
    """Where a data set lives: a folder of `--data-dir`, and a download address for each file.

    `url` has the placeholders {revision} and {path}; `pins` gives the sha256 of files by path.
    """

    name: str
    url: str
    revision: str
    pins: Callable[[], Mapping[str, str]] = dict[str, str]


@dataclass(slots=True)
class Data:
    """Opens the files of sources, and remembers the hash of each one that was read.

    Every method raises BenchError where a file is missing, unreadable, corrupt, or of another
    content than its source pins. A file whose name ends in .gz is unpacked.
    """

    directory: Path | None = None
    hashes: dict[str, str] = field(default_factory=dict[str, str])
    fetch: bool = True
    """whether what is not at hand may be downloaded"""
    opponents: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """by task: whose answers stand beside those that it asks for, for the manifest"""

    def rows(self, source: Source, path: str) -> list[dict[str, Any]]:
        """Read a JSON-lines file of a source. NaN, which is not JSON, becomes None."""
        file, content, digest = self._read(source, path)
        rows = [row for _, row in numbered_rows(content, file)]  # it can name the damaged line
        self._check(source, path, file, digest)
        return rows

    def json(self, source: Source, path: str) -> Any:
        """Read a file that is one JSON value."""
        file, content, digest = self._read(source, path)
        try:
            value = json.loads(content, parse_constant=lambda _: None)
        except (ValueError, RecursionError) as problem:
            raise BenchError(f"{file}: not JSON ({problem}).") from problem
        self._check(source, path, file, digest)
        return value

    def table(self, source: Source, path: str, delimiter: str = ",") -> list[dict[str, str]]:
        """Read a table whose first line names its columns; every row has all of them."""
        text = self.text(source, path)
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        where, rows = f"{source.name}/{path}", list[dict[str, str]]()
        try:
            for row in reader:
                if None in row or None in row.values():
                    width = len(reader.fieldnames or ())
                    raise BenchError(f"{where}:{reader.line_num}: a row has not {width} columns.")
                rows.append(row)
        except csv.Error as problem:
            raise BenchError(f"{where}:{reader.line_num}: not a table ({problem}).") from problem
        return rows

    def lines(self, source: Source, path: str) -> list[str]:
        """Read the lines of a text file, without their ends and without blank ones."""
        lines = (line.removesuffix("\r") for line in self.text(source, path).split("\n"))
        return [line for line in lines if line.strip()]

    def text(self, source: Source, path: str) -> str:
        """Read a text file, in UTF-8 with or without a byte order mark."""
        file, content, digest = self._read(source, path)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            raise BenchError(f"{file}: not UTF-8 at byte {problem.start}.") from problem
        self._check(source, path, file, digest)
        return text

    def _read(self, source: Source, path: str) -> tuple[Path, bytes, str]:
        """Give a file, its unpacked content, and the hash of it as it is."""
        file = self._local(source, path) or download(source, path, fetch=self.fetch)
        content = read_bytes(file)
        digest = hashlib.sha256(content).hexdigest()
        if file.suffix != ".gz":
            return file, content, digest
        try:
            return file, gzip.decompress(content), digest
        except (OSError, EOFError, zlib.error) as problem:
            raise BenchError(f"{file}: not gzip ({problem}).") from problem

    def _check(self, source: Source, path: str, file: Path, digest: str) -> None:
        pinned = source.pins().get(path, digest)
        if digest != pinned:
            raise BenchError(
                f"{file}: content differs from {source.name} at revision {source.revision[:12]} "
                f"(sha256 {digest[:12]}, expected {pinned[:12]}). Fetch the file again."
            )
        self.hashes[f"{source.name}/{path}"] = digest

    def _local(self, source: Source, path: str) -> Path | None:
        if self.directory is None:
            return None
        if not self.directory.is_dir():
            raise BenchError(f"--data-dir {self.directory}: no such directory.")
        folder = self.directory / source.name
        if not folder.is_dir():
            return None
        file = folder / path
        if not file.is_file():
            raise BenchError(f"{file}: no such file. Restore it, or drop {folder} to download it.")
        return file


def download(source: Source, path: str, *, fetch: bool = True) -> Path:
    """Fetch a file into the cache, or find it there.

    Raises:
        BenchError: at once where the host is out of reach, or nothing may be fetched.

    """
    import pooch  # heavy

    pooch.get_logger().setLevel("ERROR")
    url = source.url.format(revision=source.revision, path=quote(path))
    folder = cache_folder() / "data" / source.name / source.revision[:12]
    mend = f"Give the folder that holds {source.name}/ as --data-dir or BENCH_DATA_DIR."
    there = (folder / path).exists()
    if not there and not fetch:
        raise BenchError(f"{source.name}/{path} is not at hand. {mend}")
    if not there and not reachable(url):
        raise BenchError(f"{urlsplit(url).hostname} is out of reach. {mend}")
    try:
        return Path(pooch.retrieve(url, source.pins().get(path), fname=path, path=folder))
    except (OSError, ValueError) as problem:  # requests' errors are OSErrors
        raise BenchError(f"{url}: download failed ({problem}). {mend}") from problem


def cache_folder() -> Path:
    """Give the folder for what is fetched or made once: $BENCH_CACHE, or ~/.cache/bench."""
    return Path(os.environ.get("BENCH_CACHE") or Path.home() / ".cache" / "bench")


def reachable(url: str) -> bool:
    """Tell within seconds whether a host accepts connections, so that nobody waits for retries."""
    parts = urlsplit(url)
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY")):
        return True
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname, port), REACH_SECONDS).close()
    except OSError:
        return False
    return True


def read_jsonl(file: Path) -> list[dict[str, Any]]:
    """Read the objects of a JSON-lines file; an error names the file and the line."""
    return [row for _, row in numbered_rows(read_bytes(file), file)]


def read_bytes(file: Path) -> bytes:
    """Read a file, or say why it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as problem:
        raise BenchError(f"{file}: cannot be read ({problem.strerror}).") from problem


def numbered_rows(content: bytes, file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the object of each line; an error names the file and the line."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise BenchError(f"{file}: not UTF-8 at byte {problem.start}.") from problem
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_constant=lambda _: None)
        except (ValueError, RecursionError) as problem:
            said = getattr(problem, "msg", problem)
            raise BenchError(f"{file}:{number}: not JSON ({said}).") from problem
        if not isinstance(row, dict):
            raise BenchError(f"{file}:{number}: not a JSON object.")
        yield number, row


def required(row: Mapping[str, Any], key: str, file: str) -> Any:
    """Give a key of a row, or say which file lacks it."""
    if key not in row:
        raise BenchError(f"{file}: a row has no {key!r}. Its keys are {', '.join(row)}.")
    return row[key]
