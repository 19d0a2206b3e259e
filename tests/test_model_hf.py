"""What the transformers backend does with checkpoints of every sort, shown on tiny ones."""

import json
import shutil
import socket
import subprocess
import sys
from functools import cache

import pytest
from tiny_models import CONTEXT, TEMPLATE, WORDS, ask, gpt2, llama, save, spaced_tokenizer

from bench.harness import Chat, Generate, Message, Sampling, choices
from bench.harness.errors import BenchError
from bench.harness.models.names import open_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save(tmp_path_factory.mktemp("tiny"), llama())


@pytest.fixture(scope="module")
def tiny(folder):
    return open_model(str(folder))


@cache
def network_of(folder):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype="float32")


def direct(folder, ids):
    """Give the log-probabilities after each token, computed on one text alone."""
    import torch

    with torch.inference_mode():
        return network_of(folder)(torch.tensor([ids])).logits[0].log_softmax(-1)


def test_log_likelihoods_equal_a_direct_computation(folder, tiny):
    context, long, short = (5, 6, 7, 8), (9, 10, 11, 12, 13), (40,)
    padding = choices(tuple(range(3, 40)), ((50, 51),))
    answer = ask(tiny, choices(context, (long, short)), padding)[0]
    for continuation, found in zip((long, short), answer.logprobs, strict=True):
        logprobs = direct(folder, context + continuation)
        wanted = sum(logprobs[3 + n, token].item() for n, token in enumerate(continuation))
        assert found.sum == pytest.approx(wanted, abs=1e-3)
        assert found.tokens == len(continuation)


def test_the_probabilities_of_all_tokens_sum_to_one(tiny):
    from math import exp

    answer = ask(tiny, choices((5, 6, 7), tuple((token,) for token in range(120))))[0]
    assert sum(exp(x.sum) for x in answer.logprobs) == pytest.approx(1, abs=1e-4)
    assert sum(x.greedy for x in answer.logprobs) == 1


def test_token_ids_and_text_are_the_same_prompt(folder, tiny):
    ids = tuple(spaced_tokenizer()(WORDS)["input_ids"])
    sampling = Sampling(8, temperature=1.0)
    assert len({*ask(tiny, Generate(WORDS, sampling), Generate(ids, sampling))}) == 1
    weighed = ask(tiny, choices(WORDS, ("",)))[0]
    assert weighed.prompt_tokens == len(ids)


