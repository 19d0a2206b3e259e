"""Summaries and preferences: the data, the prompts, and the scores."""

import hashlib
import random
from dataclasses import replace
from importlib import import_module

import pytest
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer

from bench.harness import (
    Chat,
    Data,
    Generate,
    Message,
    Resources,
    Response,
    Verdict,
    registry,
)
from bench.harness.errors import BenchError
from bench.harness.prompting import Form, asker
from bench.harness.summary import summarize
from bench.tasks import overlap

FIRST = {
    "scitldr/similarity": (618, "36c8636eceda1180"),
    "scitldr/judged": (618, "36c8636eceda1180"),
    "dialogsum/criteria": (500, "23f1266d0bbca208"),
    "llmbar/natural": (200, "1783d7b3d3185451"),
    "llmbar/adversarial/neighbor": (268, "b55e757ccf20a43c"),
    "llmbar/adversarial/gptinst": (184, "e2b800a619f9a12c"),
    "llmbar/adversarial/gptout": (94, "c1e8854642c9ea7c"),
    "llmbar/adversarial/manual": (92, "2262448243e4dfc6"),
    "llmbar/processed/faireval": (132, "aa9e36406b97c9d8"),
    "llmbar/processed/llmeval2": (400, "4b5a3731e8d3ab7d"),
    "llmbar/processed/mtbench": (400, "597fb0bb3f14c47c"),
    "pandalm": (1998, "6476e631830e393c"),
    "hh_rlhf/harmless": (4624, "32eeaa065bd9f073"),
    "themis/tools/calendar": (212, "d64cb123dddb4afe"),
    "themis/zero_shot/hh_rlhf": (240, "52eb515b71fa636f"),
    "summeval/overall": (2866, "f21bef9e1d671457"),
    "summeval/consistency": (1444, "4f3bf261ae4f41f1"),
    "reward/llmbar/natural": (200, "05cc82203b9cb190"),
    "reward/themis/tools/translator": (600, "e47896b2367371e7"),
}
"""samples of a task, and the beginning of a hash of its first request"""


def one(name):
    [task] = registry.select(name)
    return task


def taken(name, data_dir, count=None):
    return list(one(name).samples(Data(data_dir)))[:count]


def said(text, finish_reason="stop"):
    return Response(text=text, finish_reason=finish_reason)


def summary_of(task, answers, samples):
    """Score answers to samples, and give the task's metrics."""
    records = []
    for sample, response in zip(samples, answers, strict=True):
        score = task.score(sample, response, Resources())
        records.append(record(task, sample, score))
    return summarize([task], records, 1)["tasks"][task.name]


def record(task, sample, score):
    return {
        "task": task.name,
        "sample": sample.id,
        "draw": 0,
        "group": sample.group,
        "verdict": score.verdict,
        "values": dict(score.values),
        "finish_reason": "stop",
        "empty": False,
    }


def value(found, metric):
    return found["metrics"][metric]["value"]


@pytest.mark.parametrize("name", FIRST)
def test_samples_and_first_prompt_are_as_they_were(data_dir, name):
    task, samples = one(name), taken(name, data_dir)
    request = asker(task, Form(), Data(data_dir)).ask(samples[0])
    shown = request.prompt if isinstance(request, Generate) else repr(request)
    assert (len(samples), hashlib.sha256(shown.encode()).hexdigest()[:16]) == FIRST[name]
    assert len({sample.id for sample in samples}) == len(samples)
    assert task.card
    assert task.about


def test_a_summary_is_asked_for_by_its_text_alone(data_dir):
    for name, tail in (("scitldr/judged", "TL;DR:"), ("dialogsum/judged", "Summary:")):
        task, sample = one(name), taken(name, data_dir, 1)[0]
        plain, chat = task.ask(sample), task.chat(sample)
        assert plain.prompt == f"{sample.data['text']}\n\n{tail}"
        assert plain.sampling.stop == ("\n",)
        [message] = chat.messages
        assert message.text.endswith(sample.data["text"])
        assert message.text.startswith("Summarize th")
        assert not any(text in message.text for text in sample.data["references"])


