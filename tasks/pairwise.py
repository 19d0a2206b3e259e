"""Which of two answers is better: a judge is asked in both orders, and disagreement is a tie.

A judge that writes replies with one letter and nothing else. A reward model weighs each answer by
itself, so that no order is asked of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.harness import Chat, Message, Metric, Response, Reward, Sampling, Verdict
from bench.harness.core import Judge
from bench.harness.errors import BenchError
from bench.harness.pooling import Row, pooled_by
from bench.harness.stats import mean_of

TIE = 0
UNREAD = -1
"""what was said, where it cannot be read; 1 and 2 are the first and the second answer"""
JUDGING = Sampling(max_tokens=1024, stop=("\n",))
"""one line, with room for a model that thinks before it"""
AROUND = " \t\r\n.\"'*`()[]"
"""what may stand around a letter"""
TEMPLATE = """{criterion}

=== Prompt ===
{context}

=== Answer A ===
{first}

=== Answer B ===
{second}

=== End ===
Reply with one letter, A or B."""
BETTER = "Judge which of two answers to a prompt is better: more helpful, correct and to the point."
CRITERIA: Mapping[str, str] = {
    "overall": "Judge which of two summaries is better, all in all.",
    "relevance": (
        "Judge which of two summaries is more relevant: it holds what matters in the text, and "
        "leaves out what does not."
    ),
    "coherence": (
        "Judge which of two summaries is more coherent: its sentences follow from one another and "
        "make one well-ordered whole."
    ),
    "consistency": (
        "Judge which of two summaries is more consistent with the text: it claims only what the "
        "text supports."
    ),
    "fluency": (
        "Judge which of two summaries is more fluent: each of its sentences is well formed and "
        "easy to read."
    ),
}


@dataclass(frozen=True, slots=True)
class Question:
    """What two answers are compared in: the prompt that they answer, and what makes one better."""

    criterion: str
    context: str

    def prompt(self, first: str, second: str) -> str:
        """Ask for the better of two answers, in this order."""
        return TEMPLATE.format(
            criterion=self.criterion, context=self.context, first=first, second=second
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of one answer beside another."""

    said: int
    """1: it is better; 2: the other one is; TIE; UNREAD"""
    first_place: float | None
    """how often the answer that stood first was preferred, in the two orders; None where that is
    not known: nothing was asked, or one of the replies could not be read"""
    unread: float
    """share of what was said that could not be read"""
    words: tuple[str, ...]


def read(reply: str) -> int:
    """Give 1 for a reply that is the letter A, 2 for B, and UNREAD for anything else.

    >>> [read(reply) for reply in ("A", " **B**.", "Answer A", "a", "")]
    [1, 2, -1, -1, -1]
    """
    return {"A": 1, "B": 2}.get(reply.strip(AROUND), UNREAD)


def settled(given: int, swapped: int) -> int:
    """Give the better answer by its place in the given order, of the places named in both orders.

    >>> [settled(1, 2), settled(2, 1), settled(1, 1), settled(1, UNREAD)]
    [1, 2, 0, -1]
    """
    if UNREAD in (given, swapped):
        return UNREAD
    return TIE if given == swapped else given


def compare(judge: Judge, question: Question, one: str, other: str) -> Comparison:
    """Ask a judge about an answer beside another one; one that is empty loses unasked.

    A reward that is missing, because the text is too long for the model, cannot be read.
    """
    if not one or not other:
        return Comparison(preferred(bool(one), bool(other)), None, 0.0, ())
    if judge.gives_rewards:
        return _by_rewards(judge, question, one, other)
    words = tuple(
        judge.ask(Chat((Message("user", question.prompt(*pair)),), JUDGING)).text
        for pair in ((one, other), (other, one))
    )
    given, swapped = map(read, words)
    said = settled(given, swapped)
    first = None if said == UNREAD else ((given == 1) + (swapped == 1)) / 2
    return Comparison(said, first, [given, swapped].count(UNREAD) / 2, words)


