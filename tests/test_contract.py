"""The contract of all backends, kept by those that we bring along."""

import pytest
from http_models import Served, parrot, serving
from llama_servers import llama_server

from bench.harness import Generate, Response
from bench.harness.errors import BenchError
from bench.harness.models import contract
from bench.harness.models.names import open_model
from bench.harness.models.scripted import Scripted

# Not of gemma3: its context of 32,768 tokens and vocabulary of 262,144 make a window's logits larger
# than the memory. Nor of a model behind HTTP, which takes minutes: test_openai.py has its windows,
# and vLLM's own server is asked for them in test_vllm.py.
WEIGHING = tuple(
    check for check in contract.WEIGHING if check is not contract.weighs_a_text_of_any_length
)


def every(*checks):
    return pytest.mark.parametrize("check", checks, ids=contract.name)


@pytest.fixture(scope="module")
def transformers():
    return open_model("smollm2?dtype=float32")


@pytest.fixture(scope="module")
def behind_http():
    with serving(Served("smollm2?dtype=float32")) as address:
        yield open_model(f"openai:smollm2?base_url={address}")


@pytest.fixture(scope="module")
def llama():
    with llama_server("smollm2") as name:
        yield open_model(name)


@pytest.fixture(scope="module")
def gemma():
    return open_model("gemma3?dtype=float32")


@every(*contract.DELIVERY)
def test_scripted_delivers(check):
    check(contract.Subject(Scripted([{"text": "and so on"}])))


@every(*contract.DELIVERY)
def test_http_delivers(check):
    with serving(parrot) as address:
        check(contract.Subject(open_model(f"openai:parrot?base_url={address}")))


@pytest.mark.slow
@every(*contract.CHECKS)
def test_transformers_keeps_the_contract(check, transformers):
    check(contract.Subject(transformers))


@pytest.mark.slow
@every(*contract.DELIVERY, *contract.WRITING, *WEIGHING)
def test_a_base_model_keeps_the_contract(check, gemma):
    check(contract.Subject(gemma, too_long="word " * 40_000))


@pytest.mark.slow
@every(*contract.DELIVERY, *contract.WRITING, *WEIGHING, *contract.CHATTING)
def test_a_model_behind_http_keeps_the_contract(check, behind_http):
    check(contract.Subject(behind_http))


@pytest.mark.slow
@every(*contract.DELIVERY, *contract.WRITING, *contract.CHATTING)
def test_a_llama_server_keeps_the_contract(check, llama):
    check(contract.Subject(llama))


@pytest.mark.slow
@every(*contract.WEIGHING)
def test_a_llama_server_is_refused_where_it_cannot_weigh(check, llama):
    with pytest.raises(BenchError, match="gives no log-probabilities of prompts"):
        check(contract.Subject(llama))


class Broken:
    """A model that breaks its contract in one way."""

    name = "broken"
    has_chat_template = False

    def __init__(self, change):
        self._change = change

    def identity(self):
        return {}

    def respond(self, requests):
        return self._change(requests)


def each(text="and so on", finish="length", count=1, error=""):
    def respond(requests):
        for position, _ in enumerate(requests):
            yield from [(position, Response(text, finish, 3, 1, error=error))] * count

    return respond


def takes_all(requests):
    taken = [request for request, _ in zip(requests, range(contract.WINDOW + 9), strict=False)]
    for position, _ in enumerate(taken):
        yield position, Response("x", "stop")


@pytest.mark.parametrize(
    ("check", "change"),
    [
        (contract.answers_each_request_once, each(count=2)),
        (contract.answers_each_request_once, each(count=0)),
        (contract.answers_each_request_once, each(error="no")),
        (contract.answers_nothing_to_nothing, lambda _: iter([(0, Response("x", "stop"))])),
        (contract.takes_requests_as_it_needs_them, takes_all),
        (contract.ends_at_the_limit, each()),
        (contract.cuts_at_stop_strings, each()),
        (contract.cuts_at_the_earliest_of_many_stop_strings, each()),
        (contract.draws_by_seed, each()),
        (contract.keeps_characters_whole, each("\ufffd")),
        (contract.copes_with_an_empty_prompt, each("", "")),
        (contract.cuts_no_prompt, each()),
        (contract.survives_a_bad_request, each()),
        (contract.weighs_each_continuation, each()),
        (contract.weighs_no_cut_context, each()),
        (contract.answers_a_chat, each("")),
        (contract.goes_on_from_a_prefix, each("The capital of France is Paris")),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_checks_can_fail(check, change):
    with pytest.raises(contract.Broken):
        check(contract.Subject(Broken(change), too_long="x", bad=Generate("x")))
