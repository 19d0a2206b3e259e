"""Run folders for boards and their page, written as `bench run` writes them, without a model.

`write_pair` gives two runs that differ in all that a page shows: HumanEval-XL cells, a task of
typos, safety suites, a task against another run with a judge, log-likelihoods, two draws of
a thinking model, and texts that would break a page which took them for HTML.
"""

import json
import random
from dataclasses import replace
from pathlib import Path

from bench.harness import Data, Resources, Response, Verdict, registry
from bench.harness.core import LogProb
from bench.harness.errors import BenchError
from bench.harness.judging import judgement_key
from bench.harness.plan import Job, Plan, Settings, digest
from bench.harness.records import response_fields
from bench.harness.runner import response_record, score_record
from bench.harness.store import JUDGEMENTS, MANIFEST, RESPONSES, SCORES, SUMMARY, write_json
from bench.harness.summary import summarize

HOSTILE = [
    "<script>window.broken = 1; alert(1)</script>",
    "</script><script>window.broken = 2</script>",
    "<!--<script>window.broken = 3",
    "<img src=x onerror='window.broken = 4'>",
    '"><svg onload=window.broken=5>',
    "javascript:window.broken=6",
    "{{ 7 * 7 }} ${window.broken = 7} `${window.broken = 7}`",
    "line\u2028separator\u2029paragraph",
    "\u202eright to left override\u202c and \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "NUL \x00, bell \x07, escape \x1b[31m, delete \x7f",
    "a lone surrogate: \ud800, and a pair that is none: \udc00\ud800",
    "<style>*{display:none}</style><base href='https://example.invalid/'>",
    "<a href='https://example.invalid' onclick='window.broken = 8'>here</a> &lt;b&gt; &amp;",
    "```python\nprint('</pre>')\n```\n" + "long " * 400,
]
"""what a prompt or an answer may hold"""

LANGUAGES = "English", "German", "Russian", "Chinese"
XL = tuple(f"humaneval_xl/{p}/{n}" for p in ("python", "go", "java") for n in LANGUAGES)
OWN = '''
"""Tasks whose prompts need no data, and hold what a page must not believe."""

import json
from dataclasses import replace
from pathlib import Path

from bench.harness import Chat, Generate, Message, Sample, Score, Task, Verdict
from bench.harness import choices
from bench.harness.stats import mean_of

TEXTS = json.loads({texts!r})


def samples(data):
    for at, text in enumerate(TEXTS):
        yield Sample(f"{{at}} {{text[:20]}}", text, f"target {{text}}", f"texts/{{at}}")


def quiet(data):
    """Yield those that can be written down as UTF-8, as typos want them."""
    return (sample for sample in samples(data) if "\\ud800" not in sample.prompt)


def ask(sample):
    return Generate(f"Say again: {{sample.prompt}}")


def chat(sample):
    return Chat((Message("system", "You are an echo."), Message("user", sample.prompt)))


def score(sample, response, resources):
    right = float(sample.prompt in response.text)
    return Score(Verdict.PASSED if right else Verdict.WRONG, {{"acc": right}}, response.text[:99])


def weigh(sample):
    return choices(sample.prompt, [" yes", f" {{sample.prompt}}"])


def weighed(sample, response, resources):
    right = float(response.logprobs[0].sum > response.logprobs[1].sum)
    verdict = Verdict.PASSED if right else Verdict.WRONG
    return Score(verdict, {{"acc": right, "loss": 1 - right}})


def tasks():
    metrics = {{"acc": mean_of("acc")}}
    echo = Task("echo", 1, samples, ask, score, metrics, chat=chat, about="<b>Echo</b> of texts",
                reword=lambda one, typed: replace(one, prompt=typed(one.prompt)))
    yield echo
    yield replace(echo, name="quiet", samples=quiet)
    loss = mean_of("loss", lower_is_better=True)
    yield Task("weigh", 1, samples, weigh, weighed, {{"loss": loss, "acc": mean_of("acc")}})
'''


class Asked:
    """A judge that prefers what stands first, mostly, and remembers what it said."""

    gives_rewards = False

    def __init__(self, identity, rng):
        self.identity, self.rng, self.records = digest(identity), rng, {}

    def ask(self, request):
        text = self.rng.choice(["A", "A", "B", "neither </script>"])
        key = judgement_key(self.identity, request)
        return self.records.setdefault(key, Response(text, "stop", 90, 1))

    def close(self):
        pass


def write_own(folder: Path) -> str:
    """Write a file of tasks; give the beginning of their names."""
    file = folder / "own.py"
    file.write_text(OWN.format(texts=json.dumps(HOSTILE)))
    return f"file/{file}"


def write_pair(folder: Path, data_dir: Path | None = None) -> list[Path]:
    """Write two runs, one of which is called by a name of HTML, and a third that they refer to.

    Prompts of HumanEval-XL and XSTest are known with their data only.
    """
    own = write_own(folder)
    earlier = write_run(folder / "earlier", [f"{own}/echo"], model="earlier", seed=3)
    names = [
        *XL,
        f"{own}/echo",
        f"{own}/quiet",
        f"{own}/weigh",
        *(f"typos/char_permute-{n}/{own}/quiet" for n in (1, 2, 5)),
        "xstest/safe",
        "xstest/unsafe",
        f"versus/{earlier}/{own}/echo",
    ]
    return [
        write_run(folder / "first", names, "small", 1, data_dir),
        write_run(
            folder / "second",
            names,
            "<img src=x onerror=alert(1)>/\u0627\u0644\u0646\u0645\u0648\u0630\u062c",
            seed=2,
            data_dir=data_dir,
            skill=0.7,
            usage={"prompt_tokens": 120_000, "completion_tokens": 9_000, "cost": 0.12},
        ),
        earlier,
    ]


def write_run(
    folder,
    names,
    model="small",
    seed=1,
    data_dir=None,
    *,
    skill=0.5,
    usage=None,
    limit=20,
    **settings,
) -> Path:
    """Write a finished run of installed tasks; where their data is not at hand, ids are made up."""
    folder.mkdir(parents=True)
    rng = random.Random(seed)
    tasks = list(registry.named(names).values())
    settings = Settings(limit=limit, **settings)
    identity = {"name": model, "backend": "scripted", "revision": f"sha256:{seed}"}
    plan = Plan(tasks, Data(data_dir), settings, digest(identity))
    judge_identity = {"name": "judge <b>", "revision": "1"}
    judge = Asked(judge_identity, rng)
    described, responses, scores = {}, [], []
    for task in tasks:
        jobs, described[task.name] = _jobs(plan, task)
        for job in jobs:
            response = _response(job, rng, skill)
            responses.append(response_record(job, response))
            scores.append(score_record(job, response, _score(job, response, judge, rng, skill)))
    rng.shuffle(responses)  # a run writes them as they come
    _write(folder / RESPONSES, responses)
    _write(folder / SCORES, scores)
    judged = any(task.judged for task in tasks)
    if judged:
        said = [{"key": key, **response_fields(one)} for key, one in judge.records.items()]
        _write(folder / JUDGEMENTS, said)
    sampling = {name: getattr(settings, name) for name in Settings.__dataclass_fields__}
    chat = sampling.pop("chat")
    written = {
        "created": f"2026-07-2{seed}T09:30:00+00:00",
        "model": identity,
        "format": "chat" if chat else "completion",
        "sampling": sampling,
        "tasks": described,
        "data": dict(plan.data.hashes),
        "opponents": dict(plan.data.opponents),
        "sandbox": None,
        "judge": judge_identity if judged else None,
        "libraries": {"bench-harness": "0.1.0", "numpy": "2.0"},
        "data_dir": data_dir and str(data_dir),
        "hardware": {"machine": "x86_64", "processors": 2},
    }
    write_json(folder / MANIFEST, written)
    summary = summarize(tasks, scores, settings.n)
    write_json(folder / SUMMARY, summary | ({"usage": usage} if usage else {}))
    return folder


def _jobs(plan, task):
    """Give the jobs of a task and its entry in the manifest."""
    one = replace(plan, tasks=[task])
    try:
        _, described = one.describe()
        return list(one.jobs()), described[task.name]
    except BenchError:  # no data: what was asked cannot be rendered, as on a reader's machine
        from bench.harness import Generate, Sample

        samples = [Sample(f"{i}", group=f"{task.name.partition('/')[0]}/{i}") for i in range(20)]
        jobs = [
            Job(digest([task.name, sample.id])[:32], task, sample, Generate(""), 0)
            for sample in samples
        ]
        return jobs, {"version": task.version, "samples": 20, "prompts": "0", "requests": "0"}


def _response(job, rng, skill):
    if job.task.name.endswith("/weigh"):
        sums = [rng.uniform(-9, 0), -4.5]
        return Response(logprobs=tuple(LogProb(s, 3, greedy=s > -4) for s in sums), prompt_tokens=9)
    hostile = rng.choice(HOSTILE)
    text = f"{job.sample.prompt} {hostile}" if rng.random() < skill else hostile
    thinking = f"Let me think. {hostile}" if rng.random() < 0.3 else ""
    finish = "length" if rng.random() < 0.1 else "stop"
    return Response(text, finish, 120, 40, thinking=thinking)


def _score(job, response, judge, rng, skill):
    task = job.task
    if task.judged or task.name.split("/")[0] in {"file", "typos"}:
        return task.score(job.sample, response, Resources(judge=judge))
    right = rng.random() < skill - 0.1 * (hash_of(task.name) % 3)
    names = dict.fromkeys(
        name
        for metric in task.metrics.values()
        for name in ((metric.of,) if isinstance(metric.of, str) else metric.of)
    )
    wrong = rng.choice([Verdict.WRONG, Verdict.TIMEOUT, Verdict.COMPILE_ERROR, Verdict.REFUSED])
    from bench.harness import Score

    return Score(
        Verdict.PASSED if right else wrong,
        dict.fromkeys(names, float(right)),
        extracted=f"def f():\n    return {rng.choice(HOSTILE)!r}",
        detail="" if right else f"line 3: expected 1 </script> {rng.choice(HOSTILE)}",
    )


def hash_of(name: str) -> int:
    """Give a number for a name, the same in each process."""
    return int(digest(name)[:6], 16)


def _write(file, records):
    file.write_text("".join(json.dumps(one, separators=(",", ":")) + "\n" for one in records))
