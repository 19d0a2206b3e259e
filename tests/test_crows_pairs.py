"""CrowS-Pairs: pairs as they were, preferences, and what lm-evaluation-harness makes of them."""

import csv
import hashlib
import json
import random
import re
from dataclasses import replace

import pytest
from command_line import bench, lines
from lm_eval_peer import evaluated, weigh

from bench.harness import Data, LogLikelihood, LogProb, Resources, Response, Sample, Verdict
from bench.harness.checking import Checker
from bench.harness.errors import BenchError
from bench.harness.summary import summarize
from bench.tasks import crows_pairs

TASKS = {task.name: task for task in crows_pairs.tasks()}
FIRST = {
    "crows_pairs/age": (87, "e90df6cb99675de9"),
    "crows_pairs/disability": (60, "4871a57b1569804c"),
    "crows_pairs/gender": (262, "8c949c23f46b2d31"),
    "crows_pairs/nationality": (159, "eddfcb4e760e1b3c"),
    "crows_pairs/physical_appearance": (63, "61d88927376ef079"),
    "crows_pairs/race_color": (516, "924bb4897ba346d5"),
    "crows_pairs/religion": (105, "0357fe6966c857b2"),
    "crows_pairs/sexual_orientation": (84, "a3076cc50dc10856"),
    "crows_pairs/socioeconomic": (172, "a64e6cd6a41c04a2"),
}
"""pairs of a type, and the beginning of a hash of its first request"""
ANTI = {"crows_pairs/disability": 3, "crows_pairs/gender": 103, "crows_pairs/race_color": 43}
"""pairs of some types where the more stereotyping sentence is about the other group"""


@pytest.fixture(scope="module")
def samples(data_dir):
    data = Data(data_dir)
    return {name: list(task.samples(data)) for name, task in TASKS.items()}


def answered(*sums):
    return Response(logprobs=tuple(LogProb(value, 1, greedy=False) for value in sums))


def scored(sample, *sums):
    return crows_pairs.score(sample, answered(*sums), Resources())


def record(sample, score):
    return {
        "task": "crows_pairs/gender",
        "sample": sample.id,
        "draw": 0,
        "group": sample.group,
        "verdict": score.verdict,
        "values": score.values,
        "finish_reason": "",
        "empty": False,
    }


def summed(scores):
    found = summarize([TASKS["crows_pairs/gender"]], [record(*each) for each in scores], 1)
    return found["tasks"]["crows_pairs/gender"]


@pytest.mark.parametrize("name", FIRST)
def test_pairs_and_first_request_are_as_they_were(name, samples):
    own, task = samples[name], TASKS[name]
    request = task.ask(own[0])
    assert isinstance(request, LogLikelihood)
    digest = hashlib.sha256(repr(request.pairs).encode()).hexdigest()[:16]
    assert (len(own), digest) == FIRST[name]
    assert len({sample.id for sample in own}) == len(own)
    for sample in own:
        (context, more), (other, less) = task.ask(sample).pairs
        assert context == other == ""
        assert more != less
    if name in ANTI:
        assert sum(sample.data["stereo"] == 0 for sample in own) == ANTI[name]


def test_every_pair_of_the_file_is_in_one_task(data_dir, samples):
    with (data_dir / "crows_pairs" / crows_pairs.FILE).open(newline="") as file:
        rows = [(row["sent_more"], row["sent_less"]) for row in csv.DictReader(file)]
    ours = [tuple(sample.data["sentences"]) for own in samples.values() for sample in own]
    assert sorted(ours) == sorted(rows)
    assert len(ours) == 1508


def test_the_likelier_sentence_is_the_preferred_one_and_neither_is_wrong(samples):
    for sample in samples["crows_pairs/age"]:
        for sums, preferred in (((-10.0, -12.5), 1.0), ((-12.5, -10.0), 0.0)):
            score = scored(sample, *sums)
            assert score.verdict is Verdict.PASSED
            assert score.values["stereotype"] == preferred
            assert score.values["difference"] == 2.5
            assert score.extracted == sample.data["sentences"][0 if preferred else 1]


def test_directions_are_told_apart(samples):
    own = samples["crows_pairs/gender"]
    found = summed([(one, scored(one, -1.0 - one.data["stereo"], -1.5)) for one in own])
    metrics = {name: numbers["value"] for name, numbers in found["metrics"].items()}
    assert metrics == pytest.approx(
        {
            "pct_stereotype": 103 / 262,
            "pct_stereo": 0,
            "pct_antistereo": 1,
            "likelihood_diff": 0.5,
        }
    )


def test_models_that_guess_or_prefer_neither_are_at_chance(samples):
    noise = random.Random(3)
    for name, own in samples.items():
        for model in (lambda: (noise.random(), noise.random()), lambda: (-5.0, -5.0)):
            hits = sum(scored(one, *model()).values["stereotype"] for one in own)
            assert abs(hits / len(own) - 0.5) < 3.5 * 0.5 / len(own) ** 0.5, name


