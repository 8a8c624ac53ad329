"""Labelling many pictures without a server: files for `vllm run-batch`, and back.

    write_requests(frames, task, "face", Path("requests.jsonl"))
    run_batch(vllm_python(), target, Options(), Path("requests.jsonl"), Path("answers.jsonl"))
    clip, reports = read_answers(Path("answers.jsonl"), frames, task)

One request a line, its `custom_id` the picture's number and hash: an answer is only taken
for the picture it was given to, whatever order the lines come in.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semanticface.atomic import whole_file
from semanticface.data.tasks import Task
from semanticface.errors import BadInput, SemanticFaceError
from semanticface.formats import json_lines
from semanticface.language.parsed import ParseReport, nothing
from semanticface.rig import COUNT, ClipMeta, FaceClip
from semanticface.serve import lifeline
from semanticface.serve.arguments import Options, arguments, environment
from semanticface.serve.ask import Text
from semanticface.serve.client import Frame, Settings
from semanticface.serve.request import MAX_TOKENS, chat_body, data_url
from semanticface.serve.target import Target

_MODULE = "vllm.entrypoints.openai.run_batch"


class Labelled(NamedTuple):
    """A clip and how each of its frames was read."""

    clip: FaceClip
    reports: list[ParseReport]


def write_requests(
    frames: Iterable[Frame], task: Task, model: str, path: Path, *, max_tokens: int = MAX_TOKENS
) -> int:
    """One line for each frame; how many there are."""
    count = 0
    with whole_file(path) as place, place.open("w", encoding="utf-8") as stream:
        for number, frame in enumerate(frames):
            body = chat_body(task, model, data_url(frame.picture), max_tokens=max_tokens)
            line = {"custom_id": _name(number, frame), "method": "POST",
                    "url": "/v1/chat/completions", "body": body}  # fmt: skip
            stream.write(json.dumps(line) + "\n")
            count += 1
    return count


def read_answers(path: Path, frames: Sequence[Frame], task: Task) -> Labelled:
    """The answers in the frames' order; a frame without one is a row of NaN with its report."""
    held = dict(_answers(path))
    way = Text(task, "", Settings())
    rows, reports = [], []
    for number, frame in enumerate(frames):
        reply = held.pop(_name(number, frame), None)
        read = None if reply is None else way.read(way.answered(reply))
        rows.append(nothing("").values if read is None else read.values)
        reports.append(nothing("no answer in the file").report if read is None else read.report)
    if held:
        raise BadInput(f"answers to {len(held)} other pictures", "answers to these", file=path,
                       hint="Is it the file of another set, or in another order?")  # fmt: skip
    values = np.array(rows, np.float32).reshape(len(rows), COUNT)
    times = np.array([frame.time for frame in frames])
    return Labelled(FaceClip.of(values, times, meta=ClipMeta(str(path), "run-batch")), reports)


def run_batch(
    python: Path, target: Target, options: Options, asked: Path, answered: Path, *,
    log: Path | None = None,
) -> None:  # fmt: skip
    """Answer a file of requests by `vllm run-batch`, in vLLM's own environment."""
    told = arguments(target, options)
    for flag in ("--host", "--port"):
        del told[told.index(flag) : told.index(flag) + 2]
    command = [str(python), "-m", _MODULE, "-i", str(asked), "-o", str(answered), *told]
    surroundings = {**os.environ, **environment(target, options, None)}
    with (
        (log or Path(os.devnull)).open("ab") as stream,
        lifeline.start(command, surroundings, stream) as process,
    ):
        code = process.wait()
    if code or not answered.is_file():
        where = f"; see {log}" if log is not None else ""
        raise SemanticFaceError(f"vllm run-batch ended with code {code}{where}")


def _answers(path: Path) -> Iterable[tuple[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        for row, line in enumerate(stream, 1):
            held = json_lines.mapping(
                json_lines.parse(line, file=path, row=row), file=path, row=row
            )
            name, reply = held.get("custom_id"), held.get("response")
            if not isinstance(name, str):
                raise BadInput("a line without custom_id", "an answer", file=path, row=row)
            if isinstance(reply, dict) and reply.get("status_code") == 200:
                yield name, reply.get("body")


def _name(number: int, frame: Frame) -> str:
    return f"{number}-{sha256(frame.picture).hexdigest()[:16]}"
