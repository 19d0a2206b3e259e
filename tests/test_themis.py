"""Themis: its averages from the values that its paper prints, and TruthfulQA by rewards."""

import json
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.harness import Data, Generate, Resources, Response, Task, Verdict, registry
from bench.harness.errors import BenchError
from bench.harness.stats import mean_of
from bench.harness.summary import summarize
from bench.tasks import themis

TOOLS = {
    "calendar": 106,
    "calculator": 154,
    "weather": 158,
    "code": 189,
    "translator": 300,
    "wikisearch": 284,
    "webgpt": 134,
    "multi_tools": 144,
}
"""pairs of each tool"""
PAPER = {
    "one tool, RM Bert-Large": (63.21, 88.31, 71.52, 66.67, 24.33, 82.75, 68.66, 78.47, 65.01),
    "one tool, Themis-7B": (100, 98.70, 100, 99.47, 88.40, 95.07, 76.12, 99.31, 94.23),
    "one tool, without observation": (100, 98.05, 100, 99.47, 87.71, 90.49, 64.48, 80.56, 90.23),
    "RM Bert-Large": (83.02, 94.16, 80.38, 73.54, 22.67, 83.45, 70.15, 81.25, 69.10),
    "RM Vicuna-7B": (83.96, 94.16, 83.54, 88.36, 33.67, 92.61, 72.39, 81.25, 75.63),
    "Themis-7B": (100, 98.05, 100, 99.47, 90.91, 93.31, 64.92, 99.31, 93.31),
    "without observation": (100, 98.05, 100, 99.47, 91.47, 94.37, 62.69, 73.51, 90.90),
    "without rationale": (100, 96.75, 99.37, 98.94, 88.74, 92.54, 63.43, 68.72, 89.31),
    "Themis-33B": (100, 97.40, 100, 99.47, 93.54, 96.55, 73.72, 99.31, 95.21),
    "Themis-7B LoRA": (96.22, 96.10, 96.20, 99.47, 73.33, 90.49, 46.26, 58.33, 82.57),
    "Themis-13B LoRA": (98.11, 92.21, 98.73, 98.41, 72.00, 92.25, 57.85, 75.69, 85.26),
    "Themis-33B LoRA": (86.79, 97.40, 99.36, 98.41, 84.66, 95.77, 58.95, 99.30, 90.74),
}
"""accuracies by tool, and their average, of Table 1 of arXiv:2310.01045.

One row of it is left out, the reward model of Vicuna-7B for one tool: its values give 75.09 where
75.04 is printed, and two of them are no number of pairs.
"""
TRUTHFUL = "reward/themis/truthful_qa"


def one(name):
    [task] = registry.select(name)
    return task


def record(task, sample, values, group=""):
    return {
        "task": task.name,
        "sample": sample,
        "draw": 0,
        "group": group,
        "verdict": Verdict.PASSED,
        "values": values,
        "finish_reason": "stop",
        "empty": False,
    }


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_has_as_many_pairs_as_the_average_counts(tool, data_dir):
    samples = list(one(f"themis/tools/{tool}").samples(Data(data_dir)))
    assert len(samples) == 2 * TOOLS[tool]  # a judge is asked in both orders


@pytest.mark.parametrize("model", PAPER)
def test_averages_are_those_of_the_paper(model):
    *accuracies, average = PAPER[model]
    metrics = {"accuracy": mean_of("accuracy", 0.0, 100.0)}
    tasks = [
        Task(f"themis/{name}", 1, lambda _: [], lambda _: Generate(""), None, metrics)
        for name in TOOLS
    ]
    records = [
        record(task, str(number), {"accuracy": accuracy})
        for task, pairs, accuracy in zip(tasks, TOOLS.values(), accuracies, strict=True)
        for number in range(pairs)
    ]
    found = summarize(tasks, records, 1)["groups"]["themis"]["metrics"]
    assert found["accuracy (micro)"]["value"] == pytest.approx(average, abs=0.0051)
    assert found["accuracy (micro)"]["n"] == 1469
    assert found["accuracy (macro)"]["value"] == pytest.approx(np.mean(accuracies))


@pytest.fixture(scope="module")
def truthful(data_dir):
    return list(one(TRUTHFUL).samples(Data(data_dir)))


