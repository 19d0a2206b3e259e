"""Every task says what it is: a line in the list, and a card with something in each part."""

import os
import pty
import subprocess
from collections import Counter
from contextlib import suppress
from dataclasses import asdict

import pytest
from command_line import BENCH, bench

from bench.harness import registry
from bench.harness.core import Card

TASKS = registry.tasks()
MADE = ("typos/case-10/gsm8k/cot", "typos/token_noise-2/gsm8k/cot", "judged/xstest/safe")
FAMILIES = ("file", "judged", "lm_eval", "redteam", "typos", "versus")
CARDS = {card: name for name, task in TASKS.items() if (card := task.card)}


def test_every_task_has_a_card_and_one_line_about_it():
    made = {task.name: task for name in MADE for task in registry.select(name)}
    lacking = [name for name, task in (TASKS | made).items() if not isinstance(task.card, Card)]
    assert lacking == []
    lines = {name: task.about for name, task in (TASKS | made).items()}
    assert [name for name, line in lines.items() if not line or "\n" in line] == []
    assert len(TASKS) > 500


@pytest.mark.parametrize("card", CARDS, ids=CARDS.values())
def test_a_card_has_something_in_each_part(card):
    for part, said in asdict(card).items():
        assert said.strip(), part
    assert card.measures.endswith(".")
    assert len(card.protocol) > 80
    assert len(card.limits) > 80


@pytest.mark.parametrize("name", ["quickstart/tokenization", "tkeval/identify_math_theorems"])
def test_a_card_is_shown(name):
    shown = " ".join(bench("tasks", name).stdout.split())
    [card] = {task.card for task in registry.select(name)}
    for said in asdict(card).values():
        assert said in shown


def test_a_terminal_shows_one_entry_for_each_benchmark():
    shown = on_a_terminal("tasks")
    starts = [line.split()[:2] for line in shown.splitlines() if line[:1].strip()]
    counts = Counter(name.partition("/")[0] for name in TASKS)
    assert starts[: len(counts)] == [[name, str(count)] for name, count in counts.items()]
    assert [name for name, _ in starts[len(counts) : -1]] == [f"{name}/NAME" for name in FAMILIES]
    words = " ".join(shown.split())
    assert all(card.measures in words for card in CARDS)
    assert on_a_terminal("tasks", "xcopa/*").count("xcopa/") == 11


def test_a_program_reads_the_name_of_every_task():
    every = bench("tasks").stdout
    names = [line.split()[0] for line in every.splitlines()]
    assert names == [*TASKS, *(f"{name}/NAME" for name in FAMILIES)]
    assert bench("tasks", "*").stdout == every


def on_a_terminal(*arguments: str) -> str:
    """Give what `bench` writes where its output is a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([BENCH, *arguments], stdout=theirs) as process:
        os.close(theirs)
        said = b""
        with suppress(OSError):  # which is how a terminal ends on Linux
            while part := os.read(ours, 65536):
                said += part
        os.close(ours)
    assert process.returncode == 0
    return said.decode().replace("\r\n", "\n")


def test_examples_that_are_among_the_samples_are_told():
    for name in ("tkeval/identify_math_theorems", "tkeval/word_unscrambling"):
        assert "items of the set themselves" in TASKS[name].card.limits


def test_a_card_with_typos_says_so():
    clean, chars, tokens = (
        registry.select(name)[0].card.protocol for name in ("gsm8k/cot", *MADE[:2])
    )
    assert chars.startswith(clean)
    assert "noise in the questions alone" in chars
    assert "--no-chat" in tokens.removeprefix(chars)
