"""Many systems ranked by who wins against whom: Bradley-Terry, with intervals over documents.

Bradley and Terry 1952 (doi:10.2307/2334029): the chance that a system wins against another is the
logistic function of the difference between their strengths. A tie is half a win for each.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from bench.harness.core import Estimate
from bench.harness.stats import Ends, holm, p_value, sign_flips, stretch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SEED = 19_520_101
ALPHA = 0.05
PRIOR = 1e-3
"""weight of a strength's square: too small to be seen, but one that wins always stays finite"""
SAME = 1e-4
"""strengths that differ by less are equal, as far as the fit goes"""


@dataclass(frozen=True, slots=True)
class Game:
    """Two systems on one document; `won` is 1 where the first is better, 0, or 0.5 for a tie."""

    document: str
    one: str
    other: str
    won: float


@dataclass(frozen=True, slots=True)
class Standing:
    """A system's strength with its 95% interval, and its chance against the average one.

    Strengths are natural log-odds with the mean 0. One that won or lost all its games has no bound:
    it is far from the others, which have the mean 0 without it. An interval is None there, and
    where all documents say the same.
    """

    system: str
    rank: int
    """1 + how many systems are surely better; those of one rank cannot be told apart"""
    strength: float
    low: float | None
    high: float | None

    win_rate: float
    """the chance to win against a system of strength 0, and its interval"""
    least: float
    most: float


def rank(games: Sequence[Game], resamples: int = 1000) -> list[Standing]:
    """Rank systems, the strongest first; intervals resample whole documents (seeded).

    Two systems are told apart by the interval of the difference between their strengths, or, where
    nothing bounds that, by the exact signs of the documents on which they met; Holm corrects over
    all pairs. What is better than something better is better.

    Raises:
        ValueError: there is no game, a system plays against itself, or no chain of games joins two.

    """
    import numpy as np  # heavy

    if not games or any(game.one == game.other for game in games):
        raise ValueError("A ranking needs games, each of two systems.")
    if len(connected(games)) > 1:
        raise ValueError("A ranking needs a chain of games between any two systems.")
    systems = sorted({name for game in games for name in (game.one, game.other)})
    tables = _tables(games, systems)
    found = strengths(tables.sum(axis=0))
    drawn = _resampled(tables, found, resamples)
    parts = _mutual(tables.sum(axis=0))
    ranks = 1 + np.sum(_better(tables, parts, found, drawn), axis=0)
    bounded = parts == np.bincount(parts).argmax()
    middle = bounded if bounded.sum() > 1 else np.ones_like(bounded)
    found, drawn = found - found[middle].mean(), drawn - drawn[:, middle].mean(axis=1)[:, None]
    standings = [
        _standing(
            name,
            int(ranks[at]),
            float(found[at]),
            _ends(found[at], drawn[:, at], len(tables)) if bounded[at] else (None, None),
        )
        for at, name in enumerate(systems)
    ]
    return sorted(standings, key=lambda each: (-round(each.strength, 6), each.system))


def _standing(system: str, place: int, strength: float, ends: Ends) -> Standing:
    from scipy.special import expit

    low, high = ends
    least = 0.0 if low is None else float(expit(low))
    most = 1.0 if high is None else float(expit(high))
    return Standing(system, place, strength, low, high, float(expit(strength)), least, most)


def connected(games: Sequence[Game], systems: Sequence[str] = ()) -> list[list[str]]:
    """Give the systems in sets within which chains of games join them; `systems` may have none."""
    sets = {name: {name} for name in systems}
    for game in games:
        joined = sets.get(game.one, {game.one}) | sets.get(game.other, {game.other})
        sets |= dict.fromkeys(joined, joined)
    return [list(part) for part in sorted({tuple(sorted(part)) for part in sets.values()})]