AT_ONCE = """
import sys, threading
from bench.harness import Generate, Sampling
from bench.harness.models.names import open_model

def ask():
    barrier.wait()
    [(_, response)] = open_model(sys.argv[1]).respond([Generate((5, 6), Sampling(1))])
    assert not response.error

barrier = threading.Barrier(4)
threads = [threading.Thread(target=ask) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_models_can_be_loaded_at_the_same_time(folder):
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE, str(folder)], check=False, capture_output=True, text=True
    )
    assert "Error" not in done.stderr


def test_text_keeps_the_space_that_follows_the_prompt(folder, tiny):
    tokenizer = spaced_tokenizer()
    pieces = tokenizer.convert_ids_to_tokens(range(120))
    prompt, token = next(
        ((5, last), after)
        for last in range(3, 120)
        if (pieces[after := direct(folder, (5, last))[-1].argmax().item()] or "").startswith("▁t")
    )
    answer, stopped = ask(
        tiny, Generate(prompt, Sampling(1)), Generate(prompt, Sampling(9, stop=(" t",)))
    )
    assert answer.text == pieces[token].replace("▁", " ")
    assert (stopped.text, stopped.completion_tokens) == ("", 1)


def test_a_prompt_that_does_not_fit_is_refused_whole(tiny):
    fits, full, long = (tuple([5] * size) for size in (CONTEXT - 3, CONTEXT, CONTEXT + 9))
    answers = ask(tiny, *(Generate(ids, Sampling(20)) for ids in (fits, full, long)))
    assert [answer.finish_reason for answer in answers] == ["length"] * 3
    assert [answer.completion_tokens for answer in answers] == [3, 0, 0]
    assert [answer.prompt_tokens for answer in answers] == [CONTEXT - 3, CONTEXT, CONTEXT + 9]
    most, over = ask(tiny, choices(full, ((6,),)), choices(full, ((6,), (6, 7))))
    assert len(most.logprobs) == 1
    assert over.logprobs == () and over.finish_reason == "length"


def test_a_batch_never_runs_past_the_positions_of_a_network(tmp_path):
    model = open_model(str(save(tmp_path, gpt2())))
    asked = [Generate((5,) * size, Sampling(40)) for size in (3, 44, 20, 46, 1)]
    together = ask(model, *asked)
    assert together == [ask(model, request)[0] for request in asked]
    assert together[3].completion_tokens <= 2


def test_the_checkpoints_own_sampling_does_not_leak_in(tmp_path, tiny):
    leaky = {"do_sample": True, "temperature": 9.0, "repetition_penalty": 3.0, "min_new_tokens": 5}
    model = open_model(str(save(tmp_path, llama(), no_repeat_ngram_size=1, **leaky)))
    asked = [Generate(WORDS, Sampling(20)), Generate(WORDS, Sampling(20, 1.0, top_k=5))]
    assert ask(model, *asked) == ask(tiny, *asked)


def test_end_tokens_of_the_generation_config_are_kept(tmp_path, folder, tiny):
    ids = (5, 6, 7)
    end = direct(folder, ids)[-1].argmax().item()
    network = llama()
    save(tmp_path, network)
    config = json.loads((tmp_path / "generation_config.json").read_text())
    (tmp_path / "generation_config.json").write_text(
        json.dumps(config | {"eos_token_id": [2, end]})
    )
    stopped = ask(open_model(str(tmp_path)), Generate(ids, Sampling(20)))[0]
    assert (stopped.text, stopped.finish_reason, stopped.completion_tokens) == ("", "stop", 1)
    assert ask(tiny, Generate(ids, Sampling(20)))[0].completion_tokens > 1


def test_a_special_token_can_be_a_stop_string(tmp_path, folder):
    ids = (5, 6, 7)
    end = direct(folder, ids)[-1].argmax().item()
    copy = shutil.copytree(folder, tmp_path / "special")
    tokenizer = json.loads((copy / "tokenizer.json").read_text())
    piece = next(piece for piece, number in tokenizer["model"]["vocab"].items() if number == end)
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    tokenizer["added_tokens"].append({"id": end, "content": piece, "special": True, **flags})
    (copy / "tokenizer.json").write_text(json.dumps(tokenizer))
    stop, unknown = (Generate(ids, Sampling(9, stop=(text,))) for text in (piece, "<unk> "))
    stopped, on = ask(open_model(str(copy)), stop, unknown)
    assert (stopped.text, stopped.finish_reason, stopped.completion_tokens) == ("", "stop", 1)
    assert on.completion_tokens == 9


def test_a_text_begins_with_bos_once_where_the_tokenizer_says_so(tmp_path, folder, tiny):
    from tokenizers import processors

    copy = shutil.copytree(folder, tmp_path / "begun")
    tokenizer = spaced_tokenizer()
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    tokenizer.chat_template = "<s>" + TEMPLATE
    tokenizer.save_pretrained(copy)
    ids = tuple(spaced_tokenizer()("the fox")["input_ids"])
    begun = open_model(str(copy))
    asked = [Generate(text, Sampling(3)) for text in ("the fox", "<s>the fox", (1, *ids), "")]
    answers = ask(begun, *asked, choices("the fox", (" and",)))
    assert [answer.prompt_tokens for answer in answers] == [len(ids) + 1] * 3 + [1, len(ids) + 1]
    assert answers[0].text == answers[2].text
    bare = ask(tiny, choices((1, *ids), (tuple(spaced_tokenizer()("and")["input_ids"]),)))[0]
    assert answers[4].logprobs[0].sum == pytest.approx(bare.logprobs[0].sum, abs=1e-3)


def test_identity_follows_the_content_and_not_the_place(tmp_path, folder):
    before = open_model(str(folder)).identity()
    moved = shutil.copytree(folder, tmp_path / "elsewhere" / folder.name)
    assert open_model(str(moved)).identity() == before
    config = moved / "tokenizer_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"chat_template": TEMPLATE}))
    other = shutil.copytree(moved, tmp_path / "other" / folder.name)
    changed = open_model(str(other))
    assert changed.has_chat_template and not open_model(str(folder)).has_chat_template
    assert changed.identity()["revision"] != before["revision"]
    assert changed.identity()["chat_template"] != before["chat_template"]


def test_dtype_is_the_checkpoints_unless_it_is_given(tmp_path, folder):
    import torch

    assert open_model(f"{folder}").identity()["dtype"] == "float32"
    assert open_model(f"hf:{folder}?dtype=bfloat16").identity()["dtype"] == "bfloat16"
    save(tmp_path, llama().to(torch.bfloat16))
    assert open_model(str(tmp_path)).identity()["dtype"] == "bfloat16"
    config = tmp_path / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"dtype": None}))
    assert open_model(str(tmp_path)).identity()["dtype"] == "bfloat16"


def test_a_chat_needs_a_template(tiny):
    with pytest.raises(BenchError, match=r"has no chat template. Run it with --no-chat"):
        ask(tiny, Chat((Message("user", "Hi"),)))


def test_a_template_that_refuses_a_conversation_is_named(tmp_path, folder):
    copy = shutil.copytree(folder, tmp_path / "strict")
    (copy / "chat_template.jinja").write_text("{{ raise_exception('no system turn') }}")
    with pytest.raises(BenchError, match=r"strict: its chat template refuses .*no system turn"):
        ask(open_model(str(copy)), Chat((Message("system", "Hi"),)))


def test_a_damaged_checkpoint_is_one_line(tmp_path, folder):
    copy = shutil.copytree(folder, tmp_path / "damaged")
    (copy / "model.safetensors").write_bytes(b"\x08" + bytes(40))
    with pytest.raises(BenchError, match="cannot be") as caught:
        ask(open_model(f"{copy}?dtype=float32"), Generate("the", Sampling(2)))
    assert "\n" not in str(caught.value)
    (copy / "model.safetensors").unlink()
    with pytest.raises(BenchError, match="no model there"):
        open_model(str(copy))


def test_a_local_model_needs_no_network_and_prints_nothing(folder):
    program = (
        "import socket, sys\n"
        "def refuse(*_): raise AssertionError('the network was touched')\n"
        "socket.socket.connect = socket.create_connection = refuse\n"
        "from bench.harness import Generate, Sampling, choices\n"
        "from bench.harness.models.names import open_model\n"
        "model = open_model(sys.argv[1])\n"
        "assert model.identity()['revision'].startswith('sha256:')\n"
        "assert not {'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)\n"
        "asked = [Generate('the', Sampling(4, t)) for t in (0, 1)] + [choices('a', ('b',))]\n"
        "assert len(list(model.respond(asked))) == 3\n"
    )
    run = [sys.executable, "-c", program, str(folder)]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_hub_out_of_reach_is_said_at_once(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    program = (
        "from bench.harness.models.names import open_model\n"
        "from bench.harness.errors import BenchError\n"
        "try: open_model('nobody/nothing')\n"
        "except BenchError as problem: print(problem)\n"
    )
    for setting in ({"HF_ENDPOINT": f"http://127.0.0.1:{port}"}, {"HF_HUB_OFFLINE": "1"}):
        environment = {"HF_HOME": str(tmp_path), "PATH": "", **setting}
        run = [sys.executable, "-c", program]
        done = subprocess.run(
            run, capture_output=True, text=True, check=False, env=environment, timeout=120
        )
        assert done.stderr == ""
        assert done.stdout.startswith(
            "nobody/nothing: not on this machine, and the hub is out of reach"
        )
