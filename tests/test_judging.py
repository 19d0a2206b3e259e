"""A judge: asked together, its words kept, read again by resume and by verify."""

import json
import os
import threading

import pytest
from command_line import bench, lines

from bench.harness import Chat, Message, Response, Reward
from bench.harness.errors import BenchError, InfrastructureError, Unfinished
from bench.harness.judging import OpenJudge, asked
from bench.harness.models.names import open_model
from bench.harness.models.scripted import Scripted

PLUGIN = """
from statistics import fmean
from bench.harness import *
from bench.harness.errors import InfrastructureError

def samples(data):
    for n in range(30):
        yield Sample(str(n), f"Say {n}")

def ask(sample):
    return Generate(sample.prompt)

def score(sample, response, resources):
    question = Chat((Message("user", f"Is it good? {response.text}"),))
    said = resources.judge.ask(question).text
    good = float(said == "yes")
    return Score(Verdict.PASSED if good else Verdict.WRONG, {"good": good}, detail=said)

def tasks():
    yield Task("spoken", 1, samples, ask, score, {"good": Metric("good", fmean)}, judged=True)
"""


@pytest.fixture
def installed(tmp_path):
    folder = tmp_path / "plugins"
    info = folder / "spoken-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "spoken.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: spoken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[bench.tasks]\nspoken = spoken:tasks\n")
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


@pytest.fixture
def scripts(tmp_path):
    model, judge = tmp_path / "model.jsonl", tmp_path / "judge.jsonl"
    model.write_text(
        "".join(json.dumps({"prompt": f"Say {n}", "text": f"{n % 3}"}) + "\n" for n in range(30))
    )
    words = {"0": "yes", "1": "no", "2": "maybe"}
    judge.write_text(
        "".join(
            json.dumps({"prompt": f"Is it good? {n}", "text": text}) + "\n"
            for n, text in words.items()
        )
    )
    return f"scripted:{model}", f"scripted:{judge}"


def spoken(scripts, out, environment, *more):
    model, judge = scripts
    command = "run", "--model", model, "--judge", judge, "--tasks", "spoken", "--out", out
    return bench(*command, *more, **environment)


def test_a_judge_decides_and_what_it_said_is_kept(tmp_path, installed, scripts):
    done = spoken(scripts, tmp_path / "run", installed)
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["tasks"]["spoken"]["metrics"]["good"]["value"] == pytest.approx(1 / 3)
    said = lines(tmp_path / "run" / "judgements.jsonl")
    assert sorted(row["texts"][0] for row in said) == ["maybe", "no", "yes"]  # asked once each
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["judge"]["name"] == "judge.jsonl"


def test_verify_needs_no_judge_and_notices_a_missing_word(tmp_path, installed, scripts):
    spoken(scripts, tmp_path / "run", installed)
    (tmp_path / "judge.jsonl").unlink()
    assert bench("verify", tmp_path / "run", **installed).returncode == 0
    kept = tmp_path / "run" / "judgements.jsonl"
    kept.write_text("".join(line + "\n" for line in kept.read_text().splitlines()[1:]))
    done = bench("verify", tmp_path / "run", **installed)
    assert done.returncode == 3
    assert "lacks a judgement" in done.stderr


def test_going_on_asks_for_nothing_again(tmp_path, installed, scripts):
    spoken(scripts, tmp_path / "run", installed)
    (tmp_path / "run" / "scores.jsonl").write_text("")
    before = (tmp_path / "run" / "judgements.jsonl").read_bytes()
    assert spoken(scripts, tmp_path / "run", installed).returncode == 0
    assert (tmp_path / "run" / "judgements.jsonl").read_bytes() == before


def test_another_judge_is_another_configuration(tmp_path, installed, scripts):
    spoken(scripts, tmp_path / "run", installed)
    done = spoken((scripts[0], scripts[0]), tmp_path / "run", installed)
    assert done.returncode == 2
    assert "judge" in done.stderr


