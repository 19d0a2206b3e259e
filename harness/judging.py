"""A model in the role of a judge: scorers ask it one thing at a time, it is asked many together.

Every reply is kept in the run folder, in judgements.jsonl. What was judged is not judged again
when a run goes on, and `bench verify` reads the replies instead of asking for them.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from bench.harness.core import Chat, Generate, Model, Request, Response, Task
from bench.harness.errors import BenchError, InfrastructureError, Unfinished
from bench.harness.models.names import open_model
from bench.harness.plan import digest
from bench.harness.records import parse_response, response_fields
from bench.harness.store import JUDGEMENTS, Records

AT_ONCE = 64
"""scorers that may wait for a judge, so that it is asked in full batches"""
GATHERING = 0.02
"""seconds in which questions come together"""


@dataclass(frozen=True, slots=True)
class OpenJudge:
    """A model that is to judge; None where its replies are all there."""

    identity: Mapping[str, str]
    model: Model | None


def check_judge(tasks: Iterable[Task], name: str | None) -> None:
    """Refuse a run that lacks a judge, before anything is fetched."""
    judged = next((task.name for task in tasks if task.judged), None)
    if judged and name is None:
        raise BenchError(f"{judged} needs a judge. Give --judge MODEL.")


def open_judge(name: str | None) -> OpenJudge:
    """Open the model that judges."""
    assert name is not None
    model = open_model(name)
    return OpenJudge({"name": model.name, **model.identity()}, model)


def judgement_key(identity: str, request: Request) -> str:
    """Give the key of what a judge, by the hash of its identity, says to a request."""
    return digest([identity, repr(request)])[:32]


@contextmanager
def asked(judge: OpenJudge | None, folder: Path) -> "Iterator[Judging | None]":
    """Let a judge answer for a while, with what it said before at hand."""
    if judge is None:
        yield None
        return
    records = Records(folder / JUDGEMENTS)
    try:
        yield Judging(judge, records)
    finally:
        records.close()


class Judging:
    """Asks a judge and keeps what it said; without a model, only tells what it said before."""

    def __init__(self, judge: OpenJudge, records: Records) -> None:
        """Start a thread that asks the model, if there is one."""
        self.gives_rewards = judge.identity.get("gives") == "rewards"
        self._identity = digest(dict(judge.identity))
        self._records = records
        self._model = judge.model
        self._chats = judge.identity.get("chat_template") != ""  # files without one: a base model
        self._asked: SimpleQueue[tuple[Request, Future[Response]]] = SimpleQueue()
        self._under_way: dict[str, Future[Response]] = {}
        self._lock = threading.Lock()
        self._given_up = False
        # A daemon, so that nobody waits for a slow judge after Ctrl-C.
        threading.Thread(target=self._work, name="judge", daemon=True).start()

    def ask(self, request: Request) -> Response:
        """Give the judge's answer to a request.

        Raises:
            InfrastructureError: it gave none.
            Unfinished: there is no judge here, and no answer from before.

        """
        key = judgement_key(self._identity, request)
        with self._lock:
            if key in self._records:
                return parse_response(self._records[key])
            if self._model is None:
                raise Unfinished(f"{self._records.path} lacks a judgement. Run the judge again.")
            if self._given_up:
                raise InfrastructureError("the judge was given up")
            known = self._under_way.get(key)
            answer = self._under_way[key] = known or Future()
        if known is None:
            self._asked.put((request, answer))
        try:
            response = answer.result()
            if response.error:
                raise InfrastructureError(f"the judge gave no answer: {response.error}")
            if known is None:
                self._records.add({"key": key, **response_fields(response)})
        finally:
            if known is None:
                with self._lock:  # or one that has just missed the record would ask again
                    del self._under_way[key]
        return response

    def close(self) -> None:
        """Give up what is asked, and what will be."""
        with self._lock:
            self._given_up = True
            left = list(self._under_way.values())
        for answer in left:
            answer.cancel()

    def _work(self) -> None:
        while True:
            batch = [self._asked.get()]
            with suppress(Empty):
                while len(batch) < AT_ONCE:
                    batch.append(self._asked.get(timeout=GATHERING))
            self._answer([(request, to) for request, to in batch if not to.cancelled()])

    def _answer(self, batch: Sequence[tuple[Request, Future[Response]]]) -> None:
        assert self._model is not None
        requests = [request if self._chats else in_completion(request) for request, _ in batch]
        try:
            for position, response in self._model.respond(requests):
                _settle(batch[position][1], response)
        except BaseException as problem:  # noqa: BLE001 - raised again where the scorers are
            for _, answer in batch:
                _settle(answer, problem)


def in_completion(request: Request) -> Request:
    """Give what a base model is asked instead of a chat: its turns, and where the reply begins."""
    if not isinstance(request, Chat):
        return request
    text = "\n\n".join(turn.text for turn in request.messages)
    return Generate(f"{text}\nReply:{request.prefix}", request.sampling)


def _settle(answer: Future[Response], outcome: Response | BaseException) -> None:
    with suppress(InvalidStateError):  # it was given up, or settled before
        if isinstance(outcome, Response):
            answer.set_result(outcome)
        else:
            answer.set_exception(outcome)
