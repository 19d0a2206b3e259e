"""`bench run`: from a configuration to a folder with a summary. `bench grade` shares the way."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console

from bench.harness import manifest, registry, runner
from bench.harness.cache import ResponseCache, remembered, response_folder
from bench.harness.config import Place, RunConfig
from bench.harness.core import Model, Resources, Sandbox, Task, Verdict
from bench.harness.data import Data
from bench.harness.errors import BenchError
from bench.harness.executor import Executor, executor, sandbox_backend
from bench.harness.judging import AT_ONCE, asked, check_judge, open_judge
from bench.harness.models.names import open_model
from bench.harness.models.tokenizer import tokenizer_of
from bench.harness.plan import Plan, digest
from bench.harness.progress import RunProgress
from bench.harness.runner import Watcher
from bench.harness.store import SUMMARY, Store, read_json, write_json
from bench.harness.usage import Prices, prices_of, used

Work: TypeAlias = Callable[[Store, Resources, int, Watcher], None]
"""gets a number of workers besides"""


@dataclass(frozen=True, slots=True)
class Result:
    """A finished run: its folder and summary, how many answers stayed unscored, and its pace."""

    folder: Path
    summary: dict[str, Any]
    unscored: int
    pace: dict[str, float]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a configuration stands for: a model, and a plan of what to ask it."""

    model: Model
    identity: Mapping[str, str]
    plan: Plan


def prepare(config: RunConfig, opener: Callable[[str], Model] = open_model) -> Prepared:
    """Open the model and plan the run, without asking anything or writing.

    Raises:
        BenchError: the configuration cannot be run; each case says what to mend.

    """
    tasks = registry.select(config.tasks)
    sandbox_backend(config.sandbox)  # a mistake in its name is found before a model is fetched
    check_judge(tasks, config.judge)
    model = opener(config.model)
    if config.chat and not model.has_chat_template:
        raise BenchError(f"--chat: {model.name} has no chat template. Leave --chat out.")
    chat = model.has_chat_template if config.chat is None else config.chat
    if config.system_prompt and not chat:
        raise BenchError("--system-prompt: only a chat has one, and this run asks by completion.")
    if chat:
        _check_forms(tasks)
    identity = {"name": model.name, **model.identity()}
    plan = Plan(tasks, Data(config.data_dir), config.settings(chat=chat), digest(identity))
    if any(task.tokens for task in tasks):
        plan = replace(plan, tokenizer=tokenizer_of(open_model(config.model)))
    return Prepared(model, identity, plan)


def _check_forms(tasks: Sequence[Task]) -> None:
    """Refuse, of a chat, a task in token ids beside a baseline that has a chat form."""
    chats = {task.name for task in tasks if task.chat}
    for task in tasks:
        if task.tokens and not task.chat and task.baseline in chats:
            raise BenchError(
                f"{task.name} is asked by completion, its baseline {task.baseline} as a chat: no "
                "comparison. Give --no-chat, or leave one of them out."
            )


def evaluate(config: RunConfig, console: Console) -> Result:
    """Evaluate a model on tasks, or go on with the run that the folder holds.

    Raises:
        BenchError: the configuration cannot be run; each case says what to mend.
        Unfinished: it could not be brought to its end; what was done is kept.

    """
    registry.select(config.tasks)  # a mistake in a name is found before machines are started
    with executor(config) as machines:
        return evaluate_on(machines, config, console)


def evaluate_on(machines: Executor, config: RunConfig, console: Console) -> Result:
    """Evaluate a model on given machines; see evaluate."""
    prepared = prepare(config, machines.open_model)
    model, identity, plan = prepared.model, prepared.identity, prepared.plan

    def work(store: Store, resources: Resources, workers: int, watcher: Watcher) -> None:
        with kept(plan.model, identity, console, wanted=config.cache) as cache:
            runner.run(plan.jobs(), model, store, resources, workers, watcher, cache)

    title = f"{model.name} ({'chat' if plan.settings.chat else 'completion'} form)"
    prices = prices_of(model)
    return carry_out(plan, identity, config, machines, work, title, console, prices)


