"""The configuration of a run: a TOML file, overridden by the flags of the command line."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bench.harness.errors import BenchError
from bench.harness.plan import Settings

Kind = TypeVar("Kind", bound=BaseModel)
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Place(BaseModel):
    """Where answers are scored and kept; without `out`, the configuration names the folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    out: Path | None = None
    data_dir: Path | None = None
    sandbox: Text = "docker"
    judge: Text | None = None
    executor: Text | None = None
    workers: int | None = Field(None, ge=1, le=1024)
    fresh: bool = False


class RunConfig(Place):
    """Everything that `bench run` can be told. A key of the file is a flag with underscores."""

    model: Text
    tasks: Text
    limit: int | None = Field(None, ge=1, le=10_000_000)
    shuffle: bool = False
    n: int = Field(1, ge=1, le=10_000)
    temperature: float | None = Field(None, ge=0, le=10, allow_inf_nan=False)
    top_p: float | None = Field(None, gt=0, le=1)
    max_tokens: int | None = Field(None, ge=1, le=1_000_000)
    seed: int = Field(0, ge=0, lt=1 << 63)
    chat: bool | None = None
    cache: bool = True
    system_prompt: Text = ""
    fewshot: int | None = Field(None, ge=0, le=1000)
    fewshot_as: Literal["turns", "text"] = "turns"
    answer_prefix: str = ""

    def settings(self, *, chat: bool) -> Settings:
        """Give what decides how a run asks."""
        return Settings(
            chat=chat,
            system_prompt=self.system_prompt,
            fewshot=self.fewshot,
            fewshot_as=self.fewshot_as,
            answer_prefix=self.answer_prefix,
            n=self.n,
            temperature=self.temperature,
            top_p=self.top_p,
            max_tokens=self.max_tokens,
            seed=self.seed,
            limit=self.limit,
            shuffle=self.shuffle,
        )


def read(file: Path | None, flags: Mapping[str, Any]) -> RunConfig:
    """Join a configuration file and the flags that were given.

    Raises:
        BenchError: the file cannot be read, or a key is unknown, missing or out of range.

    """
    return join(RunConfig, "--config", file, flags)


def join(kind: type[Kind], flag: str, file: Path | None, flags: Mapping[str, Any]) -> Kind:
    """Join the TOML file that a flag names, if any, and the other flags that were given.

    Raises:
        BenchError: the file cannot be read, or a key is unknown, missing or out of range.

    """
    written = _toml(flag, file) if file else {}
    given = {key: value for key, value in flags.items() if value is not None}
    try:
        return kind.model_validate({**written, **given})
    except ValidationError as problem:
        error = problem.errors()[0]
        key = str(error["loc"][0])
        own = f"--{key.replace('_', '-')}"
        where = own if key in given or key not in written else f"{file}: {key}"
        if error["type"] == "missing" and len(error["loc"]) == 1:
            raise BenchError(f"{own} is missing. Give it, or set it in a {flag} file.") from None
        inner = "".join(f".{part}" for part in error["loc"][1:] if isinstance(part, str))
        if error["type"] == "extra_forbidden":
            known = ", ".join(kind.model_fields) if not inner else "those of the documentation"
            raise BenchError(f"{where}{inner}: no such key. The keys are {known}.") from None
        said = error["msg"][0].lower() + error["msg"][1:]
        raise BenchError(f"{where}{inner} {str(error['input'])[:60]!r}: {said}.") from None


def _toml(flag: str, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as problem:
        raise BenchError(f"{flag} {file}: cannot be read ({problem.strerror}).") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise BenchError(f"{flag} {file}: not TOML ({problem}).") from problem
