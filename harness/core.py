"""The nouns of the harness. Every class here is frozen, and none of them does any work."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol, TypeAlias

from bench.harness.data import Data


class Verdict(StrEnum):
    """How an answer ended. The list is closed."""

    PASSED = "passed"
    WRONG = "wrong"
    """an assertion or comparison failed"""
    COMPILE_ERROR = "compile_error"
    RUNTIME_ERROR = "runtime_error"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    OUTPUT_LIMIT = "output_limit"
    INCOMPLETE = "incomplete"
    """ended before its tests did"""
    NO_ANSWER = "no_answer"
    """nothing could be extracted"""
    TRUNCATED = "truncated"
    """the token limit was hit, and that decided the outcome"""
    REFUSED = "refused"
    JUDGE_UNPARSABLE = "judge_unparsable"
    INFRASTRUCTURE_ERROR = "infrastructure_error"
    """our own failure: retried, never scored, never dropped from n"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One item of a task, and what is needed to score an answer to it.

    Samples made from one source (a problem in 23 languages, a text with five typos)
    share a `group`; intervals and paired tests resample whole groups. An empty group
    means that the sample stands alone.
    """

    id: str
    prompt: str = ""
    target: str = ""
    group: str = ""
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to draw tokens. Temperature 0 is greedy; top_k 0 and top_p 1 cut nothing.

    `draw` counts the answers to one prompt. Whatever a backend's random numbers are, they
    follow from `seed`, `draw` and the prompt alone, never from the batch.
    """

    max_tokens: int = 512
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    stop: tuple[str, ...] = ()
    seed: int = 0
    draw: int = 0


Text: TypeAlias = str | tuple[int, ...]
"""what a model reads, as a string or as token ids"""


@dataclass(frozen=True, slots=True)
class Generate:
    """Continue a text, given as a string or as token ids."""

    prompt: Text
    sampling: Sampling = Sampling()


@dataclass(frozen=True, slots=True)
class Chat:
    """Answer a conversation.

    The answer starts with `prefix`, which the response leaves out and the scorer sees.
    """

    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class LogLikelihood:
    """Weigh continuations, each after its own context; a pair is all strings or all token ids."""

    pairs: tuple[tuple[Text, Text], ...]
    """(context, continuation)"""


def choices(context: Text, continuations: Iterable[Text]) -> LogLikelihood:
    """Give the request to weigh several continuations of one context."""
    return LogLikelihood(tuple((context, continuation) for continuation in continuations))


@dataclass(frozen=True, slots=True)
class RollingLogLikelihood:
    """Weigh a whole text, however long, from its first token on.

    What does not fit into the context is weighed in windows that follow one another, each token
    once, and the first token after the BOS token, as lm-evaluation-harness does for perplexity.
    """

    text: Text


@dataclass(frozen=True, slots=True)
class Reward:
    """Say how good an answer to a prompt is, in one number. Only reward models can."""

    prompt: str
    answer: str


Request: TypeAlias = Generate | Chat | LogLikelihood | RollingLogLikelihood | Reward


@dataclass(frozen=True, slots=True)
class LogProb:
    """The log-probability (natural logarithm) of one continuation."""

    sum: float
    tokens: int
    greedy: bool
    """whether greedy decoding would have written just this continuation"""


@dataclass(frozen=True, slots=True)
class Response:
    """What a model sent back: a text to Generate and Chat, `logprobs` to the others.

    `thinking` is what a model wrote to itself before its answer to a Chat; `text` leaves it out,
    and stop strings do not look at it. One that never came to its answer has no text.

    `finish_reason` is "stop" (end of sequence or a stop string, which the text leaves out)
    or "length" (the token limit, or a context too short for the prompt: then there is no text, and
    to LogLikelihood there are no `logprobs`). A RollingLogLikelihood gets a single entry of them.
    An `error` means that the model gave no answer, and asking again may help.
    """

    text: str = ""
    finish_reason: Literal["stop", "length", ""] = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    logprobs: tuple[LogProb, ...] = ()
    thinking: str = ""
    reward: float | None = None
    """to Reward: larger is better, on a scale of the model's own"""
    error: str = ""


class Tokenizer(Protocol):
    """What turns a text into the tokens that a model reads."""

    @property
    def size(self) -> int:
        """How many token ids there are."""
        ...

    def encode(self, text: str) -> tuple[int, ...]:
        """Give the tokens of a text as a prompt, after a BOS token where the model has one."""
        ...

    def encode_plain(self, text: str) -> tuple[int, ...]:
        """Give the tokens of a text and no others."""
        ...


class Model(Protocol):
    """Anything that answers requests. Opening one is cheap; weights load with the first request."""

    @property
    def name(self) -> str:
        """What the model is called in tables."""
        ...

    @property
    def has_chat_template(self) -> bool:
        """Whether it can answer a Chat."""
        ...

    def identity(self) -> Mapping[str, str]:
        """Give everything about the model that decides its answers, without loading weights."""
        ...

    def respond(self, requests: Iterable[Request]) -> Iterator[tuple[int, Response]]:
        """Yield (position, response) once for each request, in whatever order they finish.

        Requests are taken as they are needed, so that a long run holds only a window of them.
        """
        ...