def kept(
    model: str, identity: Mapping[str, Any], console: Console, *, wanted: bool
) -> AbstractContextManager[ResponseCache | None]:
    """Open the cache of responses, where it is wanted and the model is one that it keeps."""
    if not wanted or not remembered(identity):
        return nullcontext()
    return ResponseCache(response_folder(), model, partial(say, console))


def carry_out(  # noqa: PLR0917 - what is done, where, how, and what is said
    plan: Plan,
    identity: Mapping[str, str],
    place: Place,
    machines: Executor,
    work: Work,
    title: str,
    console: Console,
    prices: Prices | None = None,
) -> Result:
    """Bring a plan to its end in a run folder, by work that answers and scores its open jobs."""
    total, described = plan.describe()
    workers = machines.scorers
    judge = open_judge(place.judge) if any(task.judged for task in plan.tasks) else None
    open_sandbox = partial(machines.open_sandbox, place.sandbox)
    with opened(open_sandbox, plan.tasks) as (sandbox, isolation):
        parties = {
            "model": dict(identity),
            "judge": dict(judge.identity) if judge else None,
            "sandbox": isolation,
            # Only there is the model needed to verify a run: its tokenizer says what was asked.
            "opened_as": getattr(place, "model", None) if plan.tokenizer else None,
        }
        content = manifest.describe(parties, plan, described, place.data_dir)
        folder = place.out or manifest.default_folder(content)
        manifest.enter(folder, content, fresh=place.fresh)
        warn_of_unproven(content["proofs"] or {}, console)
        with Store(folder) as store:
            done = sum(runner.is_scored(store, job.key) for job in plan.jobs() if store.scores)
            progress = RunProgress(total, done, console)
            if done == total:
                say(console, f"Nothing to do: all {total:,} answers in {folder} are scored.")
            else:
                begun = f"; {done:,} are scored already" if done else ""
                say(console, f"{title}: {total:,} answers{begun}. Results: {folder}")
                with progress, asked(judge, folder) as judging:
                    threads = max(workers, AT_ONCE) if judging else workers
                    work(store, Resources(sandbox, judging), threads, progress)
                say(console, progress.spoken())
            summary = summarized(plan, store, folder, prices)
    counts = [entry["verdicts"] for entry in summary["tasks"].values()]
    unscored = sum(count.get(Verdict.INFRASTRUCTURE_ERROR, 0) for count in counts)
    return Result(folder, summary, unscored, progress.pace())


def warn_of_unproven(proofs: Mapping[str, Mapping[str, Any]], console: Console) -> None:
    """Name the languages of which nobody knows whether their toolchain works here."""
    names = [name for name, proof in proofs.items() if not proof["proven"]]
    if names:
        listed = ", ".join(names)
        say(console, f"Not proven on this host: {listed}. bench sandbox check proves toolchains.")


def say(console: Console, text: str) -> None:
    """Print a line as it is, however long."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def summarized(
    plan: Plan, store: Store, folder: Path, prices: Prices | None = None
) -> dict[str, Any]:
    """Compute the summary of a run, write it, and give it."""
    from bench.harness.summary import summarize  # scipy, which takes its time

    file = folder / SUMMARY
    found = summarize(plan.tasks, store.scores, plan.settings.n, store.responses)
    summary = found | used(plan, store, prices)
    if not file.exists() or read_json(file) != summary:
        write_json(file, summary)
    return summary


@contextmanager
def opened(
    open_sandbox: Callable[[], Sandbox], tasks: Sequence[Task]
) -> Iterator[tuple[Sandbox | None, Any]]:
    """Open the sandbox that tasks need, if any does, and close it whatever happens."""
    languages = sorted({language for task in tasks for language in task.languages})
    if not languages:
        yield None, None
        return
    sandbox = open_sandbox()
    try:
        yield sandbox, sandbox.identity(languages)
    finally:
        sandbox.close()
