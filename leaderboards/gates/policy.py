"""What a gate lets through: a small TOML file, overridden by the flags of `bench gate`."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from bench.harness import registry
from bench.harness.config import Text, join

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Threshold(BaseModel):
    """Another `min_drop` for some tasks or groups, and which metric of theirs counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tasks: Text
    """a name or glob"""
    min_drop: Share | None = None
    metric: Text | None = None


class Policy(BaseModel):
    """How large a drop may be, how sure a gate has to be, and what it does not look at.

    Drops are shares of what a metric can reach at best: of 1 for pass@1, of 100 for BLEU. A metric
    that nothing bounds may drop by that share of the baseline's value.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_drop: Share = 0.02
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    ignore: tuple[Text, ...] = ()
    """tasks that are not compared"""
    must_not_drop: tuple[Text, ...] = ()
    """tasks that fail the gate with any sure drop, however small"""
    threshold: tuple[Threshold, ...] = ()

    def ignores(self, task: str) -> bool:
        """Tell whether a task is left out."""
        return any(registry.means(glob, task) for glob in self.ignore)

    def allowed(self, name: str) -> float:
        """Give the drop that a task or group may have: 0 where it must not drop at all."""
        if any(registry.means(glob, name) for glob in self.must_not_drop):
            return 0.0
        return self.seen(name)

    def seen(self, name: str) -> float:
        """Give the drop that a comparison of this task or group has to be able to see."""
        found = [one.min_drop for one in self._thresholds(name) if one.min_drop is not None]
        return found[-1] if found else self.min_drop

    def metric(self, name: str) -> str | None:
        """Give the metric that counts, None for the first one."""
        found = [one.metric for one in self._thresholds(name) if one.metric is not None]
        return found[-1] if found else None

    def names(self, name: str) -> bool:
        """Tell whether the policy speaks of this task or group by itself, with or without globs."""
        globs = [*(one.tasks for one in self.threshold), *self.must_not_drop]
        return any(name == glob or fnmatchcase(name, glob) for glob in globs)

    def _thresholds(self, name: str) -> list[Threshold]:
        return [one for one in self.threshold if registry.means(one.tasks, name)]


def read_policy(file: Path | None, flags: Mapping[str, Any]) -> Policy:
    """Read a policy, with flags over what it says.

    Raises:
        BenchError: the file cannot be read, or a key or value is wrong.

    """
    return join(Policy, "--policy", file, flags)
