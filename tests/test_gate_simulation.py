"""How often the gate is wrong: two runs drawn from known chances, thousands of times."""

from functools import cached_property

import numpy as np
import pytest
from run_folders import task
from scipy.stats import binom

from bench.harness.cells import Cell
from bench.harness.groups import groups_of
from bench.leaderboards.gates.policy import Policy
from bench.leaderboards.gates.ruling import judge
from bench.leaderboards.runs import Run

PAIRS = 2000
LANGUAGES, PROBLEMS = 23, 80
ALPHA = 0.05


class Drawn(Run):
    """A run whose scores are in memory: one column of zeros and ones for each language."""

    def __init__(self, name, columns):
        names = [f"xl/python/L{at}" for at in range(len(columns))]
        written = {one: {"version": 1, "prompts": "the same"} for one in names}
        manifest = {"tasks": written, "sampling": {"n": 1}, "format": "completion"}
        super().__init__(None, name, manifest, {"tasks": {}, "groups": {}})
        self.__dict__["columns"] = dict(zip(names, columns, strict=True))

    @cached_property
    def tasks(self):
        return {name: task(name, "pass@1") for name in self.columns}

    @cached_property
    def groups(self):
        return groups_of(list(self.tasks.values()))

    def cells(self):
        return {name: self.cell(name) for name in self.columns}

    def cell(self, name):
        problems = [f"p{at}" for at in range(len(self.columns[name]))]
        return Cell(
            metrics=self.tasks[name].metrics,
            samples=problems,
            keys=problems,
            columns={"pass@1": self.columns[name].tolist()},
            rows={},
            draws=[],
        )


def chances(rng, spread):
    """Give the chance of each problem in each language: a problem is hard in all of them."""
    hard = rng.normal(0.0, spread, size=(PROBLEMS, 1)) + rng.normal(0, 0.5, (PROBLEMS, LANGUAGES))
    return 1 / (1 + np.exp(-hard))


def ruled(rng, spread, drop=0.0, own=0.0):
    """Let the gate compare two draws, of which the second has chances that are lower by `drop`.

    `own` is how far problems may be easier or harder for the second model than for the first.
    """
    before = chances(rng, spread)
    shifts = rng.normal(0.0, own, size=(PROBLEMS, 1)) if own else 0.0
    after = before + shifts - drop
    runs = [
        Drawn(name, (rng.random(p.shape) < p).T.astype(float))
        for name, p in (("base", before), ("candidate", after))
    ]
    return judge(*runs, Policy(alpha=ALPHA, min_drop=0.0), {})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spread", "own", "pairs"), [(0.0, 0.0, 500), (2.0, 0.0, 500), (2.0, 0.1, PAIRS)]
)
def test_without_a_difference_it_fails_no_more_often_than_alpha(spread, own, pairs):
    rng = np.random.default_rng(20_210_707)
    failed = sum(ruled(rng, spread, own=own).exit_code == 1 for _ in range(pairs))
    # A gate that fails just as often as it may stays below this 9,998 times in 10,000.
    assert failed <= binom(pairs, ALPHA).ppf(0.9998)


@pytest.mark.slow
@pytest.mark.parametrize("spread", [1.0, 2.0])
def test_a_drop_of_five_points_is_found(spread):
    rng = np.random.default_rng(20_210_707)
    found = sum(ruled(rng, spread, drop=0.05).exit_code == 1 for _ in range(PAIRS // 4))
    assert found >= 0.9 * PAIRS // 4