@dataclass(frozen=True, slots=True)
class Program:
    """An answer in a programming language, and the tests that it has to pass.

    `calls` names the functions of the answer that the tests call.
    """

    language: str
    answer: str
    tests: str
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended. A failure of the sandbox itself raises InfrastructureError instead."""

    verdict: Verdict
    detail: str = ""
    seconds: float = 0.0
    """CPU time of the answer with its tests"""
    compile_seconds: float = 0.0
    """CPU time before that"""
    retries: int = 0
    """how often it was run again: for time, or for a sandbox that broke down"""


class Sandbox(Protocol):
    """Runs programs that a model wrote. Safe to call from many threads."""

    def identity(self, languages: Iterable[str]) -> Mapping[str, Any]:
        """Give the images, tool versions, limits and isolation profile that decide a verdict.

        "proofs" in it say by language whether its toolchain is "proven" on this host; they are
        recorded as well, but decide nothing.
        """
        ...

    def run(self, program: Program) -> Outcome:
        """Run a program against its tests."""
        ...

    def close(self) -> None:
        """Give back everything that was started."""
        ...


class Judge(Protocol):
    """A model that scorers ask. Safe to call from many threads."""

    @property
    def gives_rewards(self) -> bool:
        """Whether it is a reward model, which answers Reward and nothing else."""
        ...

    def ask(self, request: Request) -> Response:
        """Give the answer to a request, the same each time.

        Raises InfrastructureError where there is none.
        """
        ...

    def close(self) -> None:
        """Give up what is asked."""
        ...


@dataclass(frozen=True, slots=True)
class Resources:
    """All that a scorer may touch besides the sample and the response."""

    sandbox: Sandbox | None = None
    judge: Judge | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """The values of one answer by name, its verdict, what was extracted, and why."""

    verdict: Verdict
    values: Mapping[str, float] = field(default_factory=dict[str, float])
    extracted: str = ""
    detail: str = ""
    retries: int = 0
    """of the sandbox: see Outcome"""


@dataclass(frozen=True, slots=True)
class Metric:
    """Reduces the draws of one sample to one number; the task's value is the mean over samples.

    `of` names the value in each Score, `draws` says how many draws the reduction needs at least,
    `low` and `high` bound it (None: unbounded), which is what an unscored sample can be at worst
    and at best. `lower_is_better` where less of it is a better model, as of errors and attacks.

    With a `pool` the task's value is no mean but `pool(rows)`, as for perplexity, F1 or corpus
    BLEU: each sample gives a row of the values that `of` names, each of them reduced over its
    draws. A pool is called for a thousand resamples of the rows, in any order; it gives None where
    it is undefined, and `low` and `high` bound what it gives.
    """

    of: str | tuple[str, ...]
    reduce: Callable[[Sequence[float]], float]
    draws: int = 1
    low: float | None = 0.0
    high: float | None = 1.0
    pool: Callable[[Sequence[tuple[float, ...]]], float | None] | None = None
    lower_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number that never travels without its 95% interval. None: nothing could be scored."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    """samples, the unscored ones included"""


@dataclass(frozen=True, slots=True)
class Card:
    """What a user should know of a benchmark before its numbers are used."""

    measures: str
    source: str
    """paper and repository"""
    licence: str
    """of the data"""
    protocol: str
    """how it is asked and scored, and whose protocol that is"""
    limits: str
    """what the numbers do not show, and known faults of the data"""


@dataclass(frozen=True, slots=True)
class Task:
    """A benchmark: its samples, how to ask, how to score, which metrics.

    `ask` gives the completion form of a request, `chat` the chat form where there is one.
    `languages` are the programming languages that `score` runs in the sandbox. `gold` gives a right
    answer in completion form, where one is known.

    `examples` are samples that may stand, with their gold answers, before a question (few-shot):
    as many as the run says, else `fewshot` of them, the first ones first. In completion form
    `preamble` comes before them all, once. A task without `examples` has put `fewshot` of them into
    its prompts itself, and a run cannot change that.

    Besides the groups that its name says, a task may belong to one group for each way of dividing
    its benchmark: `groups` gives them by that way, {"language family": "xl/*/Slavic"}. `baseline`
    names the task that it is compared with on the samples of the same group, where both are run.

    `reword` applies a function to the parts of a sample that are its question in words, and to
    nothing that decides how it is scored; the function takes words to keep besides. `tokens` turns
    the request, as it is rendered, into token ids, for benchmarks of what no text can say.
    """

    name: str
    version: int
    samples: Callable[[Data], Iterable[Sample]]
    ask: Callable[[Sample], Request]
    score: Callable[[Sample, Response, Resources], Score]
    metrics: Mapping[str, Metric]
    chat: Callable[[Sample], Chat] | None = None
    languages: tuple[str, ...] = ()
    gold: Callable[[Sample], str | None] | None = None
    reword: Callable[[Sample, Callable[..., str]], Sample] | None = None
    tokens: Callable[[Sample, Request, Tokenizer], Request] | None = None
    judged: bool = False
    """whether `score` asks a judge"""
    examples: Callable[[Data], Iterable[Sample]] | None = None
    fewshot: int = 0
    preamble: str = ""
    groups: Mapping[str, str] = field(default_factory=dict[str, str])
    baseline: str = ""
    about: str = ""
    """one line: what it measures, and where it comes from"""
    card: Card | None = None
