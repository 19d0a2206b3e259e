"""Systems ranked by who wins against whom: equal to other fits, with intervals over documents."""

import math
import random

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from bench.harness import Data, ranking
from bench.harness.ranking import Game
from bench.tasks import summeval

BASEBALL = {
    "Milwaukee": (0, 7, 9, 7, 7, 9, 11),
    "Detroit": (6, 0, 7, 5, 11, 9, 9),
    "Toronto": (4, 6, 0, 7, 7, 8, 12),
    "New York": (6, 8, 6, 0, 6, 7, 10),
    "Boston": (6, 2, 6, 7, 0, 7, 12),
    "Cleveland": (4, 4, 5, 6, 6, 0, 6),
    "Baltimore": (2, 4, 1, 3, 1, 7, 0),
}
"""wins of the American League's East in 1987 (Agresti 2002, table 10.10)"""
STRENGTHS = (1.58, 1.44, 1.29, 1.25, 1.11, 0.68, 0.0)
"""what Agresti fits to them, section 10.6.1"""


def wins(table):
    return [
        Game(f"{one}-{other}-{n}", one, other, 1.0)
        for one, row in table.items()
        for other, count in zip(table, row, strict=True)
        for n in range(count)
    ]


def test_bradley_terry_equals_a_published_fit():
    found = {each.system: each.strength for each in ranking.rank(wins(BASEBALL), resamples=2)}
    ahead = [found[team] - found["Baltimore"] for team in BASEBALL]
    assert ahead == pytest.approx(STRENGTHS, abs=0.006)
    assert math.fsum(found.values()) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_bradley_terry_equals_the_iteration_of_hunter_2004(seed):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 20, (6, 6)) + 0.5 * rng.integers(0, 4, (6, 6))
    np.fill_diagonal(table, 0)
    worth = np.ones(6)
    for _ in range(20_000):
        shared = (table + table.T) / (worth[:, None] + worth[None, :])
        worth = table.sum(axis=1) / shared.sum(axis=1)
        worth /= np.exp(np.log(worth).mean())
    assert ranking.strengths(table) == pytest.approx(np.log(worth), abs=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_bradley_terry_equals_scikit_learns_regression(seed):
    rng = np.random.default_rng(seed)
    table = rng.integers(1, 15, (5, 5)) + 0.5 * rng.integers(0, 2, (5, 5))
    np.fill_diagonal(table, 0)
    rows, weights = [], []
    for one, other in zip(*np.nonzero(table), strict=True):
        row = np.zeros(5)
        row[one], row[other] = 1, -1
        rows += [row, -row]
        weights += [table[one, other]] * 2
    fit = LogisticRegression(C=1e9, fit_intercept=False, tol=1e-10, max_iter=10_000)
    fit.fit(rows, [1, 0] * (len(rows) // 2), weights)
    found = fit.coef_[0] - fit.coef_[0].mean()
    assert ranking.strengths(table) == pytest.approx(found, abs=1e-3)


def test_a_system_that_always_wins_is_first_and_finite():
    games = [Game(str(n), "best", other, 1.0) for n in range(9) for other in ("a", "b")]
    games += [Game(str(n), "a", "b", 0.5) for n in range(9)]
    first, *others = ranking.rank(games, resamples=20)
    assert first.system == "best"
    assert 3 < first.strength < 20
    assert [each.strength for each in others] == pytest.approx([0, 0], abs=1e-5)
    assert [first.low, first.high, first.least, first.most] == [None, None, 0, 1]
    assert (first.rank, others[0].rank, others[1].rank) == (1, 2, 2)  # 9 of 9: p = 0.004


def test_intervals_resample_documents_and_not_games():
    rng = random.Random(3)
    alone, together = [], []
    for document in range(40):
        won = float(rng.random() < 0.6)  # all games on a document end alike
        for n in range(10):
            together.append(Game(str(document), "a", "b", won))
            alone.append(Game(f"{document}/{n}", "a", "b", won))
    wide, narrow = (ranking.rank(games, 200)[0] for games in (together, alone))
    assert wide.strength == pytest.approx(narrow.strength, abs=1e-5)
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
    shuffled = random.Random(4).sample(together, len(together))
    assert ranking.rank(shuffled, 200)[0] == pytest.approx(wide)


@pytest.mark.parametrize("games", [[], [Game("d", "a", "a", 1.0)]])
def test_no_ranking_without_games_of_two(games):
    with pytest.raises(ValueError, match="needs games"):
        ranking.rank(games)


def test_no_ranking_of_systems_that_nothing_joins():
    games = [Game("d", "a", "b", 1.0), Game("d", "c", "e", 0.5), Game("d", "b", "f", 0.5)]
    assert ranking.connected(games, ["lone"]) == [["a", "b", "f"], ["c", "e"], ["lone"]]
    with pytest.raises(ValueError, match="chain of games"):
        ranking.rank(games)
    assert ranking.connected([*games, Game("e", "c", "a", 0.0)]) == [["a", "b", "c", "e", "f"]]


def test_few_documents_tell_nothing_apart_and_many_do():
    def won(documents):
        games = [Game(str(n), "a", "b", 1.0) for n in range(documents)]
        return [each.rank for each in ranking.rank(games, 20)]

    assert won(5) == [1, 1]  # five heads of a coin: p = 0.0625
    assert won(6) == [1, 2]
    alike = ranking.rank([Game(str(n), "a", "b", 0.5) for n in range(50)], 20)
    assert [(each.rank, each.strength, each.low) for each in alike] == [(1, 0, None)] * 2


def test_what_is_better_than_something_better_is_better():
    games = [Game(str(n), one, other, 1.0) for n in range(12) for one, other in ("ab", "bc")]
    assert [(each.system, each.rank) for each in ranking.rank(games, 20)] == [
        ("a", 1),
        ("b", 2),
        ("c", 3),
    ]


def league(seed, truth, documents):
    """Draw games of all pairs, in both orders, on documents that suit some systems more."""
    rng = np.random.default_rng(seed)
    games = []
    for document in range(documents):
        suited = truth + rng.normal(0, 1, len(truth))
        for one in range(len(truth)):
            for other in range(one):
                chance = 1 / (1 + np.exp(suited[other] - suited[one]))
                won = (rng.random(2) < chance).mean()
                games.append(Game(str(document), f"s{one}", f"s{other}", float(won)))
    return games


@pytest.mark.slow
def test_equal_systems_share_their_rank_and_intervals_hold_their_strength():
    apart = covered = 0
    for seed in range(100):
        standings = ranking.rank(league(seed, np.zeros(3), 25), 200)
        apart += len({each.rank for each in standings}) > 1
        covered += sum(each.low < 0 < each.high for each in standings)
    assert apart <= 10  # of 100, at 0.05: 5 and twice the deviation
    assert 270 <= covered <= 297  # of 300


@pytest.mark.slow
def test_systems_that_differ_get_ranks_of_their_own():
    found = [ranking.rank(league(seed, np.array([0.0, 0.0, 2.0]), 60), 200) for seed in range(20)]
    firsts = [each[0] for each in found]
    assert sum(first.system == "s2" and first.rank == 1 for first in firsts) == 20
    assert sum([each.rank for each in one][1:] == [2, 2] for one in found) >= 17


def test_the_experts_of_summeval_rank_its_systems(data_dir):
    games = list(summeval.games("overall", Data(data_dir)))
    assert len(games) == 100 * 15
    standings = ranking.rank(games, resamples=100)
    means = {
        system: math.fsum(
            each.scores["overall"] for each in summeval.summaries(system, Data(data_dir)).values()
        )
        for system in summeval.SYSTEMS
    }
    assert [each.system for each in standings][:3] == ["M12", "M13", "M8"]
    assert standings[-1].system == min(means, key=lambda name: means[name]) == "M11"
    assert standings[-1].high < standings[-2].low  # the last is last beyond doubt
