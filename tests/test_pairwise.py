"""Pairs of answers: asked in both orders and counted by hand."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score

from bench.harness import Resources, Response, Sample, Verdict, registry
from bench.harness.judging import OpenJudge, asked
from bench.harness.models.scripted import Scripted
from bench.harness.stats import estimate
from bench.tasks import agreement, pairwise, preferences
from bench.tasks.pairwise import TIE, UNREAD, Question

QUESTION = Question("Judge.", "What is the capital of France?")


class Told:
    """A judge that answers by a function of the request."""

    def __init__(self, answer, gives_rewards=False):
        self.answer = answer
        self.gives_rewards = gives_rewards
        self.requests = []

    def ask(self, request):
        self.requests.append(request)
        return self.answer(request)

    def close(self):
        pass


def writes(text, finish_reason="stop"):
    return Told(lambda _: Response(text, finish_reason))


def prefers(answer):
    """A judge that knows the better answer wherever it stands."""

    def reply(request):
        text = request.messages[0].text
        first, _ = text.split("=== Answer B ===")
        return Response("A" if answer in first.split("=== Answer A ===")[1] else "B")

    return Told(reply)


@pytest.mark.parametrize("reply", ["A", " A\n", "**A**", '"A".', "(A)", "[A]", "`A`"])
def test_one_letter_is_read(reply):
    assert pairwise.read(reply) == 1


@pytest.mark.parametrize(
    "reply",
    [
        "",
        " ",
        "a",
        "AB",
        "A or B",
        "Answer A",
        "A is better",
        "C",
        "AA",
        "\N{GREEK CAPITAL LETTER ALPHA}",
        "tie",
    ],
)
def test_anything_else_is_not(reply):
    assert pairwise.read(reply) == UNREAD


def test_both_orders_are_asked_and_the_better_answer_wins_from_either_place():
    judge = prefers("Paris")
    found = pairwise.compare(judge, QUESTION, "Paris", "Lyon")
    assert (found.said, found.first_place, found.unread) == (1, 0.5, 0.0)
    one, other = (request.messages[0].text for request in judge.requests)
    assert one.index("Paris") < one.index("Lyon")
    assert other.index("Lyon") < other.index("Paris")
    assert QUESTION.context in one
    assert pairwise.compare(judge, QUESTION, "Lyon", "Paris").said == 2


@pytest.mark.parametrize(("letter", "first"), [("A", 1.0), ("B", 0.0)])
def test_a_judge_that_goes_by_place_makes_ties_and_shows_its_bias(letter, first):
    found = pairwise.compare(writes(letter), QUESTION, "Paris", "Lyon")
    assert (found.said, found.first_place, found.unread) == (TIE, first, 0.0)


@pytest.mark.parametrize(
    ("text", "finish"),
    [("", "stop"), ("I would say that A is better.", "stop"), ("and so on " * 999, "length")],
)
def test_a_bad_judge_is_counted_and_nothing_is_scored(text, finish):
    found = pairwise.compare(writes(text, finish), QUESTION, "Paris", "Lyon")
    assert (found.said, found.first_place, found.unread) == (UNREAD, None, 1.0)
    assert pairwise.values("", found) == {"unread": 1.0}
    assert pairwise.verdict([found.said], Response("x", "stop")) is Verdict.JUDGE_UNPARSABLE


def test_one_unread_order_is_enough_to_leave_a_pair_unscored():
    replies = iter(["A", "well"])
    found = pairwise.compare(Told(lambda _: Response(next(replies))), QUESTION, "x", "y")
    assert (found.said, found.unread) == (UNREAD, 0.5)


def test_an_empty_answer_loses_unasked():
    judge = writes("A")
    assert pairwise.compare(judge, QUESTION, "", "Lyon").said == 2
    assert pairwise.compare(judge, QUESTION, "Paris", "").said == 1
    assert pairwise.compare(judge, QUESTION, "", "").said == TIE
    assert not judge.requests


def test_what_was_not_asked_tells_nothing_of_the_place():
    judge = writes("A")
    asked = pairwise.compare(judge, QUESTION, "Paris", "Lyon")
    unasked = pairwise.compare(judge, QUESTION, "", "Lyon")
    assert "first_place" not in pairwise.values("", unasked)
    assert pairwise.values("", unasked)["lose"] == 1
    column = [pairwise.values("", each).get("first_place") for each in (asked, unasked)]
    assert estimate(column, ["a", "b"]).value == 1  # the judge always named the first


@pytest.mark.parametrize(
    ("rewards", "said"),
    [((1.0, 0.5), 1), ((-2.0, 0.0), 2), ((0.5, 0.5), TIE), ((None, 1.0), UNREAD)],
)
def test_a_reward_model_weighs_each_answer_by_itself(rewards, said):
    by_answer = dict(zip(("Paris", "Lyon"), rewards, strict=True))
    judge = Told(lambda request: Response(reward=by_answer[request.answer]), gives_rewards=True)
    found = pairwise.compare(judge, QUESTION, "Paris", "Lyon")
    assert found.said == said
    assert [request.prompt for request in judge.requests] == [QUESTION.context] * 2
    assert found.first_place == (None if said == UNREAD else 0.5)


def test_win_rate_counts_a_tie_as_half_a_win():
    said = [1, 1, 1, TIE, TIE, 2]  # 3 wins, 2 ties, 1 loss: (3 + 1) / 6
    rows = [pairwise.values("", pairwise.Comparison(one, 0.5, 0.0, ())) for one in said]
    means = {name: math.fsum(row[name] for row in rows) / 6 for name in rows[0]}
    assert means["win_rate"] == pytest.approx(4 / 6)
    assert (means["win"], means["tie"], means["lose"]) == pytest.approx((3 / 6, 2 / 6, 1 / 6))


@given(st.lists(st.sampled_from([1, 2, UNREAD]), min_size=2, max_size=2))
def test_the_other_side_gets_the_opposite(places):
    one, other = pairwise.settled(*places), pairwise.settled(*places[::-1])
    assert {one, other} in ({1, 2}, {TIE}, {UNREAD})


def outcomes(seed, size=300):
    rng = random.Random(seed)
    rows = []
    for _ in range(size):
        longer = rng.gauss(40, 100)
        chance = 1 / (1 + math.exp(-0.4 - longer / 80))
        rows.append((rng.choices([1.0, 0.5, 0.0], [chance, 0.3, 1 - chance])[0], longer))
    return rows


@pytest.mark.parametrize("seed", range(3))
def test_length_control_equals_scikit_learn(seed):
    rows = outcomes(seed)
    won, longer = np.array(rows).T
    length = np.tanh(longer / longer.std())[:, None]
    doubled = np.concatenate([length, length])  # a tie is half a win and half a loss
    labels = np.repeat([1, 0], len(rows))
    fitted = LogisticRegression(tol=1e-10, max_iter=1000).fit(
        doubled, labels, sample_weight=np.concatenate([won, 1 - won])
    )
    expected = fitted.predict_proba([[0.0]])[0, 1]
    found = pairwise.at_equal_length(rows)
    assert found == pytest.approx(expected, abs=1e-4)
    assert found < won.mean() - 0.02  # some of the wins were length


def test_length_control_leaves_a_win_rate_that_length_does_not_explain():
    rows = [(1.0, 10.0), (1.0, -10.0), (0.0, 10.0), (0.0, -10.0), (1.0, 10.0), (1.0, -10.0)]
    assert pairwise.at_equal_length(rows) == pytest.approx(4 / 6, abs=1e-6)
    assert pairwise.at_equal_length([(1.0, 5.0), (1.0, 9.0)]) == 1.0
    assert pairwise.at_equal_length([(0.5, 3.0), (0.5, 3.0)]) == 0.5


def test_a_length_that_decides_everything_has_a_finite_weight():
    rows = [(1.0, 50.0)] * 20 + [(0.0, -50.0)] * 20
    assert pairwise.at_equal_length(rows) == pytest.approx(0.5, abs=1e-6)


def test_kappa_equals_published_examples():
    # Two readers of 50 proposals, both yes 20, both no 15: kappa 0.4 (a common textbook table).
    table = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    assert agreement.kappa(table) == pytest.approx(0.4)
    # The example of scikit-learn's documentation.
    ones, others = (0, 1, 0, 2, 1), (0, 1, 0, 2, 0)
    assert agreement.kappa(list(zip(ones, others, strict=True))) == pytest.approx(0.6875)


def judged(said_in_orders):
    """Give the rows of pairs: the answer named in each order, and the label."""
    return [
        (number, swapped, said, label)
        for number, (*orders, label) in enumerate(said_in_orders)
        for swapped, said in enumerate(orders)
    ]


def test_agreement_and_kappa_of_a_judge_are_those_of_its_settled_pairs():
    pairs = [(1, 1, 1), (2, 2, 1), (1, 2, 2), (2, 2, 2), (1, UNREAD, 1), (2, 1, 0), (1, 1, 1)]
    rows = judged(pairs)
    random.Random(1).shuffle(rows)
    settled = sorted(preferences.decided(rows))
    said = [1, 2, TIE, 2, UNREAD, TIE, 1]
    labels = [1, 1, 2, 2, 1, 0, 1]
    assert settled == sorted(zip(said, labels, strict=True))
    metrics = preferences.JUDGE_METRICS
    assert metrics["agreement"].pool(rows) == pytest.approx(4 / 7)
    assert metrics["kappa"].pool(rows) == pytest.approx(cohen_kappa_score(said, labels))
    assert metrics["consistent"].pool(rows) == pytest.approx(4 / 7)
    assert metrics["worse_than_chance"].pool(rows) == 0.0
    assert metrics["accuracy"].pool([row[2:] for row in rows]) == pytest.approx(8 / 12)


def test_a_judge_that_is_worse_than_chance_is_called_so():
    rows = judged([(2, 2, 1), (1, 1, 2)] * 4 + [(1, 1, 1)])
    metrics = preferences.JUDGE_METRICS
    assert metrics["kappa"].pool(rows) < 0
    assert metrics["worse_than_chance"].pool(rows) == 1.0


def test_a_pair_that_is_drawn_twice_counts_twice_and_half_a_pair_not_at_all():
    rows = judged([(1, 1, 1), (2, 2, 1)])
    assert preferences.decided(rows + rows[:2]).count((1, 1)) == 2
    assert preferences.decided(rows[:3]) == [(1, 1)]
    assert preferences.JUDGE_METRICS["agreement"].of == preferences.JUDGED


def test_rewards_decide_strictly_and_a_missing_one_agrees_with_nothing():
    weighed = [
        row
        for number, (one, other, label) in enumerate(
            [(2.0, 1.0, 1), (2.0, 1.0, 2), (1.0, 1.0, 1), (None, 1.0, 2), (0.0, 3.0, 2)]
        )
        for row in (
            (number, 0, float(one is not None), one or 0.0, label),
            (number, 1, 1.0, other, label),
        )
    ]
    metrics = preferences.REWARD_METRICS
    assert metrics["agreement"].pool(weighed) == pytest.approx(2 / 5)
    assert metrics["accuracy"].pool(weighed) == pytest.approx(2 / 5)
    assert metrics["tie"].pool(weighed) == pytest.approx(1 / 5)


def test_bad_scripted_judges_end_as_verdicts(tmp_path):
    [task] = registry.select("scitldr/judged")
    data = {"text": "A text.", "references": ["A reference."]}
    sample = Sample("1", "Summarize. A text.", "A reference.", data=data)
    response = Response("A short summary.", "stop")
    for number, (row, verdict) in enumerate(
        [
            ({"text": "Both are fine, but A is better."}, Verdict.JUDGE_UNPARSABLE),
            ({"text": ""}, Verdict.JUDGE_UNPARSABLE),
            ({"text": "A " * 2000, "finish_reason": "length"}, Verdict.JUDGE_UNPARSABLE),
            ({"text": "B"}, Verdict.PASSED),  # a tie
        ]
    ):
        model, folder = Scripted([row]), tmp_path / str(number)
        folder.mkdir()
        with asked(OpenJudge(model.identity(), model), folder) as judge:
            score = task.score(sample, response, Resources(None, judge))
        assert score.verdict is verdict
        assert score.values["unread"] == (verdict is Verdict.JUDGE_UNPARSABLE)
        assert ("win_rate" in score.values) == (verdict is Verdict.PASSED)
