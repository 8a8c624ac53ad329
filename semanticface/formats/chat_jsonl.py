"""Chat records as JSON lines: MS-SWIFT's and OpenAI's, and the way between them.

MS-SWIFT: the text holds `<image>`, `<video>` or `<audio>` where a medium stands,
and the record lists the media by kind:

    {"messages": [{"role": "user", "content": "<image>Describe it."}], "images": ["a.jpg"]}

OpenAI: the content is a text, or a list of parts of type `text`, `image_url`,
`video_url` and `input_audio`.

A record goes to the other side and comes back the same. Two things have two
spellings on one side and get one: neighbouring text parts become one, and a
list that holds text only becomes a plain text. Anything else that cannot be said
on the other side is an error, never dropped: a text that contains a tag itself,
a part of an unknown type, inline bytes. Other keys of a record stay as they are.

Records are read one line at a time, so a file may be larger than memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from semanticface.errors import BadInput
from semanticface.formats import json_lines
from semanticface.formats.json_lines import MAX_LINE, PathLike

_TAG = re.compile(r"<(image|video|audio)>")
_DATA = re.compile(r"data:audio/([\w.+-]+);base64,(.*)", re.DOTALL)
_PARTS = {"image": "image_url", "video": "video_url", "audio": "input_audio"}
_KINDS = {part: kind for kind, part in _PARTS.items()}


class _Open(BaseModel):
    """Keys that are not declared are kept."""

    model_config = ConfigDict(extra="allow", strict=True)

    def as_record(self) -> dict[str, Any]:
        """The record as it stands in a file: only what was given."""
        return self.model_dump(exclude_unset=True)


class SwiftMessage(_Open):
    """One turn; media stand in the text as tags."""

    role: str
    content: str | None = None


class SwiftRecord(_Open):
    """A chat in MS-SWIFT's form; a medium is a path or URL, or an object with `path`."""

    messages: list[SwiftMessage] = Field(min_length=1)
    images: list[str | dict[str, Any]] = []
    videos: list[str | dict[str, Any]] = []
    audios: list[str | dict[str, Any]] = []

    def media(self, kind: str) -> list[str | dict[str, Any]]:
        """The list of a kind: image, video or audio."""
        listed: list[str | dict[str, Any]] = getattr(self, f"{kind}s")
        return listed


class OpenAIMessage(_Open):
    """One turn; `content` is a text or a list of parts."""

    role: str
    content: str | list[dict[str, Any]] | None = None


class OpenAIRecord(_Open):
    """A chat in OpenAI's form."""

    messages: list[OpenAIMessage] = Field(min_length=1)


_Record = TypeVar("_Record", SwiftRecord, OpenAIRecord)


def read_swift(path: PathLike, *, max_line: int = MAX_LINE) -> Iterator[SwiftRecord]:
    """MS-SWIFT records one by one; tags and media that do not match are an error."""
    for row, held in json_lines.objects(path, max_line=max_line):
        record = _model(SwiftRecord, held, path, row)
        try:
            check_tags(record)
        except BadInput as fault:
            raise fault.at(file=path, row=row) from None
        yield record


def read_openai(path: PathLike, *, max_line: int = MAX_LINE) -> Iterator[OpenAIRecord]:
    """OpenAI records one by one."""
    for row, held in json_lines.objects(path, max_line=max_line):
        yield _model(OpenAIRecord, held, path, row)


def write(records: Iterable[SwiftRecord | OpenAIRecord], path: PathLike) -> int:
    """Write records, one a line, whole or not at all; return how many."""
    return json_lines.write_lines(path, (record.as_record() for record in records))


def check_tags(record: SwiftRecord) -> None:
    """Every tag has its medium and every medium its tag."""
    text = "\n".join(message.content or "" for message in record.messages)
    tags = _TAG.findall(text)
    for kind in _PARTS:
        listed = len(record.media(kind))
        if tags.count(kind) != listed:
            raise BadInput(
                f"{tags.count(kind)} <{kind}> tags for {listed} {kind}s", "as many of each",
                column=f"{kind}s",
            )  # fmt: skip