@pytest.mark.parametrize("name", ["scitldr/similarity", "dialogsum/similarity"])
def test_overlap_of_a_corpus_equals_the_libraries(data_dir, name):
    task, samples = one(name), taken(name, data_dir, 40)
    shuffled = random.Random(5).sample(samples, len(samples))
    # Half of each gold answer, so that nothing is 0 or 100.
    texts = [
        " ".join([*a.target.split()[::2], *b.target.split()[:6]])
        for a, b in zip(samples, shuffled, strict=True)
    ]
    found = summary_of(task, [said(text) for text in texts], samples)
    every = [sample.data["references"] for sample in samples]
    streams = [
        [references[at] if at < len(references) else None for references in every]
        for at in range(max(map(len, every)))
    ]
    assert value(found, "bleu") == pytest.approx(sacrebleu.corpus_bleu(texts, streams).score)
    assert value(found, "chrf") == pytest.approx(sacrebleu.corpus_chrf(texts, streams).score)
    for measure in overlap.ROUGE:
        scorer = RougeScorer([measure], use_stemmer=True)
        each = [
            scorer.score_multi(references, text)[measure].fmeasure
            for references, text in zip(every, texts, strict=True)
        ]
        assert value(found, measure) == pytest.approx(100 * sum(each) / len(each))


def test_gold_summaries_are_found_and_shuffled_ones_are_not(data_dir):
    task, samples = one("dialogsum/similarity"), taken("dialogsum/similarity", data_dir, 50)
    gold = summary_of(task, [said(task.gold(sample)) for sample in samples], samples)
    assert value(gold, "rouge1") == pytest.approx(100)
    assert value(gold, "bleu") == pytest.approx(100)
    moved = [said(task.gold(sample)) for sample in samples[1:] + samples[:1]]
    assert value(summary_of(task, moved, samples), "rouge2") < 20


def test_missing_and_cut_summaries_say_so(data_dir):
    task, [sample] = one("scitldr/similarity"), taken("scitldr/similarity", data_dir, 1)
    for response, verdict in (
        (said(""), Verdict.NO_ANSWER),
        (said(" \n"), Verdict.NO_ANSWER),
        (said("We show", "length"), Verdict.TRUNCATED),
        (said("We show it."), Verdict.PASSED),
    ):
        assert task.score(sample, response, Resources()).verdict is verdict
    empty = summary_of(task, [said("")], [sample])
    assert [value(empty, name) for name in (*overlap.ROUGE, "chrf")] == [0, 0, 0, 0]


JUDGED = ["llmbar/natural", "llmbar/adversarial/manual", "pandalm", "hh_rlhf/harmless"]
JUDGED += ["themis/tools/code", "summeval/fluency", "summeval/overall"]


@pytest.mark.parametrize("name", JUDGED)
def test_a_perfect_judge_agrees_and_its_opposite_is_worse_than_chance(data_dir, name):
    task, samples = one(name), taken(name, data_dir, 200)
    # Where people saw a tie, only a judge that goes by place calls one.
    right = [said(task.gold(sample) or "A") for sample in samples]
    found = summary_of(task, right, samples)
    assert value(found, "accuracy") == value(found, "agreement") == value(found, "kappa") == 1
    assert value(found, "worse_than_chance") == value(found, "unread") == 0
    wrong = [said("B" if "A" in response.text else "A") for response in right]
    found = summary_of(task, wrong, samples)
    assert value(found, "accuracy") == 0
    assert value(found, "kappa") < -0.5
    assert value(found, "worse_than_chance") == 1


def test_a_judge_that_guesses_is_at_chance_and_one_that_goes_by_place_ties(data_dir):
    task, samples = one("llmbar/natural"), taken("llmbar/natural", data_dir)
    rng = random.Random(11)
    found = summary_of(task, [said(rng.choice("AB")) for _ in samples], samples)
    bounds = found["metrics"]["accuracy"]
    assert bounds["low"] < 0.5 < bounds["high"]
    found = summary_of(task, [said("A") for _ in samples], samples)
    assert (value(found, "first_place"), value(found, "consistent")) == (1, 0)
    assert (value(found, "accuracy"), value(found, "agreement")) == (0.5, 0)