def strengths(
    wins: "NDArray[np.float64]", start: "NDArray[np.float64] | None" = None
) -> "NDArray[np.float64]":
    """Give the strengths of systems; wins[i, j] is how often i won against j."""
    import numpy as np
    from scipy.optimize import minimize
    from scipy.special import expit

    games = wins + wins.T

    def loss(strength: Any) -> tuple[float, Any]:
        ahead = strength[:, None] - strength[None, :]
        total = (wins * np.logaddexp(0, -ahead)).sum() + PRIOR * (strength**2).sum() / 2
        return float(total), (games * expit(ahead) - wins).sum(axis=1) + PRIOR * strength

    def curvature(strength: Any) -> Any:
        chance = expit(strength[:, None] - strength[None, :])
        between = games * chance * (1 - chance)
        return np.diag(between.sum(axis=1) + PRIOR) - between

    start = np.zeros(len(wins)) if start is None else start
    found = minimize(loss, start, jac=True, hess=curvature, method="trust-exact")
    return np.asarray(found.x - found.x.mean())


def _tables(games: Sequence[Game], systems: Sequence[str]) -> "NDArray[np.float64]":
    """Give the wins of each document, in an order that does not hang on that of the games."""
    import numpy as np

    places = {name: at for at, name in enumerate(systems)}
    found: defaultdict[str, Any] = defaultdict(lambda: np.zeros((len(systems), len(systems))))
    for game in games:
        one, other = places[game.one], places[game.other]
        found[game.document][one, other] += game.won
        found[game.document][other, one] += 1 - game.won
    return np.array([found[document] for document in sorted(found)])


def _resampled(
    tables: "NDArray[np.float64]", found: "NDArray[np.float64]", resamples: int
) -> "NDArray[np.float64]":
    """Give the strengths that resampled documents have, a row for each time."""
    import numpy as np

    rng = np.random.default_rng(SEED)
    return np.array(
        [
            strengths(tables[rng.integers(len(tables), size=len(tables))].sum(axis=0), found)
            for _ in range(resamples)
        ]
    )


def _mutual(wins: "NDArray[np.float64]") -> "NDArray[np.int32]":
    """Give numbers to the sets of systems within which each has, in a chain, won from each.

    Ford 1957 (doi:10.2307/2308513): only within such a set are strengths finite.
    """
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    _, labels = connected_components(csr_array(wins > 0), directed=True, connection="strong")
    return np.asarray(labels)


def _ends(value: float, drawn: "NDArray[np.float64]", documents: int) -> Ends:
    """Give the 95% percentile interval, widened as for all few groups (see stats.stretch)."""
    import numpy as np

    if documents < 2 or float(np.ptp(drawn)) < SAME:
        return None, None
    low, high = np.quantile(drawn, (0.025, 0.975))
    wider = stretch(documents)
    return float(value + (low - value) * wider), float(value + (high - value) * wider)


def _better(
    tables: "NDArray[np.float64]",
    parts: "NDArray[np.int32]",
    found: "NDArray[np.float64]",
    drawn: "NDArray[np.float64]",
) -> "NDArray[np.bool_]":
    """Tell which system (row) is surely better than which (column)."""
    import numpy as np

    pairs = list(combinations(np.argsort(-found), 2))
    chances = [
        _apart(found[i] - found[j], drawn[:, i] - drawn[:, j], len(tables))
        if parts[i] == parts[j]
        else _signs(tables[:, i, j] - tables[:, j, i])
        for i, j in pairs
    ]
    better = np.zeros((len(found), len(found)), dtype=bool)
    for (i, j), p in zip(pairs, holm(chances), strict=True):
        better[i, j] = p <= ALPHA
    for through in range(len(found)):
        better |= better[:, through, None] & better[None, through, :]
    return better


def _apart(value: float, drawn: "NDArray[np.float64]", documents: int) -> float:
    """Give the p-value for no difference that the interval of one implies."""
    low, high = _ends(value, drawn, documents)
    p = p_value(Estimate(value, low, high, documents), documents)
    return 1.0 if p is None or value < SAME else p


def _signs(ahead: "NDArray[np.float64]") -> float:
    """Give the exact p-value of documents on which two systems met; 1 where they never did."""
    p = sign_flips(ahead.tolist(), [str(at) for at in range(len(ahead))])
    return 1.0 if p is None else p