def to_openai(record: SwiftRecord) -> OpenAIRecord:
    """The same chat in OpenAI's form."""
    check_tags(record)
    media = {kind: iter(record.media(kind)) for kind in _PARTS}
    messages = []
    for message in record.messages:
        held = message.as_record()
        if isinstance(message.content, str) and _TAG.search(message.content):
            held["content"] = list(_split(message.content, media))
        messages.append(held)
    rest = {k: v for k, v in record.as_record().items() if k not in _LISTS}
    empty: dict[str, list[Any]] = {key: [] for key in _LISTS if record.as_record().get(key) == []}
    return OpenAIRecord.model_validate({**rest, **empty, "messages": messages})


def to_swift(record: OpenAIRecord) -> SwiftRecord:
    """The same chat in MS-SWIFT's form."""
    held = record.as_record()
    media: dict[str, list[Any]] = {kind: [] for kind in _PARTS}
    messages = []
    for message in record.messages:
        turn = message.as_record()
        if message.content is not None:
            turn["content"] = _joined(message.content, media)
        messages.append(turn)
    for key in _LISTS:
        if held.get(key):
            raise BadInput(f"'{key}' beside OpenAI's parts", "media in the content", column=key)
    lists = {f"{kind}s": each for kind, each in media.items() if each}
    return SwiftRecord.model_validate({**held, **lists, "messages": messages})


_LISTS = tuple(f"{kind}s" for kind in _PARTS)


def _model(model: type[_Record], held: dict[str, Any], path: PathLike, row: int) -> _Record:
    try:
        return model.model_validate(held)
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadInput(
            json_lines.shown(first["input"]), f"{first['msg'][:1].lower()}{first['msg'][1:]}",
            file=path, row=row, column=place,
        ) from None  # fmt: skip


def _split(text: str, media: dict[str, Iterator[Any]]) -> Iterator[dict[str, Any]]:
    """A tagged text as parts."""
    at = 0
    for tag in _TAG.finditer(text):
        if tag.start() > at:
            yield {"type": "text", "text": text[at : tag.start()]}
        yield _part(tag[1], next(media[tag[1]]))
        at = tag.end()
    if at < len(text):
        yield {"type": "text", "text": text[at:]}


def _part(kind: str, medium: str | dict[str, Any]) -> dict[str, Any]:
    given = {"path": medium} if isinstance(medium, str) else dict(medium)
    if given.get("bytes", 0) is None:
        del given["bytes"]
    url = given.pop("path", None)
    if not isinstance(url, str) or "bytes" in given:
        raise BadInput(f"an {kind} of {sorted(medium)}", "a path, URL or data URI")
    name = _PARTS[kind]
    if kind == "audio" and (data := _DATA.fullmatch(url)):
        return {"type": name, name: {"data": data[2], "format": data[1], **given}}
    return {"type": name, name: {"url": url, **given}}


def _joined(content: str | list[dict[str, Any]], media: dict[str, list[Any]]) -> str:
    """Parts as a tagged text; the media go to their lists."""
    if isinstance(content, str):
        return _untagged(content)
    return "".join(_tagged(part, media) for part in content)


def _tagged(part: dict[str, Any], media: dict[str, list[Any]]) -> str:
    name = part.get("type")
    if name == "text" and isinstance(part.get("text"), str) and len(part) == 2:
        return _untagged(part["text"])
    kind = _KINDS.get(name) if isinstance(name, str) else None
    held = part.get(name) if kind is not None else None  # type: ignore[arg-type]
    if kind is None or not isinstance(held, dict) or len(part) != 2:
        raise BadInput(
            f"a part of type {json_lines.shown(name)} with {sorted(part)}",
            f"text or one of {sorted(_KINDS)}",
        )
    media[kind].append(_medium(held))
    return f"<{kind}>"


def _medium(held: dict[str, Any]) -> str | dict[str, Any]:
    """A part's medium as MS-SWIFT lists it: a plain text where that says it all."""
    rest = dict(held)
    if "url" in rest:
        url = rest.pop("url")
    elif isinstance(rest.get("data"), str) and isinstance(rest.get("format"), str):
        url = f"data:audio/{rest.pop('format')};base64,{rest.pop('data')}"
    else:
        url = None
    if not isinstance(url, str) or {"path", "bytes"} & rest.keys():
        raise BadInput(f"a medium with {sorted(held)}", "a url, or data and format")
    return {"path": url, **rest} if rest else url


def _untagged(text: str) -> str:
    if found := _TAG.search(text):
        raise BadInput(f"the text {found[0]} itself", "a text without media tags")
    return text
