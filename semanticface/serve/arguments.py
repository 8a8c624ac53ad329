"""The command line of `vllm serve`, put together from a target and a few choices.

Each flag that is not a plain copy of an option has its reason here:

* `--enable-tower-connector-lora` where an adapter changes the vision tower: without it
  vLLM answers with HTTP 200 and the untouched tower.
* `disable_any_whitespace`: else a model that is unsure fills a JSON answer with blanks.
* backend `xgrammar`: with `guidance` a number from 0 to 1 may run on without end.
* videos are switched off and pictures counted, so no request holds more than was meant.
* `--no-enable-log-requests` is vLLM's default; prompts hold people's faces.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Literal

from semanticface.errors import BadInput
from semanticface.serve.identity import VARIABLE, Served, to_json
from semanticface.serve.target import Target

MODULE = "vllm.entrypoints.openai.api_server"
"""Started as a module: the `vllm` command of community builds does not find itself."""
ONE_PASS = "SemanticFaceOnePass"
PLUGINS = "semanticface"


@dataclass(frozen=True)
class Options:
    """How a target is served."""

    host: str = "127.0.0.1"
    port: int = 8000
    device: Literal["gpu", "cpu"] = "gpu"
    dtype: str = "auto"
    max_model_len: int = 4096
    max_num_seqs: int | None = None
    """Answers written at once; vLLM's own choice unless given."""
    pictures: int = 1
    """Pictures in one request, at most."""
    tensor_parallel: int = 1
    """GPUs that one copy of the model is spread over."""
    data_parallel: int = 1
    """Copies of the model behind this one address."""
    gpu_memory: float | None = None
    """Share of a GPU's memory, 0 to 1; vLLM's own choice unless given."""
    ngram: int = 0
    """Tokens to guess ahead from the prompt, where the key names stand; 0 for none."""
    hot: bool = False
    """Let adapters be loaded and unloaded while it runs."""
    one_pass: bool = False
    """Serve the one-pass read-out (61 values from one prefill) instead of text."""
    eager: bool = False
    """No compiled graphs: starts sooner, answers slower."""
    cache_gib: int = 1
    """On a CPU: memory for keys and values, in whole GiB."""
    extra: tuple[str, ...] = field(default=())
    """Passed on as they are."""


def arguments(target: Target, options: Options) -> list[str]:
    """Everything after `vllm serve`."""
    _check(options)
    if options.one_pass and target.slots is False:
        raise BadInput(
            "a run that has not learnt the one-pass read-out",
            "one that has",
            hint="Train it with also: coefficients/slots.",
        )
    told = [
        "--model", target.model, "--served-model-name", target.name,
        "--host", options.host, "--port", str(options.port), "--dtype", options.dtype,
        "--max-model-len", str(options.max_model_len), "--enable-prefix-caching",
        "--limit-mm-per-prompt", json.dumps({"image": options.pictures, "video": 0}),
    ]  # fmt: skip
    told += _readout(options)
    told += _adapters(target, options)
    told += _sizes(options)
    return [*told, *options.extra]


def environment(target: Target, options: Options, key: str | None) -> dict[str, str]:
    """What goes into the server's environment; a key stays off the command line there."""
    told = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "VLLM_PLUGINS": PLUGINS}
    if key:
        told["VLLM_API_KEY"] = key
    if options.hot:
        told["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] = "True"
    models = {name: each._replace(one_pass=options.one_pass)
              for name, each in target.models.items()}  # fmt: skip
    told[VARIABLE] = to_json(Served(models, target.unknown, target.base, options.one_pass))
    if options.device == "cpu":
        told |= {
            "VLLM_CPU_KVCACHE_SPACE": str(options.cache_gib), "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "OMP_NUM_THREADS": "1", "TORCHDYNAMO_DISABLE": "1",
            # Else `uni` is overruled: a worker process of its own, for which the engine's spins.
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        }  # fmt: skip
    return told


def _check(options: Options) -> None:
    for name in ("pictures", "tensor_parallel", "data_parallel", "cache_gib", "max_model_len"):
        if getattr(options, name) < 1:
            raise BadInput(f"{name} {getattr(options, name)}", "one at least")
    if options.one_pass and options.ngram:
        raise BadInput("n-gram guesses for the one-pass read-out", "one of the two",
                       hint="It decodes nothing, so there is nothing to guess.")  # fmt: skip


def _readout(options: Options) -> list[str]:
    if options.one_pass:
        return ["--runner", "pooling",
                "--hf-overrides", json.dumps({"architectures": [ONE_PASS]})]  # fmt: skip
    outputs = {"backend": "xgrammar", "disable_any_whitespace": True}
    told = ["--structured-outputs-config", json.dumps(outputs)]
    if options.ngram:
        guess = {"method": "ngram", "num_speculative_tokens": options.ngram,
                 "prompt_lookup_max": 4, "prompt_lookup_min": 2}  # fmt: skip
        told += ["--speculative-config", json.dumps(guess)]
    return told


def _adapters(target: Target, options: Options) -> list[str]:
    adapters = target.adapters
    if not adapters and not options.hot:
        return []
    room = max((each.room for each in adapters), default=16)
    told = ["--enable-lora", "--max-lora-rank", str(room),
            "--max-loras", str(max(1, len(adapters)))]  # fmt: skip
    if options.hot or any(each.seeing for each in adapters):
        told.append("--enable-tower-connector-lora")
    if adapters:
        told += ["--lora-modules", *(f"{each.name}={each.path}" for each in adapters)]
    return told


def _sizes(options: Options) -> list[str]:
    told = []
    for flag, count in (("--tensor-parallel-size", options.tensor_parallel),
                        ("--data-parallel-size", options.data_parallel)):  # fmt: skip
        told += [flag, str(count)] if count > 1 else []
    if options.max_num_seqs:
        told += ["--max-num-seqs", str(options.max_num_seqs)]
    if options.gpu_memory is not None:
        told += ["--gpu-memory-utilization", str(options.gpu_memory)]
    if options.device == "cpu" and options.tensor_parallel == 1:
        told += ["--distributed-executor-backend", "uni"]  # one process less to start
    if options.eager or options.device == "cpu":
        told.append("--enforce-eager")
    return told
