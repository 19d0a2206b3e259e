"""The contract, kept by a real vLLM engine, and its answers beside those of transformers."""

import signal
import subprocess
import sys
from dataclasses import replace
from time import monotonic, sleep

import psutil
import pytest

from bench.harness import Chat, Generate, Message, RollingLogLikelihood, Sampling, choices
from bench.harness.core import LogLikelihood
from bench.harness.errors import BenchError
from bench.harness.models import contract
from bench.harness.models.names import open_model

pytestmark = pytest.mark.slow

SPEC = "vllm:smollm2?dtype=float32&max_model_len=2048&enforce_eager=true"
HI = Message("user", "What is the capital of France?")
SHOTS = "".join(f"Question: {n} plus {n}?\nAnswer: {2 * n}\n\n" for n in range(1, 9))
PROMPTS = [
    "The sun",
    "def add(a, b):\n    return",
    "Es war einmal",
    SHOTS + "Question: 9 plus 9?\nAnswer:",
]


@pytest.fixture(scope="module")
def engine():
    model = open_model(SPEC)
    yield model
    model.close()
    assert not descendants()


@pytest.fixture(scope="module")
def transformers():
    return open_model("hf:smollm2?dtype=float32")


def descendants(pid=None):
    me = psutil.Process(pid)
    return [
        p for p in me.children(recursive=True) if "resource_tracker" not in " ".join(p.cmdline())
    ]


@pytest.mark.parametrize("check", contract.CHECKS, ids=contract.name)
def test_contract(engine, check):
    check(contract.Subject(engine))


def test_log_likelihoods_are_those_of_transformers(engine, transformers):
    asked = [
        *(choices(prompt, (" is hot", " x", "", " 18", " 1")) for prompt in PROMPTS),
        *(choices(prompt, (" is hot and it is late", " x + y")) for prompt in PROMPTS),
        choices("", ("Once upon a time",)),
        choices("Trailing space  ", ("word", "two words")),
        choices((504, 4937), ((314, 2385), (314,))),
        LogLikelihood((("One context", " a"), ("Another one,", " b c"))),
        RollingLogLikelihood(SHOTS),
    ]
    for ours, theirs in zip(
        contract.ask(engine, *asked), contract.ask(transformers, *asked), strict=True
    ):
        assert ours.prompt_tokens == theirs.prompt_tokens
        for one, other in zip(ours.logprobs, theirs.logprobs, strict=True):
            assert (one.tokens, one.greedy) == (other.tokens, other.greedy)
            assert one.sum == pytest.approx(other.sum, abs=1e-3)


def test_what_the_cache_holds_is_weighed_all_the_same(engine):
    longer = SHOTS + "Question: 9 plus 9?\nAnswer: 18"
    asked = choices("Question", (longer.removeprefix("Question"), " of"))
    first, again = contract.ask(engine, asked)[0], contract.ask(engine, asked)[0]
    for one, other in zip(first.logprobs, again.logprobs, strict=True):
        assert one.sum == pytest.approx(other.sum, abs=1e-3)
        assert one.greedy == other.greedy


def test_greedy_texts_are_those_of_transformers(engine, transformers):
    asked = [Generate(prompt, Sampling(max_tokens=12)) for prompt in PROMPTS]
    asked.append(Chat((HI,), Sampling(max_tokens=12)))
    ours, theirs = contract.ask(engine, *asked), contract.ask(transformers, *asked)
    assert [(r.text, r.finish_reason) for r in ours] == [(r.text, r.finish_reason) for r in theirs]


def test_stop_strings_do_not_look_at_a_thought(engine):
    asked = Chat((HI,), Sampling(max_tokens=12), prefix="<think>")
    full = contract.ask(engine, asked)[0]
    assert full.thinking and not full.text
    stop = full.thinking[4:7]
    stopped = replace(asked, sampling=replace(asked.sampling, stop=(stop,)))
    assert contract.ask(engine, stopped)[0] == full


def test_what_vllm_refuses_fails_alone(engine):
    hot, other = contract.ask(
        engine,
        Generate("The sun", Sampling(max_tokens=2, temperature=9.0)),
        Generate("The sun", Sampling(max_tokens=2)),
    )
    assert "temperature" in hot.error and "\n" not in hot.error
    assert other.text


def test_long_prompts_are_drawn_for_together(engine):
    asked = [
        Generate(f"{n}: " + "the sun and the sea " * 60, Sampling(3, temperature=1.0, draw=n))
        for n in range(60)
    ]
    assert all(x.completion_tokens for x in contract.ask(engine, *asked))


def test_two_streams_share_an_engine(engine):
    first = engine.respond([Generate("The sun", Sampling(max_tokens=n)) for n in (1, 9)])
    begun = next(first)
    inner = contract.ask(engine, Generate("The sun", Sampling(max_tokens=3)))
    assert inner[0].completion_tokens == 3
    assert sorted(p for p, _ in (begun, *first)) == [0, 1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("quantization=fog", "Unknown quantization method: fog"),
        ("max_model_len=99999999", "max_model_len"),
    ],
)
def test_an_engine_that_does_not_start_is_one_line(options, said, capfd, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before, model = set(descendants()), open_model(f"vllm:smollm2?{options}")
    with pytest.raises(BenchError) as caught:
        contract.ask(model, Generate("The sun"))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not any(capfd.readouterr())
    assert set(descendants()) == before
    assert list(tmp_path.glob("bench-vllm-*.log"))


PROGRAM = f"""
from bench.harness import Generate, Sampling
from bench.harness.models.names import open_model
asked = [Generate("The sun", Sampling(max_tokens=n)) for n in (1, 1900)]
for _ in open_model({SPEC!r}).respond(asked):
    print("begun", flush=True)
"""


@pytest.mark.parametrize(("number", "answering"), [(signal.SIGINT, True), (signal.SIGKILL, False)])
def test_no_process_outlives_an_interrupt(number, answering):
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        if answering:
            assert program.stdout.readline() == "begun\n"
        else:
            wait_until(lambda: len(descendants(program.pid)) > 1)
        started = descendants(program.pid)
        assert started
        program.send_signal(number)
        program.wait()
        said = program.stderr.read()
    wait_until(lambda: not any(alive(process) for process in started))
    assert "KeyboardInterrupt" in said if answering else not said
    assert "vllm" not in said.replace("harness/models/vllm.py", "")


def alive(process):
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def wait_until(true, seconds=60):
    end = monotonic() + seconds
    while not true():
        assert monotonic() < end
        sleep(0.1)
