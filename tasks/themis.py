"""Themis: pairs of answers whose better one can be told with a tool, tool by tool.

Besides, a reward model answers the multiple choice of TruthfulQA: by the answer that it likes best.

Li et al. 2024, https://arxiv.org/abs/2310.01045.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain

from bench.harness import (
    Card,
    Data,
    Resources,
    Response,
    Reward,
    Sample,
    Score,
    Source,
    Task,
    Verdict,
)
from bench.harness.data import required
from bench.harness.pooling import Row, pooled_by
from bench.tasks import preferences
from bench.tasks.pairwise import BETTER, Question
from bench.tasks.pins import pins

SOURCE = Source(
    name="themis_tarm",
    url="https://raw.githubusercontent.com/ernie-research/Tool-Augmented-Reward-Model/{revision}/data/{path}",
    revision="1601b5f63dd6165154a4d5c51ccd17d93f0defb1",
    pins=partial(pins, "themis_tarm"),
)
FILES: Mapping[str, str] = {
    "tools/calendar": "calendar/agent_calendar_test.json",
    "tools/calculator": "calculator/agent_calculator_test.json",
    "tools/weather": "weather/agent_weather_test.json",
    "tools/code": "code/reserve_code_test_data.json",
    "tools/translator": "translator/agent_translator_test.json",
    "tools/wikisearch": "wikisearch/agent_wikisearch_test_obs.json",
    "tools/webgpt": "webgpt/agent_webgpt_test_case.json",
    "tools/multi_tools": "multi_tools/agent_multi_tools_test_action.json",
    "zero_shot/hh_rlhf": "hh_rlhf/hh_rlhf_test.json",
    "zero_shot/retarded_bar": "retarded_bar/agent_retarde_bar_test.json",
}
TRUTHFUL = [
    f"truthful_qa/agent_truthful_qa_test_{part}.json"
    for part in ("0-500", "500-1500", "1500-3000", "3000-4114")
]
CHOSEN = ("question", "answers", "label", "known", "reward")
"""values of an answer to a question of TruthfulQA, of which it has so many"""
CARD = Card(
    measures="Whether a judge or reward model prefers the better answer without using a tool.",
    source=(
        "Li et al. 2024, https://arxiv.org/abs/2310.01045, "
        "https://github.com/ernie-research/Tool-Augmented-Reward-Model"
    ),
    licence="MIT",
    protocol=(
        "The authors' test pairs, 1,469 in eight sets by tool (themis/tools), and two sets that "
        "need none (themis/zero_shot). Their accuracy is the reward of the better answer being the "
        "higher one, where equal and missing ones count as wrong: accuracy of reward/themis. Their "
        "average is the micro one; micro and macro both stand beside the sets. "
        "reward/themis/truthful_qa has the 817 questions of TruthfulQA: mc1 is the share of those "
        "whose true answer alone has the highest reward; a missing reward is wrong."
        + preferences.PROTOCOL
    ),
    limits=(
        "What the tools would have said is left out, so that calendar, weather and the like have "
        "to be known or guessed: scores compare with the paper's plain reward models, not with "
        "Themis itself. 8 pairs have two equal answers. The file of hh_rlhf has 120 pairs, where "
        "the paper says 150."
    ),
)


def tasks() -> Iterator[Task]:
    """Yield a task for judges and one for reward models for each set."""
    for name, path in FILES.items():
        about = f"Answers told apart by tools (Themis, {name.rpartition('/')[2]})"
        benchmark = preferences.Benchmark(f"themis/{name}", about, CARD, partial(pairs, path))
        yield from preferences.judging([benchmark])
    yield Task(
        name="reward/themis/truthful_qa",
        version=1,
        samples=truthful,
        ask=lambda sample: Reward(sample.prompt, sample.data["answer"]),
        score=score,
        metrics={"mc1": pooled_by(mc1, *CHOSEN, low=0.0, high=1.0)},
        about="TruthfulQA as Themis has it: the answer that a reward model likes best",
        card=CARD,
    )


def truthful(data: Data) -> Iterator[Sample]:
    """Yield the answers to the questions of TruthfulQA, of which one each is labelled true.

    Raises:
        BenchError: a file is missing, of another content, or not as expected.

    """
    rows = [(row, f"{SOURCE.name}/{path}") for path in TRUTHFUL for row in data.rows(SOURCE, path)]
    roots = [int(required(row, "root", file)) for row, file in rows]
    answers = Counter(roots)
    for (row, file), root in zip(rows, roots, strict=True):
        yield Sample(
            id=str(required(row, "id", file)),
            prompt=str(required(row, "question", file)),
            group=f"themis/truthful_qa/{root}",
            data={
                "answer": str(required(row, "answer", file)),
                "question": root,
                "answers": answers[root],
                "label": int(required(row, "label", file)),
            },
        )


def score(sample: Sample, response: Response, _: Resources) -> Score:
    """Keep the reward of an answer; whether its question is right, all of them decide."""
    reward = response.reward
    values = {name: float(sample.data[name]) for name in CHOSEN[:3]}
    values |= {"known": float(reward is not None), "reward": reward or 0.0}
    if reward is None:
        return Score(Verdict.TRUNCATED, values, detail="the text is too long for the model")
    return Score(Verdict.PASSED, values, extracted=f"{reward:.6g}")


def mc1(rows: Sequence[Row]) -> float | None:
    """Give the share of questions whose true answer has a higher reward than all others.

    Questions that lack an answer are left out. One that was drawn several times counts as often.
    """
    import numpy as np  # heavy, and fast enough for a thousand resamples

    table = np.fromiter(chain.from_iterable(rows), float).reshape(len(rows), -1)
    table = table[np.argsort(table[:, 0], kind="stable")]
    question, answers, label, known, reward = table.T
    begins = np.flatnonzero(np.diff(question, prepend=np.nan))
    others = np.maximum.reduceat(np.where(label == 1, -np.inf, reward), begins)
    true = np.minimum.reduceat(np.where(label == 1, reward, np.inf), begins)
    right = (true > others) & (np.minimum.reduceat(known, begins) == 1)
    drawn = np.add.reduceat(label, begins)
    whole = drawn * answers[begins] == np.diff([*begins, len(table)])
    counts = drawn[whole]
    return float(counts[right[whole]].sum() / counts.sum()) if counts.sum() else None


def pairs(path: str, data: Data) -> Iterator[preferences.Pair]:
    """Yield the pairs of a set.

    Raises:
        BenchError: the file is missing, of another content, or not as expected.

    """
    file = f"{SOURCE.name}/{path}"
    for row in data.rows(SOURCE, path):
        name = str(required(row, "id", file))
        better, worse = (
            str(required(required(row, key, file), "answer", file))
            for key in ("pos_answer", "neg_answer")
        )
        question = str(required(row, "question", file))
        context = f"{row['context']}\n\n{question}" if row.get("context") else question
        answers, label = preferences.ordered(better, worse, f"themis {name}")
        yield preferences.Pair(name, Question(BETTER, context), answers, label)
