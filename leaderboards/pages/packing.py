"""The data files of a page: scripts that hand a value over.

A page that is read from disk can load scripts and nothing else. What is in them was written by
models and data sets: it stands there as JSON without any "<", or as base64, so that nothing can
end the script that it is in.
"""

import json
import zlib
from base64 import b64encode
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

LONGEST = 100_000
"""characters of one text on the page; the run folder has the whole"""
LEVEL = 1
"""of gzip: four times as fast as the usual one, for files a fifth larger"""
GZIP = 31
"""tells zlib to write gzip's head, which has no time in it: the same content, the same file"""


def put(folder: Path, key: str, value: Any) -> None:
    """Write a value as a script that can be read."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    _write(folder, key, f'bench.put("{key}",{text.replace("<", chr(92) + "u003c")});\n'.encode())


def put_zipped(folder: Path, key: str, content: bytes) -> None:
    """Write JSON as a script that holds it compressed."""
    packed = b64encode(zlib.compress(content, LEVEL, GZIP))
    _write(folder, key, b'bench.zip("%b","%b");\n' % (key.encode(), packed))


def _write(folder: Path, key: str, content: bytes) -> None:
    file = folder / f"{key}.js"
    try:
        file.write_bytes(content)
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def encoded(value: Any) -> bytes:
    """Give a value as JSON; lone surrogates, which UTF-8 cannot hold, are escaped."""
    from pydantic_core import PydanticSerializationError, to_json  # five times as fast as json

    try:
        return to_json(value)
    except PydanticSerializationError:
        return json.dumps(value, ensure_ascii=True, allow_nan=False).encode()


def listed(items: Sequence[bytes]) -> bytes:
    """Give the JSON of a list whose items are JSON already."""
    return b"[" + b",".join(items) + b"]"


def cut(text: str) -> str:
    """Cut a text that is too long for a page, and say so at its end.

    >>> len(cut("a" * 200_000)) < 100_100, cut("short")
    (True, 'short')
    """
    if len(text) <= LONGEST:
        return text
    said = f"cut at {LONGEST:,} of {len(text):,} characters; the run folder has the whole"
    return f"{text[:LONGEST]}… ({said})"


def number(value: Any) -> Any:
    """Give a number as JSON has it: None for infinity and NaN, short where it is whole.

    >>> number(1.0), number(0.25), number(float("nan"))
    (1, 0.25, None)
    """
    if not isinstance(value, float):
        return value
    if not isfinite(value):
        return None
    return int(value) if value == int(value) and abs(value) < 2**53 else value


def short(value: Any) -> Any:
    """Give a number with six digits that count, more than any page shows.

    >>> short(0.123456789), short(None), short(1840)
    (0.123457, None, 1840)
    """
    return number(float(f"{value:.6g}")) if isinstance(value, float) else value