def test_replies_that_are_no_letter_are_counted_and_agree_with_nothing(data_dir):
    task, samples = one("pandalm"), taken("pandalm", data_dir, 4)
    answers = [said("I like A more"), said(""), said("A A A", "length"), said("A")]
    verdicts = [
        task.score(sample, answer, Resources()).verdict
        for sample, answer in zip(samples, answers, strict=True)
    ]
    unparsable = Verdict.JUDGE_UNPARSABLE
    assert verdicts[:3] == [unparsable, unparsable, Verdict.TRUNCATED]
    found = summary_of(task, answers, samples)
    assert (value(found, "unread"), value(found, "agreement")) == (0.75, 0)
    assert found["metrics"]["agreement"]["n"] == 4


def test_a_pair_is_shown_in_both_orders(data_dir):
    given, swapped = taken("summeval/overall", data_dir, 2)
    assert {given.target, swapped.target} == {"A", "B"}
    assert given.group == swapped.group
    assert given.data["pair"] == swapped.data["pair"]
    assert sorted(given.prompt.split()) == sorted(swapped.prompt.split())
    assert given.prompt != swapped.prompt


def test_preferred_answers_stand_in_both_places(data_dir):
    for name in ("hh_rlhf/harmless", "themis/tools/webgpt"):
        labels = [sample.data["label"] for sample in taken(name, data_dir)]
        assert 0.4 < labels.count(1) / len(labels) < 0.6


def test_a_reward_model_is_right_where_the_better_answer_has_the_higher_reward(data_dir):
    task, samples = one("reward/themis/tools/code"), taken("reward/themis/tools/code", data_dir)
    better = [sample.data["label"] == sample.data["second"] + 1 for sample in samples]
    found = summary_of(task, [Response(reward=float(each)) for each in better], samples)
    assert value(found, "accuracy") == value(found, "kappa") == 1
    found = summary_of(task, [Response(reward=1.0) for _ in samples], samples)
    assert (value(found, "accuracy"), value(found, "tie")) == (0, 1)
    found = summary_of(task, [Response(finish_reason="length") for _ in samples], samples)
    assert (value(found, "accuracy"), value(found, "tie")) == (0, 0)
    assert found["verdicts"] == {"truncated": len(samples)}


@pytest.mark.parametrize(
    "damage",
    [
        ("scitldr/judged", "scitldr/SciTLDR-A/test.jsonl", '{"paper_id": "x"}', "no 'target'"),
        ("dialogsum/judged", "dialogsum/dialogsum.test.jsonl", '{"fname": "x"}', "no 'summary1'"),
        ("llmbar/natural", "llmbar/LLMBar/Natural/dataset.json", "[{}]", "no 'label'"),
        ("pandalm", "pandalm/testset-v1.json", '[{"idx": 1}]', "no 'annotator1'"),
        ("dialogsum/judged", "dialogsum/dialogsum.test.jsonl", '{"fname', "not JSON"),
    ],
)
def test_damaged_data_is_refused_in_one_line(tmp_path, monkeypatch, damage):
    name, file, spoilt, message = damage
    module = import_module(f"bench.tasks.{name.partition('/')[0]}")
    with pytest.raises(BenchError, match=r"content differs|not JSON"):
        list(one(name).samples(Data(spoil(tmp_path, file, spoilt + " "))))
    monkeypatch.setattr(module, "SOURCE", replace(module.SOURCE, pins=dict))
    with pytest.raises(BenchError, match=message) as caught:
        list(one(name).samples(Data(spoil(tmp_path, file, spoilt))))
    assert "\n" not in str(caught.value)


def spoil(folder, file, text):
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text)
    return folder


def test_a_judge_is_asked_as_a_conversation(data_dir):
    task, [sample] = one("llmbar/natural"), taken("llmbar/natural", data_dir, 1)
    assert task.chat(sample) == Chat((Message("user", sample.prompt),), task.ask(sample).sampling)
    assert sample.prompt.endswith("Reply with one letter, A or B.")
