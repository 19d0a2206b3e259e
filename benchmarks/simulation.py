"""How often intervals hold the truth, and how often a comparison is wrong, on simulated benchmarks.

Usage: .venv/bin/python benchmarks/simulation.py [--repetitions 10000]

The aims: an interval holds the truth 93 to 97 times in 100; two equal models are called different
(one of them worse) at most 5 times in 100; a true drop of 5 points on 1,840 samples of 80 problems
is found at least 90 times in 100; and what is said to be seen 4 times in 5 is seen that often.
"""

import argparse
from collections.abc import Callable, Iterator
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING, TypeAlias, TypedDict

import numpy as np
from scipy.stats import binom

from bench.harness import Metric, Task
from bench.harness.cells import Cell
from bench.harness.stats import bonett_price, estimate, mean_of, pass_at, wilson
from bench.leaderboards.comparison import Difference, differences
from bench.leaderboards.matching import match

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Table: TypeAlias = NDArray[np.float64]

PROBLEMS, LANGUAGES = 80, 23
DROP = 0.05
SHAPE = 0.3, 0.3
"""of the chances of problems: most are solved nearly always or hardly ever; two draws of a model
then differ on 19 samples in 100"""


def proportion(p: float, n: int) -> float:
    """Give how often Wilson's interval holds a proportion: exactly, not simulated."""
    counts = np.arange(n + 1)
    held = [low <= p <= high for low, high in (wilson(int(count), n) for count in counts)]
    return float(binom.pmf(counts, n, p) @ np.array(held))


def paired(lost: float, won: float, n: int, repetitions: int) -> float:
    """Give how often the interval of a plain paired difference holds it."""
    ends = cache(bonett_price)
    drawn = np.random.default_rng(1).multinomial(n, [lost, won, 1 - lost - won], size=repetitions)
    held = [low <= won - lost <= high for low, high in (ends(*one, n) for one in drawn[:, :2])]
    return float(np.mean(held))


def clustered(languages: int, problems: int, repetitions: int, *, against: bool) -> float:
    """Give how often the interval of a benchmark, or of a difference `against` a base, holds it."""
    rng, bounds, keys = np.random.default_rng(2), (-1.0 if against else 0.0, 1.0), _keys(languages)
    truth, held = (0.0 if against else 0.5), 0
    for _ in range(repetitions):
        chances = _chances(rng, problems, languages)
        values = _answers(rng, chances)
        if against:
            values = _answers(rng, _shifted(rng, chances)) - values
        found = estimate(values.ravel().tolist(), keys(problems), None, *bounds)
        held += _holds(found.low, found.high, truth)
    return held / repetitions


def weak(easy: float, problems: int, repetitions: int) -> float:
    """Give how often the interval holds the mean of a model that hardly solves any problem.

    In all languages alike it solves a share of `easy` problems 9 times in 10, others 3 in 1,000.
    """
    rng, keys, hits = np.random.default_rng(5), _keys(LANGUAGES), 0
    truth = easy * 0.9 + (1 - easy) * 0.003
    for _ in range(repetitions):
        chances = np.where(rng.random((problems, 1)) < easy, 0.9, 0.003)
        values = _answers(rng, np.repeat(chances, LANGUAGES, axis=1))
        found = estimate(values.ravel().tolist(), keys(problems))
        hits += _holds(found.low, found.high, truth)
    return hits / repetitions


def means(name: str, n: int, repetitions: int) -> float:
    """Give how often the interval of a mean of values that are no zeros and ones holds it."""
    draw, truth, low, high = VALUES[name]
    rng, keys, held = np.random.default_rng(3), [str(at) for at in range(n)], 0
    for _ in range(repetitions):
        found = estimate(draw(rng, n).tolist(), keys, None, low, high)
        held += _holds(found.low, found.high, truth)
    return held / repetitions


VALUES: dict[
    str, tuple[Callable[["Generator", int], "Table"], float, float | None, float | None]
] = {
    "overlaps": (lambda rng, n: rng.beta(1.2, 4.0, n), 1.2 / 5.2, 0.0, 1.0),
    "grades": (lambda rng, n: rng.choice([0.0, 0.5, 1.0], n, p=[0.2, 0.3, 0.5]), 0.65, 0.0, 1.0),
    "nats": (lambda rng, n: rng.lognormal(0.0, 0.5, n), float(np.exp(0.125)), 0.0, None),
}


class Setting(TypedDict, total=False):
    """What is simulated."""

    languages: int
    problems: int
    drop: float
    own: float
    graded: bool


def verdicts(repetitions: int, setting: Setting) -> dict[str, float]:
    """Give how often a comparison of simulated runs says what, and what it could have seen.

    The candidate's chances are lower by `drop` in the mean, and both models have chances of their
    `own` on a share of the problems. `graded`: by values that are no zeros and ones.
    """
    problems, languages = setting.get("problems", PROBLEMS), setting.get("languages", LANGUAGES)
    graded, own = setting.get("graded", False), setting.get("own", 0.0)
    rng, found, smallest = np.random.default_rng(4), [], []
    for _ in range(repetitions):
        chances = _chances(rng, problems, languages)
        base, candidate = (_shifted(rng, chances, own) for _ in range(2))
        candidate *= 1 - setting.get("drop", 0.0) / 0.5
        draw = _grades if graded else _answers
        whole, parts = compared(draw(rng, base), draw(rng, candidate), graded=graded)
        smallest.append(whole.detectable or 1.0)
        found.append(
            [
                whole.verdict() == "worse",
                any(one.verdict() == "worse" for one in [whole, *parts]),
                any(one.verdict() != "undecided" for one in [whole, *parts]),
            ]
        )
    names = ("whole worse", "anything worse", "anything different")
    shares = dict(zip(names, np.mean(found, axis=0).tolist(), strict=True))
    return shares | {"detectable": float(np.median(smallest))}