def test_a_run_without_the_judge_that_it_needs_is_refused(tmp_path, installed, scripts):
    command = "run", "--model", scripts[0], "--tasks", "spoken", "--out", tmp_path / "run"
    done = bench(*command, **installed)
    assert done.returncode == 2
    assert done.stderr == "bench: spoken needs a judge. Give --judge MODEL.\n"
    assert not (tmp_path / "run").exists()


def test_a_judge_that_cannot_answer_ends_the_run_in_words(tmp_path, installed, scripts):
    (tmp_path / "judge.jsonl").write_text('{"prompt": "x", "text": "y"}\n')
    done = spoken(scripts, tmp_path / "run", installed)
    assert done.returncode == 2
    assert "judge.jsonl: no answer to 'Is it good?" in done.stderr
    assert len(done.stderr.splitlines()[-1]) < 300


def question(text):
    return Chat((Message("user", text),))


class Slow:
    """A judge that answers when it is told to."""

    name = "slow"
    has_chat_template = True

    def __init__(self):
        self.sizes = []
        self.go = threading.Event()

    def identity(self):
        return {}

    def respond(self, requests):
        requests = list(requests)
        self.sizes.append(len(requests))
        self.go.wait()
        for position, request in enumerate(requests):
            text = request.messages[0].text
            yield position, Response("" if text == "bad" else text, error=text * (text == "bad"))


def test_scorers_share_batches_and_one_failure_fails_alone(tmp_path):
    model, said = Slow(), {}
    texts = ["first", *(f"{n}" for n in range(20)), "bad"]

    def ask(judge, text):
        try:
            said[text] = judge.ask(question(text)).text
        except InfrastructureError as problem:
            said[text] = str(problem)

    with asked(OpenJudge({}, model), tmp_path) as judge:
        threads = [threading.Thread(target=ask, args=(judge, text)) for text in texts * 2]
        for thread in threads:
            thread.start()
        model.go.set()
        for thread in threads:
            thread.join()
    assert said == {text: text for text in texts} | {"bad": "the judge gave no answer: bad"}
    assert sum(model.sizes) <= len(texts) + 1  # the same question is asked once, a failed one again
    assert len(model.sizes) < len(texts)


def test_whoever_waits_is_let_go_when_the_judge_is_given_up(tmp_path):
    model, problems = Slow(), []
    with asked(OpenJudge({}, model), tmp_path) as judge:

        def ask():
            try:
                judge.ask(question("x"))
            except BaseException as problem:  # noqa: BLE001
                problems.append(problem)

        thread = threading.Thread(target=ask)
        thread.start()
        while not model.sizes:
            thread.join(0.01)
        judge.close()
        thread.join()
        with pytest.raises(InfrastructureError, match="given up"):
            judge.ask(question("y"))
        model.go.set()
    assert len(problems) == 1


def test_a_reward_model_says_that_it_is_one(tmp_path):
    model = Scripted([{"reward": 0.5}])
    with asked(OpenJudge(model.identity(), model), tmp_path) as judge:
        assert judge.gives_rewards
        assert judge.ask(Reward("a", "b")).reward == 0.5
    with asked(OpenJudge(model.identity(), None), tmp_path) as judge:
        assert judge.ask(Reward("a", "b")).reward == 0.5
        with pytest.raises(Unfinished, match="lacks a judgement"):
            judge.ask(Reward("a", "c"))


def test_a_base_model_is_asked_by_completion(tmp_path):
    model = Scripted([{"prompt": "Is it good?\nReply:", "text": " yes"}])
    identity = {**model.identity(), "chat_template": ""}
    with asked(OpenJudge(identity, model), tmp_path) as judge:
        assert judge.ask(question("Is it good?")).text == " yes"
    with asked(OpenJudge(identity, None), tmp_path) as judge:  # and its word is found again
        assert judge.ask(question("Is it good?")).text == " yes"


def test_a_language_model_gives_no_rewards(tmp_path):
    model = open_model("smollm2")
    with (
        asked(OpenJudge(model.identity(), model), tmp_path) as judge,
        pytest.raises(BenchError, match="smollm2 gives no rewards"),
    ):
        judge.ask(Reward("a", "b"))
