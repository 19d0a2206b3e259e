"""Differences between tasks on the same problems: published numbers, scipy's, and simulations."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, permutation_test

from bench.harness.stats import bonett_price, estimate, holm, sign_flips

quick = settings(max_examples=60, deadline=None)
pairs = st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.sampled_from("abcdefgh")), max_size=20)


def numbered(values):
    return [str(i) for i in range(len(values))]


def difference(values, groups=None):
    return estimate(values, groups or numbered(values), low=-1, high=1)


# Fagerland, Lydersen and Laake (2014), Statistics in Medicine 33:2850, table V: the
# 21 children of Bentur et al. (2009), of whom 7 differ one way and 1 the other.
def test_a_plain_difference_has_the_interval_of_bonett_and_price():
    values = [-1.0] * 7 + [1.0] + [0.0] * 13
    found = difference(values)
    assert found.value == pytest.approx(-6 / 21)
    assert (round(found.low, 3), round(found.high, 3)) == (-0.508, -0.013)
    assert (found.low, found.high) == bonett_price(7, 1, 21)


def test_pairs_that_never_differ_are_as_sure_as_their_number_of_problems():
    alone = difference([0.0] * 80)
    copied = difference([0.0] * 960, numbered([0.0] * 80) * 12)
    assert (alone.low, alone.high) == (copied.low, copied.high) == bonett_price(0, 0, 80)
    assert 0.03 < alone.high < 0.04


def test_differences_that_even_out_have_a_wider_interval_than_none_at_all():
    evened = difference([-1.0, 1.0] * 40, [str(i // 2) for i in range(80)])
    assert (evened.low, evened.high) == bonett_price(0, 0, 40)
    assert difference([-1.0, 1.0] * 40).high > 5 * bonett_price(0, 0, 80)[1]


@quick
@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_the_interval_holds_the_difference_and_turns_with_it(lost, won, same):
    n = lost + won + same + 1
    low, high = bonett_price(lost, won, n)
    assert -1 <= low <= (won - lost) / n <= high <= 1
    assert bonett_price(won, lost, n) == pytest.approx((-high, -low))


@quick
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 10))
def test_where_problems_occur_once_the_p_value_is_mcnemars(lost, won, same):
    values = [-1.0] * lost + [1.0] * won + [0.0] * (same + 1)
    expected = binomtest(lost, lost + won).pvalue if lost + won else 1.0
    assert sign_flips(values, numbered(values)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    "totals", [[3, -1, 2, 5, 1, 1, -4, 6], [12, 11, 10, 9, 12, 12, 7], [0, 0, 1, -1, 0]]
)
def test_the_p_value_of_larger_problems_is_scipys(totals):
    expected = permutation_test(
        (np.array(totals),), np.sum, permutation_type="samples", n_resamples=np.inf
    ).pvalue
    values = [float(np.sign(total)) for total in totals for _ in range(abs(total))]
    groups = [str(i) for i, total in enumerate(totals) for _ in range(abs(total))]
    assert sign_flips(values, groups) == pytest.approx(expected, rel=1e-9)


@quick
@given(pairs)
def test_the_p_value_counts_the_signs_that_are_as_far_from_none(rows):
    totals = {group: sum(v for v, g in rows if g == group) for _, group in rows}
    sums = [
        sum(sign * total for sign, total in zip(signs, totals.values(), strict=True))
        for signs in product([-1, 1], repeat=len(totals))
    ]
    expected = sum(abs(s) >= abs(sum(totals.values())) for s in sums) / len(sums)
    values, groups = [float(v) for v, _ in rows], [g for _, g in rows]
    found = sign_flips(values, groups)
    assert found == (pytest.approx(expected) if rows else None)
    assert sign_flips([-v for v in values], groups) == found


def test_there_is_no_p_value_where_it_would_not_be_exact():
    assert sign_flips([0.5, 1.0], ["a", "b"]) is None
    assert sign_flips([None, 1.0], ["a", "b"]) is None
    assert sign_flips([], []) is None
    assert sign_flips([1e8], ["a"]) is None
    assert sign_flips([1 / 3 * 3, 1.0], ["a", "b"]) == 0.5


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


@quick
@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_corrects_upwards_and_keeps_the_order(p_values):
    corrected = holm(p_values)
    assert all(p <= c <= 1 for p, c in zip(p_values, corrected, strict=True))
    assert [c for _, c in sorted(zip(p_values, corrected, strict=True))] == sorted(corrected)
    if p_values:
        assert min(corrected) == pytest.approx(min(1, min(p_values) * len(p_values)))


def shifted(rng, chances, fall):
    """Chances of the same problems in another language: a bad translation hits all cells of it."""
    return np.clip(chances - fall + rng.normal(0, 0.25, size=len(chances)), 0, 1)


@cache
def truth(shape, fall):
    rng = np.random.default_rng(0)
    chances = rng.beta(*shape, size=2_000_000)
    return float((shifted(rng, chances, fall) - chances).mean())


def coverage(cells, shape, fall, runs, label):
    """The share of simulated runs (80 problems in so many cells) whose interval holds the truth."""
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(runs):
        chances = rng.beta(*shape, size=80)
        baseline = rng.random((cells, 80)) < chances
        other = rng.random((cells, 80)) < shifted(rng, chances, fall)
        values = (other.astype(float) - baseline).ravel().tolist()
        found = difference(values, [label(i) for i in range(len(values))])
        held += found.low <= truth(shape, fall) <= found.high
    return held / runs


# 1,000 runs: two standard errors of the simulation are 1.4 points.
@pytest.mark.slow
@pytest.mark.parametrize("cells", [1, 12])
@pytest.mark.parametrize(("shape", "fall"), [((2, 2), 0.0), ((0.3, 0.3), 0.0), ((2, 2), 0.1)])
def test_intervals_of_gaps_hold_the_truth_about_95_times_in_100(cells, shape, fall):
    held = coverage(cells, shape, fall, 1000, lambda i: str(i % 80))
    assert 0.93 <= held <= 0.98


def test_gaps_that_ignore_the_problems_would_hold_the_truth_less_often():
    assert coverage(12, (2, 2), 0.1, 300, str) < 0.85


def test_a_gap_between_paired_cells_is_surer_than_between_unpaired_ones():
    rng = np.random.default_rng(5)
    chances = rng.beta(0.3, 0.3, size=80)
    first, second = ((rng.random((12, 80)) < chances).astype(float) for _ in range(2))
    groups = [str(i) for i in range(80)] * 12
    paired = difference((first - second).ravel().tolist(), groups)
    alone = [estimate(side.ravel().tolist(), groups) for side in (first, second)]
    unpaired = sum((one.high - one.low) ** 2 for one in alone) ** 0.5
    assert paired.high - paired.low < 0.5 * unpaired


def test_halves_that_make_whole_problems_are_tested_exactly():
    halves = [0.5, 0.5, 0.5, 0.5, -0.5, -0.5]
    assert sign_flips(halves, list("aabbcc")) == sign_flips([1, 1, -1], list("abc"))
    assert sign_flips([0.5, 1], list("ab")) is None
