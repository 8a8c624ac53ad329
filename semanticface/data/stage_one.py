"""Stage I: words for every record, from its numbers alone.

`described` puts the rules' description into each record. `reworded` then has a language
model say it in other words, and believes none of them unchecked: a rewrite is kept only
if every claim in it holds against the numbers, nothing active is left out, and no
feeling is added or lost. Every other one is counted by its verdict, and the record keeps
the rules' words.

Records come out in the order they went in, a few at a time, so a file of any length
streams through.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from semanticface.data.chat_endpoint import Endpoint, EndpointError
from semanticface.data.records import Record, Words
from semanticface.data.rewrites import Journal, Rewrite
from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.language.consistency import check
from semanticface.language.describe import describe
from semanticface.language.description import (
    FIELDS,
    MOSTLY_SYMMETRIC,
    NOT_OBSERVABLE,
    Description,
)
from semanticface.language.lexicon import lexicon
from semanticface.language.objects import plain, spans, walk
from semanticface.language.prompts import Message, load_prompt

PROMPT = "rewrite/description"
VERDICTS = ("kept", "unreadable", "too long", "contradicted", "left out", "feeling changed",
            "failed")  # fmt: skip
_LONGEST = 6_000
"""Characters of a rewrite; the rules' longest descriptions have about 2,500."""


@dataclass
class Report:
    """What came of the rewriting."""

    verdicts: Counter[str] = field(default_factory=Counter)
    from_journal: int = 0
    asked: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    """What the endpoint said where it failed."""


def described(
    records: Iterable[Record], *, seed: int = 0, language: str = "en"
) -> Iterator[Record]:
    """Every record with the rules' words; words of a model that it already has stay."""
    task = Task.of(stage="describe", language=language, seed=seed)
    for record in records:
        if record.words is not None and record.words.by != "rules":
            yield record
        else:
            bare = record.model_copy(update={"words": None})
            yield record.model_copy(update={"words": Words.of(task.words(bare))})


def rewrite_messages(words: Description, language: str = "en") -> list[Message]:
    """The request for one rewrite."""
    fixed = lexicon(language).saying.fixed if language != "en" else {}
    return load_prompt(PROMPT).messages(
        analysis=json.dumps(words.as_analysis(), ensure_ascii=False, indent=1),
        language=language,
        not_observable=fixed.get("not_observable", NOT_OBSERVABLE),
        mostly_symmetric=fixed.get("symmetric", MOSTLY_SYMMETRIC),
    )


class _Pending(NamedTuple):
    record: Record
    words: Description
    key: str
    job: Future[str] | None


def reworded(
    records: Iterable[Record], endpoint: Endpoint, journal: Path, *, concurrency: int = 8,
    language: str = "en", seed: int = 0, report: Report | None = None,
    told: Callable[[Record], None] | None = None,
) -> Iterator[Record]:  # fmt: skip
    """Records with rewritten words where a rewrite held; `told` hears of each for a bar."""
    if concurrency < 1:
        raise BadInput(f"concurrency {concurrency}", "at least one")
    count = report if report is not None else Report()
    waiting: deque[_Pending] = deque()
    asked: dict[str, Future[str]] = {}
    pool = ThreadPoolExecutor(concurrency, "rewrite")
    try:
        with Journal(journal) as book:
            for record in described(records, seed=seed, language=language):
                waiting.append(_asked(record, endpoint, language, seed, book, asked, pool))
                if len(waiting) >= 2 * concurrency:
                    yield _done(waiting.popleft(), book, asked, count, language, endpoint, told)
            while waiting:
                yield _done(waiting.popleft(), book, asked, count, language, endpoint, told)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _asked(
    record: Record, endpoint: Endpoint, language: str, seed: int, book: Journal,
    asked: dict[str, Future[str]], pool: ThreadPoolExecutor,
) -> _Pending:  # fmt: skip
    """The record with its request under way, unless it needs none."""
    if record.words is None or record.words.by != "rules":
        return _Pending(record, describe(record.values), "", None)
    words = record.words.description
    key = request_key(words, record, endpoint, language, seed)
    if book.find(key) is not None:
        return _Pending(record, words, key, None)
    if key not in asked:  # two records alike are asked about once
        asked[key] = pool.submit(endpoint.ask, rewrite_messages(words, language), seed)
    return _Pending(record, words, key, asked[key])


def request_key(
    words: Description, record: Record, endpoint: Endpoint, language: str, seed: int
) -> str:
    """Hash of everything that the answer and its verdict depend on."""
    held = {
        "prompt": load_prompt(PROMPT).sha256, "words": words.as_analysis(), "seed": seed,
        "targets": record.targets, "language": language, **endpoint.identity(),
    }  # fmt: skip
    return sha256(json.dumps(held, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _done(
    pending: _Pending, book: Journal, asked: dict[str, Future[str]], count: Report, language: str,
    endpoint: Endpoint, told: Callable[[Record], None] | None,
) -> Record:  # fmt: skip
    """The record with what its request came to."""
    rewrite = _outcome(pending, book, asked, count, language)
    record = pending.record
    if rewrite is not None:
        count.verdicts[rewrite.verdict] += 1
        if rewrite.words is not None:
            words = Words.of(rewrite.words, by=endpoint.model)
            record = record.model_copy(update={"words": words})
    if told is not None:
        told(record)
    return record


def _outcome(
    pending: _Pending, book: Journal, asked: dict[str, Future[str]], count: Report, language: str
) -> Rewrite | None:
    if not pending.key:
        return None
    known = book.find(pending.key)
    if known is not None:
        count.from_journal += 1
        return known
    if pending.job is None:
        raise AssertionError("a request that is neither known nor under way")
    try:
        answer = pending.job.result()
    except EndpointError as fault:
        count.faults[str(fault)] += 1
        return Rewrite("failed", None)
    finally:
        asked.pop(pending.key, None)
    count.asked += 1
    rewrite = judged(answer, pending.words, pending.record, language)
    book.keep(pending.key, rewrite)
    return rewrite


def judged(answer: str, words: Description, record: Record, language: str = "en") -> Rewrite:
    """A model's answer, kept only if it says what the numbers say and no more."""
    if len(answer) > _LONGEST:
        return Rewrite("too long", None)
    rewrite = _fields(answer)
    if rewrite is None:
        return Rewrite("unreadable", None)
    held = check(rewrite, record.values, language=language)
    if held.contradicted or any(each.doubted for each in held.unclear):
        return Rewrite("contradicted", None)
    if held.unmentioned:
        return Rewrite("left out", None)
    if _no_feeling(words, language) != _no_feeling(rewrite, language):
        return Rewrite("feeling changed", None)
    return Rewrite("kept", rewrite)


def _fields(answer: str) -> Description | None:
    """The four texts of the last object that has them all, none of them empty."""
    for span in reversed(spans(answer)):
        for node in walk(span.pairs):
            found = {key: plain(value) for key, value in node}
            if set(FIELDS) <= set(found):
                told = Description.from_analysis(found)
                return told if all(text.strip() for text in told.as_analysis().values()) else None
    return None


def _no_feeling(words: Description, language: str) -> bool:
    fixed = lexicon(language).saying.fixed["not_observable"]
    return words.emotional_implication.strip().rstrip(".。").casefold() in (
        fixed.casefold(), NOT_OBSERVABLE,
    )  # fmt: skip
