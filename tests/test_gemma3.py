"""The second model of the catalogue: what its 4-bit file says to transformers and to llama.cpp."""

import pytest
from llama_servers import llama_server

from bench.harness import Chat, Generate, Message, Sampling, choices
from bench.harness.errors import BenchError
from bench.harness.models.names import open_model

pytestmark = pytest.mark.slow

PROMPTS = {
    "The three primary colors are": " red, blue, and yellow",
    "def add(a, b):\n    return": " a + b",
    "Question: What is 2 + 3?\nAnswer:": " 2 + 3 = 5",
    "Once upon a time, in a small village by the sea,": " there lived a",
    "Monday, Tuesday, Wednesday,": " Thursday, Friday",
}
SIGNS = [
    "  tabs\t and\n\n\nlines",
    "héllo wörld, 你好 мир",
    "🙂🙃 x\u200by",
    "1234567890 3.14",
    "x" * 70,
]


@pytest.fixture(scope="module")
def gemma():
    return open_model("gemma3?dtype=float32")


@pytest.fixture(scope="module")
def llama():
    with llama_server("gemma3") as name:
        yield open_model(name)


def ask(model, *requests):
    return [response for _, response in sorted(model.respond(requests), key=lambda pair: pair[0])]


def test_it_answers_sensibly(gemma):
    answers = ask(gemma, *(Generate(prompt, Sampling(12)) for prompt in PROMPTS))
    for wanted, answer in zip(PROMPTS.values(), answers, strict=True):
        assert answer.text.startswith(wanted)
    paris, rome = ask(gemma, choices("Paris is the capital city of", (" France", " Italy")))[
        0
    ].logprobs
    assert paris.sum > rome.sum + 2


def test_llama_cpp_writes_the_same(gemma, llama):
    asked = [Generate(prompt, Sampling(24)) for prompt in PROMPTS]
    pairs = zip(PROMPTS, ask(gemma, *asked), ask(llama, *asked), strict=True)
    for prompt, ours, theirs in pairs:
        if ours.text == theirs.text:
            continue
        # llama.cpp computes in 8 bits: it may part from us where two tokens are as good as equal.
        same = next(n for n in range(99) if ours.text[:n] != theirs.text[:n]) - 1
        start = ours.text[:same].rpartition(" ")[0]
        words = [text[len(start) :].split()[0] for text in (ours.text, theirs.text)]
        one, other = ask(gemma, choices(prompt + start, tuple(f" {x}" for x in words)))[0].logprobs
        assert abs(one.sum - other.sum) < 0.1, (ours.text, theirs.text)


def test_llama_cpp_counts_the_same_tokens(gemma, llama):
    asked = [Generate(text, Sampling(1)) for text in [*PROMPTS, *SIGNS]]
    ours, theirs = ask(gemma, *asked), ask(llama, *asked)
    assert [x.prompt_tokens for x in ours] == [x.prompt_tokens for x in theirs]


def test_it_is_no_chat_model(gemma):
    assert not gemma.has_chat_template
    with pytest.raises(BenchError, match=r"gemma3 has no chat template\. Run it with --no-chat\."):
        ask(gemma, Chat((Message("user", "Hello"),)))
