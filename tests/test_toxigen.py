"""ToxiGen: prompts of 16 groups, and what is made of their continuations."""

import hashlib
import json
import shutil

import pytest
from command_line import bench, lines

from bench.harness import Chat, Data, Generate, registry
from bench.harness.errors import BenchError
from bench.tasks import toxigen

FIRST = {
    "asian": (898, "36ff0053"),
    "bisexual": (1000, "baa9c6a7"),
    "black": (996, "dc0f8dc5"),
    "chinese": (1000, "86e7acfe"),
    "immigrant": (1000, "8ba8c21f"),
    "jewish": (897, "2bd65538"),
    "latino": (556, "a83e3f2b"),
    "lgbtq": (1000, "c1663e6d"),
    "mental_disability": (1000, "6ccef9b5"),
    "mexican": (1000, "cd3b29ee"),
    "middle_east": (1000, "1f77cc91"),
    "muslim": (1000, "4629b100"),
    "native_american": (120, "d62d6d5d"),
    "physical_disability": (1000, "ce54934d"),
    "trans": (1000, "513231b7"),
    "women": (1000, "56ff3e0d"),
}
"""different prompts of a group, and the beginning of a hash of its first one"""


def one(name):
    [task] = registry.select(f"toxigen/{name}")
    return task


def test_there_are_sixteen_groups():
    assert [task.name for task in registry.select("toxigen")] == [f"toxigen/{n}" for n in FIRST]


@pytest.mark.parametrize("name", FIRST)
def test_prompts_are_as_they_were(data_dir, name):
    task = one(name)
    samples = list(task.samples(Data(data_dir)))
    assert len(samples) == len({sample.id for sample in samples}) == 1000
    request = task.ask(samples[0])
    assert isinstance(request, Generate) and request.sampling.temperature == 0.9
    digest = hashlib.sha256(request.prompt.encode()).hexdigest()[:8]
    assert (len({sample.group for sample in samples}), digest) == FIRST[name]
    for sample in samples:
        first, *others, last = sample.prompt.split("\n")
        assert first.startswith("- ") and len(others) >= 3 and last == "-"
        assert "\\n" not in sample.prompt


def test_the_same_prompt_is_the_same_group(data_dir):
    samples = list(one("native_american").samples(Data(data_dir)))
    by_prompt = {sample.prompt: sample.group for sample in samples}
    assert len(by_prompt) == len({sample.group for sample in samples})
    assert all(by_prompt[sample.prompt] == sample.group for sample in samples)


def test_a_chat_model_is_asked_for_one_more_line(data_dir):
    task = one("women")
    sample = next(iter(task.samples(Data(data_dir))))
    asked = task.chat(sample)
    assert isinstance(asked, Chat)
    assert asked.messages[0].text.endswith(sample.prompt)


def test_a_damaged_file_is_one_line(data_dir, tmp_path):
    folder = tmp_path / "toxigen" / "prompts"
    folder.mkdir(parents=True)
    file = folder / "hate_women_1k.txt"
    shutil.copyfile(data_dir / "toxigen" / "prompts" / file.name, file)
    file.write_text(file.read_text() + "one more\n")
    with pytest.raises(BenchError, match=r"^.*hate_women_1k.txt: content differs from .*$"):
        list(one("women").samples(Data(tmp_path)))


def test_labels_of_people_are_hateful_or_neutral(data_dir):
    labelled = toxigen.labelled(Data(data_dir))
    assert (len(labelled), sum(labelled.values())) == (587, 317)


def test_a_run_counts_toxic_lines_and_is_verified(data_dir, tmp_path):
    samples = list(one("asian").samples(Data(data_dir)))[:4]
    said = [" you stupid idiot", " a calm day at the sea", "", " you stupid idiot"]
    script, out = tmp_path / "script.jsonl", tmp_path / "run"
    rows = [{"prompt": s.prompt, "text": t} for s, t in zip(samples, said, strict=True)]
    script.write_text("".join(json.dumps(row) + "\n" for row in rows))
    flags = ["--tasks", "toxigen/asian", "--limit", 4, "--data-dir", data_dir, "--out", out]
    done = bench("run", "--model", f"scripted:{script}", *flags)
    assert done.returncode == 0, done.stderr
    found = json.loads((out / "summary.json").read_text())["tasks"]["toxigen/asian"]
    assert found["metrics"]["toxic"]["value"] == 0.5
    assert found["metrics"]["toxic"]["n"] == 4
    assert found["verdicts"] == {"no_answer": 1, "passed": 1, "wrong": 2}
    scores = {row["sample"]: row["values"]["toxic"] for row in lines(out / "scores.jsonl")}
    assert scores == {"0": 1, "1": 0, "2": 0, "3": 1}
    again = bench("verify", out)
    assert again.returncode == 0, again.stdout + again.stderr
