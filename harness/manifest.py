"""What decides the numbers of a run, written down; a folder never mixes two of them."""

import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.harness import store
from bench.harness.errors import BenchError, ConfigurationMismatch
from bench.harness.plan import Plan, digest

LIBRARIES = ("bench-harness", "numpy", "pygments", "scipy")
CIRCUMSTANCES = ("created", "data_dir", "hardware", "opened_as", "opponents", "proofs")
"""what is recorded, but does not decide a number"""


def describe(
    parties: Mapping[str, Any],
    plan: Plan,
    tasks: Mapping[str, Any],
    data_dir: Path | None,
) -> dict[str, Any]:
    """Give the manifest of a run; `given` is in it where the answers existed already.

    `parties` identify its model, judge and sandbox, and "opened_as" is the model's name for
    `bench verify` where that needs its tokenizer.
    """
    sandbox = parties["sandbox"]
    settings = asdict(plan.settings)
    chat = settings.pop("chat")
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": parties["model"],
        "format": "chat" if chat else "completion",
        "sampling": settings,
        **_given(plan),
        "tasks": dict(tasks),
        "data": dict(plan.data.hashes),
        **({"opponents": dict(plan.data.opponents)} if plan.data.opponents else {}),
        "sandbox": sandbox and deciding(sandbox),
        "judge": parties["judge"],
        **({"opened_as": parties["opened_as"]} if parties.get("opened_as") else {}),
        "proofs": sandbox and sandbox.get("proofs"),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "data_dir": data_dir and str(data_dir.resolve()),
        "hardware": {
            "machine": platform.machine(),
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.platform(),
        },
    }


def _given(plan: Plan) -> dict[str, Any]:
    """Count the answers that existed already, where that is what the run scores."""
    if plan.given is None:
        return {}
    return {"given": {"answers": sum(map(len, plan.given.values()))}}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def deciding(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what does not decide a number."""
    return {key: value for key, value in manifest.items() if key not in CIRCUMSTANCES}


def default_folder(manifest: Mapping[str, Any]) -> Path:
    """Name a folder by its configuration, so that the same command finds it again."""
    name = "".join(c if c.isalnum() or c in "._-" else "-" for c in manifest["model"]["name"])
    return Path("runs") / f"{name[-60:].strip('-')}-{digest(deciding(manifest))[:10]}"


def enter(folder: Path, manifest: Mapping[str, Any], *, fresh: bool) -> None:
    """Begin a run in a folder, or go on with the one that it holds.

    Raises:
        ConfigurationMismatch: the folder holds a run of another configuration.
        BenchError: the folder holds other things, or cannot be written.

    """
    file = folder / store.MANIFEST
    try:
        folder.mkdir(parents=True, exist_ok=True)
        foreign = not file.exists() and any(folder.iterdir())
    except OSError as problem:
        raise BenchError(f"--out {folder}: {problem.strerror}.") from problem
    if foreign:
        raise BenchError(f"--out {folder}: holds files that are no run. Name an empty folder.")
    if fresh:
        for name in store.FILES:
            (folder / name).unlink(missing_ok=True)
    if file.exists():
        check(folder, store.read_json(file), manifest)
    else:
        store.write_json(file, manifest)


def check(folder: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Refuse to mix two configurations, and name the keys in which they differ."""
    differing = list(differences(deciding(old), deciding(new)))
    if differing:
        rest = f" (and {len(differing) - 1} more keys)" if len(differing) > 1 else ""
        raise ConfigurationMismatch(
            f"{folder} holds a run of another configuration: {differing[0]}{rest}. "
            "Name another --out, or give --fresh to discard that run."
        )


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Yield each key in which two configurations differ, with both values."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif _plain(old) != _plain(new):
        yield f"{path} was {_short(old)} and is now {_short(new)}"


def _plain(value: Any) -> Any:
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _short(value: Any) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
