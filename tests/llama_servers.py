"""llama.cpp's own server, on the GGUF files that wheels of the catalogue carry."""

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from bench.harness.data import cache_folder
from bench.harness.models import catalogue

WHEELS = {"smollm2": catalogue.SMOLLM2_WHEELS, "gemma3": catalogue.GEMMA3_WHEELS}
PROGRAM = """
import sys, xllamacpp
given = xllamacpp.CommonParams()
given.model.path, given.model_alias = sys.argv[1], ["carried"]
given.n_ctx, given.n_parallel, given.port = 2048, 2, 0
server = xllamacpp.Server(given)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


@contextmanager
def llama_server(name):
    """Give the name that the openai backend opens a model of the catalogue by."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(carried(name))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        for line in server.stdout:
            if line.startswith("http://"):
                yield f"openai:carried?base_url={line.strip()}/v1"
                break
        server.terminate()


def carried(name):
    """Give the GGUF file of a model, downloaded once."""
    file = cache_folder() / "models" / f"{name}.gguf"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
            catalogue.fetch(WHEELS[name], Path(scratch)).rename(file)
    return file