def _by_rewards(judge: Judge, question: Question, one: str, other: str) -> Comparison:
    rewards = [judge.ask(Reward(question.context, text)).reward for text in (one, other)]
    said = preferred(*rewards)
    words = tuple("" if reward is None else f"{reward:.6g}" for reward in rewards)
    first = None if said == UNREAD else 0.5  # whichever is better stands first once
    return Comparison(said, first, rewards.count(None) / 2, words)


def preferred(one: float | None, other: float | None) -> int:
    """Give the answer with the higher reward: 1, 2, TIE, or UNREAD where one is missing."""
    if one is None or other is None:
        return UNREAD
    return TIE if one == other else 1 if one > other else 2


def needs_words(judge: Judge, name: str) -> None:
    """Refuse a reward model where a judge is asked more than which answer is better."""
    if judge.gives_rewards:
        raise BenchError(
            f"{name} asks its judge about several criteria, and a reward model has one. Give a "
            "language model as --judge."
        )


def values(prefix: str, comparison: Comparison) -> dict[str, float]:
    """Give the values that `metrics` reduces; what could not be read is not scored."""
    found = {f"{prefix}unread": comparison.unread}
    if comparison.first_place is not None:
        found[f"{prefix}first_place"] = comparison.first_place
    said = comparison.said
    if said == UNREAD:
        return found
    return found | {
        f"{prefix}win_rate": {1: 1.0, 2: 0.0, TIE: 0.5}[said],
        f"{prefix}win": float(said == 1),
        f"{prefix}tie": float(said == TIE),
        f"{prefix}lose": float(said == 2),
    }


def verdict(said: Sequence[int], response: Response) -> Verdict:
    """Give the verdict of a written answer: passed where the other one is nowhere better."""
    if UNREAD in said:
        return Verdict.JUDGE_UNPARSABLE
    if 2 not in said:
        return Verdict.PASSED
    if response.finish_reason == "length":
        return Verdict.TRUNCATED
    return Verdict.WRONG if response.text.strip() else Verdict.NO_ANSWER


def told(found: Mapping[str, Comparison]) -> str:
    """Give what a judge said, by criterion."""
    return "; ".join(
        f"{criterion}: {' / '.join(repr(word[:40]) for word in comparison.words)}"
        for criterion, comparison in found.items()
        if comparison.words
    )


def metrics(prefix: str = "") -> dict[str, Metric]:
    """Give the win rate (win + tie / 2), its parts, and how far the judge can be trusted.

    `first_place` is the judge's position bias: 0.5 for one that has none. Its interval leaves open
    what the judge would have said of pairs with an empty answer, which it is not asked about.
    """
    names = ("win_rate", "win", "tie", "lose", "first_place", "unread")
    return {f"{prefix}{name}": mean_of(f"{prefix}{name}") for name in names}


def length_control(prefix: str = "") -> Metric:
    """Give the win rate that answers as long as the other side's would have.

    A sample's value `longer` says by how many characters its answer is the longer one.
    """
    return pooled_by(at_equal_length, f"{prefix}win_rate", "longer", low=0.0, high=1.0)


def at_equal_length(rows: Sequence[Row]) -> float:
    """Give the chance to win at no difference in length, by a logistic regression on it.

    The regression of AlpacaEval 2 (Dubois et al. 2024, arXiv:2404.04475) with its terms for the
    model and for length, tanh(difference / standard deviation). Its term for how hard each prompt
    is needs the answers of many models. The term for length is regularized (L2), so that a length
    that decides everything has a finite one.
    """
    import numpy as np  # heavy
    from scipy.optimize import minimize
    from scipy.special import expit

    won, longer = np.array(rows, dtype=float).T
    spread = longer.std()
    if not spread or won.min() == won.max():
        return float(won.mean())
    length = np.tanh(longer / spread)

    def loss(weights: "np.typing.NDArray[np.float64]") -> tuple[float, list[float]]:
        chance = weights[0] + weights[1] * length
        off = expit(chance) - won
        total = (np.logaddexp(0, chance) - won * chance).sum() + weights[1] ** 2 / 2
        return float(total), [float(off.sum()), float(off @ length + weights[1])]

    return float(expit(minimize(loss, np.zeros(2), jac=True, method="BFGS").x[0]))
