"""Tasks of lm-evaluation-harness on rows of ours, weighed by a hash as a model would."""

import hashlib
import json


def weigh(context, continuation):
    """Give a log-probability that nobody could guess, and that depends on each character."""
    digest = hashlib.sha256(f"{context}\0{continuation}".encode()).digest()
    return -int.from_bytes(digest[:4], "big") / 2**28 - 1e-3


def evaluated(name, tmp_path, shown, measure="acc", **splits):
    """Run a task of lm-evaluation-harness on rows of ours; give its requests and its accuracies."""
    from lm_eval.api.model import LM
    from lm_eval.api.task import ConfigurableTask
    from lm_eval.evaluator import evaluate
    from lm_eval.tasks import TaskManager
    from lm_eval.tasks._yaml_loader import load_yaml

    asked = []

    class Hashed(LM):
        def loglikelihood(self, requests):
            asked.extend(request.args for request in requests)
            return [(weigh(*request.args), False) for request in requests]

        def loglikelihood_rolling(self, requests):
            raise NotImplementedError

        def generate_until(self, requests):
            raise NotImplementedError

    files = {}
    for split, rows in splits.items():
        files[split] = str(tmp_path / f"{split}.jsonl")
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = load_yaml(TaskManager().task_index[name].yaml_path)
    local = {"data_files": files, "cache_dir": str(tmp_path / "cache")}
    config |= {"dataset_path": "json", "dataset_name": None, "dataset_kwargs": local}
    task = ConfigurableTask(config=config)
    task.set_config(key="num_fewshot", value=shown)
    found = evaluate(lm=Hashed(), task_dict={name: task}, log_samples=True, bootstrap_iters=0)
    samples = sorted(found["samples"][name], key=lambda sample: sample["doc_id"])
    values = [sample[measure] for sample in samples]
    return asked, values, found["results"][name][f"{measure},none"]
