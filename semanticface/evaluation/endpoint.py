"""A model behind an OpenAI-compatible endpoint, asked about every picture of an item.

The picture goes into the project's prompt as a data URL; the answer is read by
`parse_answer`, which fills nothing in. A picture without an answer is a row of NaN
with its report. Where a `work` folder is given, each answer is written to
`answers.jsonl` as it comes, under a hash of picture, prompt, model, address and
parameters: another run asks only what is missing.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from semanticface.errors import BadInput
from semanticface.evaluation.chat import Chat, Unanswered
from semanticface.evaluation.fingerprints import code_sha256, fingerprint
from semanticface.evaluation.images import Show, meta_of, picture_facts, shows
from semanticface.evaluation.items import Item, Prediction
from semanticface.evaluation.specs import EndpointSpec, Progress
from semanticface.formats.mouth_pair import MOUTH_EXCHANGED
from semanticface.language.answers import AnswerFormat, answer_format
from semanticface.language.parse import parse_answer
from semanticface.language.parsed import Parsed, nothing
from semanticface.language.prompts import image_messages, load_prompt
from semanticface.render.picture import Picture
from semanticface.rig import COUNT, FaceClip
from semanticface.serve.journal import Answered, Journal

JOURNAL = "answers.jsonl"
GIVE_UP = 8
"""Pictures without an answer in a row, none answered since, after which nobody is there."""
_HOW = ("concurrency", "timeout", "deadline", "retries", "pause")
_PLACE = "<image>"
_QUALITY = 95


class EndpointSource:
    """A served model."""

    def __init__(self, spec: EndpointSpec) -> None:
        self.spec = spec
        self.name: str = spec.name
        self.kind: str = spec.kind
        self.format: AnswerFormat = answer_format(spec.answer_format)
        self.messages = image_messages(self.format, spec.prompt)
        if spec.structured and self.format.json_schema() is None:
            raise BadInput(f"'structured' for the answer format '{self.format.key}'",
                           "a format that is JSON: two-key, flat or sparse")  # fmt: skip
        self._asks = hashlib.sha256(json.dumps(self.request("")).encode()).hexdigest()

    def fingerprint(self, item: Item) -> str:
        """Of the pictures, the prompt, the model, its address and the parameters."""
        return fingerprint({
            "spec": self.spec.settings("api_key_env", "frames", *_HOW), "request": self._asks,
            "prompt": load_prompt(self.spec.prompt).sha256, "reader": code_sha256("language"),
            **picture_facts(self.spec, item),
        })  # fmt: skip

    def key(self, picture: Picture) -> str:
        """Under which the journal keeps the answer to a picture."""
        told = f"{self.spec.url}\n{self._asks}\n{self.spec.encoding}\n{picture.shape}\n"
        return hashlib.sha256(told.encode() + picture.tobytes()).hexdigest()

    def request(self, url: str) -> dict[str, Any]:
        """The request's body, with the picture under `url`."""
        body: dict[str, Any] = {
            "model": self.spec.model,
            "messages": [
                {"role": message["role"], "content": _content(message["content"], url)}
                for message in self.messages
            ],
            "max_tokens": self.spec.max_tokens,
            "temperature": self.spec.temperature,
        }
        if self.spec.structured:
            schema = {"name": "face", "schema": self.format.json_schema(), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body

    def predict(
        self, item: Item, progress: Progress | None = None, *, work: Path | None = None
    ) -> list[Prediction]:
        """The answers to every picture; one prediction for each identity drawn."""
        found = shows(self.spec, item)
        chat = Chat(self.spec)
        total = sum(show.total for show in found)
        done, predictions = 0, []
        with Journal(None if work is None else work / JOURNAL) as journal:
            for show in found:
                asked = _Asked(self, chat, journal, progress, done, total)
                asked.all_of(show)
                predictions.append(self._prediction(show, asked, item))
                done += len(asked.keys)
        return predictions

    def _prediction(self, show: Show, asked: _Asked, item: Item) -> Prediction:
        read = [self._read(key, asked) for key in asked.keys]
        values = np.array([each.values for each in read], np.float32).reshape(-1, COUNT)
        present = np.asarray(np.isfinite(values).any(axis=0), np.bool_)
        present[list(self.format.channels)] = True  # asked for, answered or not
        meta = meta_of(item, self.spec.model, "endpoint")
        clip = FaceClip(values, np.array(asked.times), present, meta)
        if self.spec.exchange_mouth:
            clip = clip.exchanged("mouthLeft", "mouthRight")
            clip = clip.with_meta(conventions=(MOUTH_EXCHANGED,))
        texts = tuple(asked.text(key) for key in asked.keys)
        reports = tuple(each.report for each in read)
        notes = {**show.notes, **asked.notes(), "answer format": self.format.key,
                 "outcomes": dict(Counter(report.outcome for report in reports))}  # fmt: skip
        return Prediction(clip.mirrored() if show.mirrored else clip, reports, texts, notes)

    def _read(self, key: str | None, asked: _Asked) -> Parsed:
        """One row: the answer's values, or NaN and why."""
        answer = None if key is None else asked.journal.get(key)
        if key is None:
            return nothing("no picture: the reference has no face here",
                           channels=self.format.channels)  # fmt: skip
        if answer is None:
            return nothing(f"no answer: {asked.failed[key]}", channels=self.format.channels)
        parsed = parse_answer(answer.text, self.format)
        if answer.finish != "length":
            return parsed
        notes = (*parsed.report.notes, "cut off at max_tokens")
        return parsed._replace(report=parsed.report._replace(notes=notes))


@dataclass
class _Asked:
    """One show through the endpoint: each different picture asked once, a few at a time."""

    source: EndpointSource
    chat: Chat
    journal: Journal
    progress: Progress | None
    done: int
    total: int
    keys: list[str | None] = field(default_factory=list)
    """One a frame; None where there was no picture."""
    times: list[float] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """Key -> why there is no answer."""
    remembered: int = 0
    fresh: int = 0
    _settled: int = 0
    _waiting: dict[Future[Answered], str] = field(default_factory=dict)
    _in_a_row: int = 0

    def all_of(self, show: Show) -> None:
        """Ask about every picture; an error nothing can mend ends it, answers stay."""
        most = self.source.spec.concurrency
        with _pool(most, self.chat) as pool:
            for key, picture in self._unknown(show):
                while len(self._waiting) >= most:
                    self._collect()
                self._waiting[pool.submit(self._ask, key, picture)] = key
            while self._waiting:
                self._collect()

    def _unknown(self, show: Show) -> Iterator[tuple[str, Picture]]:
        """Pictures that nobody has asked about yet."""
        begun: set[str] = set()
        for time, picture in show.shots():
            key = None if picture is None else self.source.key(picture)
            self.times.append(time)
            self.keys.append(key)
            if key is None or picture is None or key in begun:
                self._settle()
                continue
            begun.add(key)
            if self.journal.get(key) is None:
                yield key, picture
            else:
                self.remembered += 1
                self._settle()

    def _ask(self, key: str, picture: Picture) -> Answered:
        url = data_url(picture, self.source.spec.encoding)
        answer = self.chat.ask(self.source.request(url))
        self.journal.add(key, answer)  # here, so that it is kept whatever becomes of the others
        return answer

    def _collect(self) -> None:
        """Take what has come in, at least one."""
        ready, _ = wait(self._waiting, return_when=FIRST_COMPLETED)
        for each in ready:
            key = self._waiting.pop(each)
            self._settle()
            try:
                each.result()
                self.fresh += 1
                self._in_a_row = 0
            except Unanswered as fault:
                self.failed[key] = str(fault)
                self._in_a_row += 1
        if self._in_a_row >= GIVE_UP:
            why = next(reversed(self.failed.values()))
            raise BadInput(
                f"{self._in_a_row} pictures in a row without an answer ({why})",
                "an endpoint that answers",
                file=self.source.spec.url,
                hint="With a folder to work in, answers are kept: run again once it is back.",
            )

    def _settle(self) -> None:
        self._settled += 1
        if self.progress is not None:
            self.progress(self.done + self._settled, self.total)

    def text(self, key: str | None) -> str:
        """The answer to a picture, empty if there is none."""
        answer = None if key is None else self.journal.get(key)
        return "" if answer is None else answer.text

    def notes(self) -> dict[str, Any]:
        """Counts for the reader of a result."""
        answers = [self.journal.get(key) for key in self.keys if key is not None]
        held = [each for each in answers if each is not None]
        return {
            "model": self.source.spec.model,
            "prompt": self.source.spec.prompt,
            "asked": self.fresh + len(self.failed),
            "remembered": self.remembered,
            "repeats": self.chat.repeats,
            "unanswered": sum(key in self.failed for key in self.keys),
            "cut off": sum(each.finish == "length" for each in held),
            "tokens written": sum(each.written for each in held),
            "journal lines unreadable": self.journal.unreadable,
        }


@contextmanager
def _pool(size: int, chat: Chat) -> Iterator[ThreadPoolExecutor]:
    """Threads that are told to stop when their work is not wanted any more."""
    pool = ThreadPoolExecutor(size, thread_name_prefix="ask")
    try:
        yield pool
    except BaseException:
        chat.stop()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def data_url(picture: Picture, encoding: str) -> str:
    """The picture as a PNG or JPEG (quality 95) in a data URL."""
    from PIL import Image

    buffer = io.BytesIO()
    options: dict[str, Any] = {"quality": _QUALITY} if encoding == "jpeg" else {}
    Image.fromarray(picture).save(buffer, format=encoding.upper(), **options)
    return f"data:image/{encoding};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _content(text: str, url: str) -> str | list[dict[str, Any]]:
    """A message's text, with the picture where `<image>` stands."""
    if _PLACE not in text:
        return text
    parts: list[dict[str, Any]] = []
    for number, piece in enumerate(text.split(_PLACE)):
        if number:
            parts.append({"type": "image_url", "image_url": {"url": url}})
        if piece.strip():
            parts.append({"type": "text", "text": piece.strip()})
    return parts
