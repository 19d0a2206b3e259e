"""How often intervals hold the truth, and how often a comparison is wrong, thousands of times."""

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parent.parent / "benchmarks" / "simulation.py"
REPETITIONS = 2000
"""a share of 95 in 100 is then known to half a point, two standard errors being one"""


@pytest.fixture(scope="module")
def simulation():
    spec = importlib.util.spec_from_file_location("simulation", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("n", [80, 164, 541, 1840])
@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.8])
def test_intervals_of_proportions_hold_the_truth_93_to_97_times_in_100(simulation, p, n):
    assert 0.93 <= simulation.proportion(p, n) <= 0.97


# With few pairs that differ it holds the truth more often than that, never less.
@pytest.mark.parametrize(
    ("lost", "won", "n", "most"),
    [
        (0.1, 0.1, 80, 0.98),
        (0.12, 0.07, 541, 0.97),
        (0.12, 0.07, 1840, 0.97),
        (0.05, 0.01, 1840, 0.97),
        (0.02, 0.02, 80, 1.0),
    ],
)
def test_intervals_of_paired_differences_hold_the_truth(simulation, lost, won, n, most):
    assert 0.93 <= simulation.paired(lost, won, n, 20_000) <= most


@pytest.mark.slow
@pytest.mark.parametrize("against", [False, True], ids=["mean", "difference"])
@pytest.mark.parametrize(("languages", "problems"), [(23, 80), (12, 80)])
def test_intervals_of_clustered_samples_hold_the_truth(simulation, languages, problems, against):
    held = simulation.clustered(languages, problems, REPETITIONS, against=against)
    assert 0.93 <= held <= 0.97


@pytest.mark.parametrize(("easy", "problems"), [(0.0125, 80), (0.03, 80), (0.1, 80), (0.05, 20)])
def test_intervals_of_a_weak_model_hold_what_it_hardly_ever_does(simulation, easy, problems):
    assert simulation.weak(easy, problems, 500) >= 0.93


@pytest.mark.slow
@pytest.mark.parametrize("name", ["overlaps", "grades"])
@pytest.mark.parametrize("n", [80, 500])
def test_intervals_of_other_means_hold_the_truth(simulation, name, n):
    assert 0.93 <= simulation.means(name, n, REPETITIONS) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(
    "setting",
    [
        "equal, 80 samples",
        "equal, 80 problems in 23 languages",
        "equal in the mean, each better at some problems",
        "equal, values between 0 and 1, 6 languages",
    ],
)
def test_equal_models_are_called_worse_at_most_5_times_in_100(simulation, setting):
    shares = simulation.verdicts(REPETITIONS, simulation.SETTINGS[setting])
    assert shares["whole worse"] <= shares["anything worse"] <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    "setting", ["5 points worse, 80 problems in 23 languages", "5 points worse, 1840 problems"]
)
def test_a_drop_of_5_points_on_1840_samples_is_found(simulation, setting):
    shares = simulation.verdicts(REPETITIONS, simulation.SETTINGS[setting])
    assert shares["whole worse"] >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize(
    "setting",
    [
        "80 problems in 23 languages",
        "and each better at some problems",
        "80 samples",
        "1840 samples",
        "values between 0 and 1, 4 languages",
    ],
)
def test_what_is_said_to_be_seen_is_seen_4_times_in_5(simulation, setting):
    _, share = simulation.seen(500, simulation.SEEN[setting])
    assert 0.74 <= share <= 0.9
