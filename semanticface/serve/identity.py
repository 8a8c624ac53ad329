"""What a server says it is, so that nobody asks a model a question it was not trained on.

vLLM knows weights and not prompts. `semanticface serve` therefore hands each model's task
to the server (environment variable `SEMANTICFACE_IDENTITY`), and this package's endpoint
plugin answers with it at `/semanticface`. A client compares rig version and the hash of
the request's text with its own before it asks. Every reply bears a mark, a hash of what the
server would say there just then, so a client sees when it has become another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from semanticface.data.channel_sets import ALL, set_name
from semanticface.data.tasks import Task
from semanticface.errors import BadInput, did_you_mean
from semanticface.rig import RIG_VERSION

PATH = "/semanticface"
VARIABLE = "SEMANTICFACE_IDENTITY"
MARK = "X-SemanticFace"
SCHEMA = "served/1"


class Identity(NamedTuple):
    """Of one served model."""

    rig: str
    request_sha256: str
    """Of the request's text as the task asks it, the picture aside."""
    answer: str
    stage: str
    decimals: int
    prompt: str
    language: str = "en"
    one_pass: bool = False
    """Whether the model has learnt the one-pass read-out."""
    weights: str = ""
    """Hash of the weights that answer; empty where nobody told. Of two trainings under one name
    it tells which one gave an answer."""
    channels: str = ALL
    """What it is asked for: a set's name, or channels' names with commas between."""

    def task(self) -> Task:
        """The task as this installation knows it; differs if the prompt's text does."""
        return Task.of(self.answer, self.stage, prompt=self.prompt,  # type: ignore[arg-type]
                       decimals=self.decimals, language=self.language,
                       channels=self.channels)  # fmt: skip


class Areas(NamedTuple):
    """Bounds on the area that a picture is scaled to, in pixels; None is the base model's own."""

    least: int | None = None
    most: int | None = None

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Areas:
        """Of a run's configuration."""
        return cls(config.get("min_pixels"), config.get("max_pixels"))

    def told(self) -> str:
        """In words."""
        least, most = (each if each is not None else "as the base model" for each in self)
        return f"min_pixels {least}, max_pixels {most}"


_FREE = Areas()


@dataclass(frozen=True)
class Served:
    """Of a whole server."""

    models: dict[str, Identity]
    unknown: dict[str, str] = field(default_factory=dict)
    """Why nobody can say how it wants to be asked, by a model's name."""
    base: str = ""
    """Hash of the base model, where it is known: whose adapters fit."""
    one_pass: bool = False
    areas: Areas = _FREE
    """What its pictures are scaled to."""


def request_sha256(task: Task) -> str:
    """The hash that a run's manifest holds as `prompt.request_sha256`."""
    return sha256(json.dumps(task.request(), ensure_ascii=False).encode()).hexdigest()


def identity_of(task: Task, *, one_pass: bool = False) -> Identity:
    """A task as a server tells it."""
    numbers = getattr(task.form, "numbers", task.form)
    return Identity(RIG_VERSION, request_sha256(task), task.form.key, task.stage,
                    numbers.decimals, task.prompt, task.language, one_pass,
                    channels=set_name(task.form.channels))  # fmt: skip


def to_json(served: Served) -> str:
    """What the environment variable and the endpoint hold."""
    models = {name: each._asdict() for name, each in served.models.items()}
    told = asdict(served) | {"models": models}
    return json.dumps({"semanticface": SCHEMA} | told, sort_keys=True)


def mark_of(told: Any) -> str:
    """The mark of what `PATH` answers with, whichever version of this package wrote it."""
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def from_json(held: Any, place: str) -> Served:
    """What a server's reply holds."""
    if not isinstance(held, dict) or held.get("semanticface") != SCHEMA:
        raise BadInput("no word of which models are served", f"'{SCHEMA}'", file=place)
    told = {key: value for key, value in held.items() if key != "semanticface"}
    try:
        models = {str(name): Identity(**each) for name, each in told.pop("models").items()}
        areas = Areas(*told.pop("areas", ()))
        return Served(models, **told, areas=areas)
    except (KeyError, TypeError, AttributeError):
        raise BadInput("an identity of another shape", f"'{SCHEMA}'", file=place) from None


def check(held: Served, model: str, task: Task, place: str) -> Identity:
    """The model's identity; an error if it was trained for another rig or question."""
    if model in held.unknown:
        raise BadInput(
            f"the model '{model}', of which nobody knows what it was trained on",
            "one whose run is known", file=place,
            hint=f"{held.unknown[model].rstrip('.')}. With check=False and a task of your own it "
                 "is asked all the same.",
        )  # fmt: skip
    if model not in held.models:
        known = ", ".join(held.models) or "none"
        raise BadInput(f"no model '{model}'", f"one of {known}", file=place,
                       hint=did_you_mean(model, held.models))  # fmt: skip
    found, ours = held.models[model], identity_of(task)
    if found.rig != ours.rig:
        raise BadInput(
            f"a model of rig {found.rig}",
            ours.rig,
            file=place,
            hint="Its numbers mean other things: install the matching version.",
        )
    if found.request_sha256 != ours.request_sha256:
        raise BadInput(
            f"a model trained on another request ({_told(found)})", _told(ours), file=place,
            hint="Ask it as it was trained: take the task from the server (task=None).",
        )  # fmt: skip
    return found


def refuse_another(found: Identity, first: Identity, place: str) -> None:
    """An error if a server is not the one that a job was begun with."""
    changed = [name for name, now, then in zip(Identity._fields, found, first, strict=True)
               if now != then]  # fmt: skip
    if changed:
        raise BadInput(
            f"another model than at first ({', '.join(changed)} changed)", "one model for one job",
            file=place, hint="What it was asked before is kept. Serve the first again, or begin "
                             "anew in a new folder.",
        )  # fmt: skip


def _told(each: Identity) -> str:
    return f"{each.prompt}, {each.stage}, {each.answer}, {each.request_sha256[:12]}"