def test_a_sentence_over_the_context_is_left_unscored_and_counted(samples):
    own = samples["crows_pairs/gender"]
    cut = crows_pairs.score(own[0], Response(finish_reason="length"), Resources())
    assert cut.verdict is Verdict.TRUNCATED
    found = summed([(own[0], cut), *((one, scored(one, -1.0, -2.0)) for one in own[1:])])
    share = found["metrics"]["pct_stereotype"]
    assert (share["value"], share["n"], found["unscored"]) == (1.0, 262, 1)
    assert (
        share["low"]
        < summed([(one, scored(one, -1.0, -2.0)) for one in own])["metrics"]["pct_stereotype"][
            "low"
        ]
    )


def test_the_usual_mistakes_are_not_found_in_it(data_dir):
    checker = Checker(Data(data_dir), None, None, 20, 1)
    assert [str(each) for task in TASKS.values() for each in checker.check(task)] == []


@pytest.mark.slow
def test_lm_eval_asks_and_scores_the_same(data_dir, tmp_path, samples):
    pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed")
    own = [sample for each in samples.values() for sample in each[:20]]
    keys = "sent_more", "sent_less"
    rows = [dict(zip(keys, sample.data["sentences"], strict=True)) for sample in own]
    asked, preferred, mean = evaluated(
        "crows_pairs_english", tmp_path, 0, measure="pct_stereotype", test=rows
    )
    pairs = [TASKS["crows_pairs/age"].ask(sample).pairs for sample in own]
    assert [pair for both in pairs for pair in both] == asked
    found = [
        scored(sample, *(weigh(*pair) for pair in both)).values["stereotype"]
        for sample, both in zip(own, pairs, strict=True)
    ]
    assert found == preferred
    assert sum(found) / len(found) == pytest.approx(mean)
    assert 0 < mean < 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_real_model_weighs_sentences_as_in_lm_eval(samples):
    pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed")
    pytest.importorskip("torch")
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    from bench.harness.models.names import open_model

    model = open_model("smollm2?dtype=float32")
    own = samples["crows_pairs/gender"][:6]
    requests = [crows_pairs.ask(sample) for sample in own]
    found = dict(model.respond(requests))
    ours = [each.sum for place in range(len(own)) for each in found[place].logprobs]
    peer = HFLM(pretrained=str(model.checkpoint.folder), dtype="float32", device="cpu")
    pairs = [pair for request in requests for pair in request.pairs]
    theirs = peer.loglikelihood([Instance("loglikelihood", {}, pair, 0) for pair in pairs])
    assert ours == pytest.approx([total for total, _ in theirs], abs=1e-3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("sent_more,sent_less,bias_type\na,b,age\n", "no 'stereo_antistereo'"),
        ("sent_more,sent_less,stereo_antistereo,bias_type\na,b,c,age\n", "pair 0 lacks"),
        ("sent_more,sent_less,stereo_antistereo,bias_type\na,,stereo,age\n", "pair 0 lacks"),
        ("sent_more,sent_less,stereo_antistereo,bias_type\na,b\n", "has not 4 columns"),
    ],
)
def test_data_of_another_shape_is_one_line(tmp_path, monkeypatch, content, said):
    file = tmp_path / "crows_pairs" / crows_pairs.FILE
    file.parent.mkdir()
    file.write_text(content)
    with pytest.raises(BenchError, match=r"sha256|columns"):
        list(TASKS["crows_pairs/age"].samples(Data(tmp_path)))
    monkeypatch.setattr(crows_pairs, "SOURCE", replace(crows_pairs.SOURCE, pins=dict))
    with pytest.raises(BenchError, match=re.escape(said)) as caught:
        list(TASKS["crows_pairs/age"].samples(Data(tmp_path)))
    assert "\n" not in str(caught.value)


def test_a_run_reports_types_and_all_of_them(tmp_path, data_dir):
    script = tmp_path / "model.jsonl"
    script.write_text('{"logprobs": [-1, -2]}\n')
    out = tmp_path / "run"
    done = bench(
        *("run", "--model", f"scripted:{script}", "--tasks", "crows_pairs", "--limit", 12),
        *("--data-dir", data_dir, "--out", out),
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads((out / "summary.json").read_text())
    assert set(summary["tasks"]) == set(TASKS)
    whole = summary["groups"]["crows_pairs"]["metrics"]["pct_stereotype (micro)"]
    assert (whole["value"], whole["n"]) == (1.0, 108)
    assert len(lines(out / "scores.jsonl")) == 108
    assert bench("verify", out, "--data-dir", data_dir).returncode == 0


def test_a_tie_goes_by_a_hash():
    pairs = [Sample(f"x/{k}", data={"sentences": ["a", "b"], "stereo": 1.0}) for k in range(2000)]
    assert 930 < sum(scored(one, -1.0, -1.0).values["stereotype"] for one in pairs) < 1070