def seen(repetitions: int, setting: Setting) -> tuple[float, float]:
    """Give the drop that comparisons say they would see 4 times in 5, and how often they see it.

    How much problems differ hangs on the drop itself, so that it is sought in three steps.
    """
    drop = 0.0
    for _ in range(3):
        drop = verdicts(100, {**setting, "drop": drop})["detectable"]
    return drop, verdicts(repetitions, {**setting, "drop": drop})["whole worse"]


def compared(
    base: "Table", candidate: "Table", *, graded: bool = False
) -> tuple[Difference, list[Difference]]:
    """Compare two tables of values by problem and language: the whole, and each language."""
    metric = mean_of("score") if graded else pass_at(1)
    names = [f"xl/python/L{at}" for at in range(base.shape[1])]
    cells = [
        {name: _cell(metric, table[:, at].tolist()) for at, name in enumerate(names)}
        for table in (base, candidate)
    ]
    tasks = [Task(name, 1, _never, _never, _never, {"score": metric}) for name in names]
    alone, together, [whole] = differences(
        tasks, {name: match(cells[0][name], cells[1][name]) for name in names}, draws=1
    )
    if not together:
        return alone[whole]["score"], []
    return together[whole]["score"], [one["score"] for one in alone.values()]


def _never(*_: object) -> None:
    raise AssertionError


def _cell(metric: Metric, values: list[float]) -> Cell:
    names = [str(at) for at in range(len(values))]
    return Cell({"score": metric}, names, names, {"score": values}, {}, [])


def _chances(rng: "Generator", problems: int, languages: int) -> "Table":
    """Give the chance of each problem in each language: a hard one is hard in all of them."""
    hard = rng.beta(*SHAPE, size=(problems, 1))
    other = rng.beta(*SHAPE, size=(problems, languages))
    return np.where(rng.random((problems, languages)) < 0.7, hard, other)


def _shifted(rng: "Generator", chances: "Table", by: float = 0.3) -> "Table":
    """Give another model's chances: some problems are turned round for it in all languages."""
    turned = rng.random((len(chances), 1)) < by / 2
    return np.where(turned, 1 - chances, chances)


def _answers(rng: "Generator", chances: "Table") -> "Table":
    return (rng.random(chances.shape) < chances).astype(float)


def _grades(rng: "Generator", chances: "Table") -> "Table":
    chances = np.clip(chances, 0.001, 0.999)
    return rng.beta(4 * chances, 4 * (1 - chances))


@cache
def _keys(languages: int) -> Callable[[int], list[str]]:
    return cache(lambda problems: [str(at // languages) for at in range(problems * languages)])


def _holds(low: float | None, high: float | None, truth: float) -> bool:
    return (low is None or low <= truth) and (high is None or truth <= high)


def coverage(repetitions: int) -> Iterator[tuple[str, float]]:
    """Yield how often intervals hold the truth."""
    for n in (80, 164, 541, 1840):
        for p in (0.05, 0.1, 0.3, 0.5, 0.8):
            yield f"proportion {p} of {n} (exact)", proportion(p, n)
    for n in (80, 541, 1840):
        for lost, won in ((0.02, 0.02), (0.1, 0.1), (0.12, 0.07), (0.05, 0.01)):
            yield f"paired difference, {lost} and {won} of {n}", paired(lost, won, n, repetitions)
    for languages, problems in ((23, 80), (12, 80), (23, 20), (4, 10)):
        for against in (False, True):
            kind = "difference" if against else "mean"
            held = clustered(languages, problems, repetitions, against=against)
            yield f"{kind} of {problems} problems in {languages} languages", held
    for easy, problems in ((0.0125, 80), (0.03, 80), (0.1, 80), (0.05, 20)):
        held = weak(easy, problems, repetitions)
        yield f"mean of {problems} problems, {easy:.2%} of them easy", held
    for name in VALUES:
        for n in (20, 80, 500):
            yield f"mean of {n} {name}", means(name, n, repetitions)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=10_000)
    repetitions = parser.parse_args().repetitions
    for name, held in coverage(repetitions):
        print(f"{name:52} {held:.3f}{'' if 0.93 <= held <= 0.97 else '  outside 0.93 to 0.97'}")
    for title, setting in SETTINGS.items():
        began = perf_counter()
        shares = verdicts(repetitions, setting)
        said = ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
        print(f"{title}: {said} ({perf_counter() - began:.0f} s)")
    for title, setting in SEEN.items():
        drop, share = seen(repetitions, setting)
        print(f"seen, {title}: a drop of {100 * drop:.1f} points {share:.3f}")


SEEN: dict[str, Setting] = {
    "80 problems in 23 languages": {},
    "and each better at some problems": {"own": 0.1},
    "80 samples": {"languages": 1},
    "1840 samples": {"languages": 1, "problems": 1840},
    "values between 0 and 1, 4 languages": {"languages": 4, "graded": True},
}
SETTINGS: dict[str, Setting] = {
    "equal, 80 samples": {"languages": 1},
    "equal, 80 problems in 23 languages": {},
    "equal in the mean, each better at some problems": {"own": 0.3},
    "equal, values between 0 and 1, 6 languages": {"languages": 6, "graded": True},
    "5 points worse, 80 problems in 23 languages": {"drop": DROP},
    "5 points worse, and each better at some problems": {"drop": DROP, "own": 0.1},
    "5 points worse, 1840 problems": {"drop": DROP, "languages": 1, "problems": 1840},
}


if __name__ == "__main__":
    main()