def measured(samples, reward, draws=1):
    """Give mc1 of a model with these rewards."""
    task = one(TRUTHFUL)
    rows = [
        record(task, each.id, dict(task.score(each, reward(each), Resources()).values), each.group)
        for each in samples
    ]
    return summarize([task], rows, draws)["tasks"][task.name]["metrics"]["mc1"]


def test_truthfulqa_has_817_questions_with_one_true_answer_each(truthful):
    assert len(truthful) == len({sample.id for sample in truthful}) == 4114
    true = [sample.group for sample in truthful if sample.data["label"]]
    assert len(true) == len(set(true)) == 817


def test_mc1_is_the_share_of_questions_whose_true_answer_is_liked_best(truthful):
    # 301 of 817 are the 36.8% that the paper prints for Themis.
    right = {f"themis/truthful_qa/{root}" for root in range(301)}

    def reward(sample):
        return Response(reward=float(bool(sample.data["label"]) == (sample.group in right)))

    found = measured(truthful, reward)
    assert round(100 * found["value"], 1) == 36.8
    assert found["low"] < 0.35
    assert found["high"] > 0.39


@pytest.mark.parametrize(
    ("reward", "value"),
    [
        (lambda sample: Response(reward=1.0), 0.0),  # a tie loses
        (lambda sample: Response(finish_reason="length"), 0.0),
        (lambda sample: Response(reward=-5.0 + sample.data["label"]), 1.0),
    ],
)
def test_ties_and_missing_rewards_are_wrong(reward, value, truthful):
    assert measured(truthful[:200], reward)["value"] == value


def test_a_missing_reward_of_any_answer_makes_a_question_wrong(truthful):
    def reward(sample):
        if sample.group.endswith("/0") and not sample.data["label"]:
            return Response(finish_reason="length")
        return Response(reward=float(sample.data["label"]))

    two = [sample for sample in truthful if sample.data["question"] in {0, 1}]
    assert measured(two, reward)["value"] == 0.5


def test_a_model_that_guesses_is_at_chance(truthful):
    noise = random.Random(3)
    found = measured(truthful, lambda _: Response(reward=noise.random()))
    chance = np.mean([1 / each.data["answers"] for each in truthful if each.data["label"]])
    assert found["low"] < chance < found["high"]


def test_a_question_that_a_limit_cuts_is_left_out(truthful):
    first = truthful[0].data["answers"]
    cut = truthful[: first + 1]
    assert measured(cut, lambda each: Response(reward=float(each.data["label"])))["value"] == 1
    half = truthful[: first - 1]
    assert measured(half, lambda each: Response(reward=1.0))["value"] is None


@given(st.data())
def test_mc1_is_that_of_a_plain_loop(data):
    drawn = []
    for question in range(data.draw(st.integers(1, 5))):
        size = data.draw(st.integers(2, 4))
        true = data.draw(st.integers(0, size - 1))
        rewards = [data.draw(st.integers(0, 3)) for _ in range(size)]
        known = [data.draw(st.sampled_from([1, 1, 1, 0])) for _ in range(size)]
        rows = [
            (question, size, at == true, known[at], rewards[at] * known[at]) for at in range(size)
        ]
        others = [reward for at, reward in enumerate(rewards) if at != true]
        right = all(known) and rewards[true] > max(others)
        drawn += [(rows, right)] * data.draw(st.integers(1, 3))
    rows = data.draw(st.permutations([row for rows, _ in drawn for row in rows]))
    assert themis.mc1(rows) == pytest.approx(np.mean([right for _, right in drawn]))


def test_a_damaged_file_is_one_line(tmp_path, monkeypatch):
    file = tmp_path / "themis_tarm" / themis.TRUTHFUL[0]
    file.parent.mkdir(parents=True)
    with pytest.raises(BenchError, match="no such file"):
        list(themis.truthful(Data(tmp_path)))
    for path in themis.TRUTHFUL:
        (tmp_path / "themis_tarm" / path).write_text(json.dumps({"id": "x", "root": 0}) + "\n")
    with pytest.raises(BenchError, match="content differs"):
        list(themis.truthful(Data(tmp_path)))
    monkeypatch.setattr(themis, "SOURCE", replace(themis.SOURCE, pins=dict))
    with pytest.raises(BenchError, match="a row has no 'question'"):
        list(themis.truthful(Data(tmp_path)))
