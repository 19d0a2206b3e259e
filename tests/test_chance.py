"""A model that picks a choice at random is at chance, on every multiple-choice task there is."""

from hashlib import sha256
from itertools import islice
from statistics import fmean

import pytest

from bench.harness import Data, LogLikelihood, LogProb, Resources, Response, registry
from bench.harness.errors import BenchError
from bench.harness.summary import summarize

CHANCE = {
    "mmlu": {"acc": 1 / 4},
    "xcopa": {"acc": 1 / 2},
    "xwinograd": {"acc": 1 / 2},
    "winobias": {"acc": 1 / 2},
    "crows_pairs": dict.fromkeys(("pct_stereotype", "pct_stereo", "pct_antistereo"), 1 / 2),
    "bbq": {
        "acc_ambiguous": 1 / 3,
        "acc_disambiguated": 1 / 3,
        "bias_ambiguous": 0.0,
        "bias_disambiguated": 0.0,
    },
    "quickstart": {"acc": 1 / 4, "acc_norm": 1 / 4},
    "tkeval": {"acc": None, "acc_token": None},
    "truthfulqa": {"mc1": None, "mc2": None, "binary": 1 / 2},
    "truthfulqa_multi": {"mc1": None, "mc2": None},
}
"""by benchmark and metric; None: as many of a question's choices as are right"""
UNMEASURED = {"likelihood_diff"}
"""metrics that are no share of choices"""
TASKS = registry.tasks()
WEIGHED = [
    name
    for name, task in TASKS.items()
    if set(task.metrics) - UNMEASURED <= CHANCE.get(name.partition("/")[0], {}).keys()
]
LIMIT = 100
SEEDS = range(5)


def guess(task, sample, seed):
    """Answer as a model that is sure of one choice, and of that for no reason."""
    request = task.ask(sample)
    assert isinstance(request, LogLikelihood)
    digest = sha256(f"{seed} {task.name} {sample.id}".encode()).digest()
    chosen = int.from_bytes(digest[:8], "big") % len(request.pairs)
    places = range(len(request.pairs))
    return Response(
        logprobs=tuple(LogProb(-1000.0 * (at != chosen), 1, at == chosen) for at in places)
    )


def record(task, sample, score):
    return {
        "task": task.name,
        "sample": sample.id,
        "draw": 0,
        "group": sample.group,
        "verdict": score.verdict,
        "values": dict(score.values),
        "finish_reason": "",
        "empty": False,
    }


@pytest.mark.parametrize("name", WEIGHED)
def test_a_model_that_guesses_has_chance_within_its_interval(name, data_dir):
    task = TASKS[name]
    # A 95% interval misses in one case of 20, so that three of five misses are no accident.
    samples = list(islice(task.samples(Data(data_dir)), LIMIT))
    inside = dict.fromkeys(set(task.metrics) - UNMEASURED, 0)
    for seed in SEEDS:
        scores = [
            (each, task.score(each, guess(task, each, seed), Resources())) for each in samples
        ]
        found = summarize([task], [record(task, *each) for each in scores], 1)["tasks"][name]
        for metric in inside:
            numbers, chance = found["metrics"][metric], CHANCE[name.partition("/")[0]][metric]
            if chance is None:
                parts = [len(set(s.data["right"])) / len(s.data["choices"]) for s in samples]
                chance = fmean(parts)
            inside[metric] += numbers["low"] <= chance <= numbers["high"]
            assert numbers["low"] < numbers["high"]
    assert min(inside.values()) >= 3, inside


@pytest.mark.slow
def test_no_multiple_choice_task_is_left_out(data_dir):
    data, found = Data(data_dir), set()
    for name, task in TASKS.items():
        try:
            request = task.ask(next(iter(task.samples(data))))
        except BenchError:  # of data that nobody may pass on
            assert name.startswith("honest/")
            continue
        if isinstance(request, LogLikelihood) and len(request.pairs) > 1:
            found.add(name)
    assert found == set(WEIGHED)
