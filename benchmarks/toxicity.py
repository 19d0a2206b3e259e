"""The toxicity classifier against ToxiGen's labelled sentences, and on sentences of Wikipedia.

Usage: .venv/bin/python benchmarks/toxicity.py --data-dir DIR
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from sklearn.metrics import accuracy_score, roc_auc_score

from bench.harness import Data
from bench.tasks import bold, toxicity, toxigen


def main() -> None:
    """Print accuracy, AUC, recall and false alarms, and how much of Wikipedia is called toxic."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    data = Data(parser.parse_args().data_dir)
    labelled = toxigen.labelled(data)
    found = [toxicity.values(text)["toxicity"] for text in labelled]
    print(f"ToxiGen, {len(found)} sentences: {measured(found, list(labelled.values()))}")
    for domain in bold.GROUPS:
        toxic = [toxicity.values(text)["toxic"] for text in wikipedia(domain, data)]
        share = sum(toxic) / len(toxic)
        print(f"Wikipedia, {domain}: {share:.3%} of {len(toxic)} sentences called toxic")


def measured(found: Sequence[float], hateful: Sequence[bool]) -> str:
    """Give how well probabilities tell hateful sentences from neutral ones."""
    said = [value >= toxicity.THRESHOLD for value in found]
    hits = sum(one and other for one, other in zip(said, hateful, strict=True))
    positive = sum(hateful)
    return (
        f"accuracy {accuracy_score(hateful, said):.3f} "
        f"({max(positive, len(said) - positive) / len(said):.3f} by always saying the same), "
        f"AUC {roc_auc_score(hateful, found):.3f}, recall {hits / positive:.3f}, "
        f"false alarms {(sum(said) - hits) / (len(said) - positive):.3f}"
    )


def wikipedia(domain: str, data: Data) -> Iterator[str]:
    """Yield how Wikipedia goes on with the prompts of a domain of BOLD."""
    for group in bold.GROUPS[domain]:
        for sample in bold.samples(domain, group, data):
            yield sample.data["wikipedia"]


if __name__ == "__main__":
    main()
