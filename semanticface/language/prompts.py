"""Prompts: Jinja files with an index of id, version, rig and hash.

A prompt file has a block for each message role. Nothing in it may be undefined,
and its hash must be the one in `prompts/index.yaml`: a prompt that changes gets
a new version, because models were trained with the old one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from semanticface.errors import BadInput, SemanticFaceError, did_you_mean
from semanticface.language.answers import ANSWER_ORDER, AnswerFormat
from semanticface.language.description import (
    FIELDS,
    MOSTLY_SYMMETRIC,
    NOT_OBSERVABLE,
    Description,
)
from semanticface.rig import BLENDSHAPES, CHANNELS, COUNT, INDEX, REGIONS, RIG_VERSION

Message = dict[str, str]


@dataclass(frozen=True)
class Prompt:
    """One prompt file and its entry in the index."""

    id: str
    version: int
    rig: str
    sha256: str
    about: str
    text: str
    formats: tuple[str, ...] = ()
    """Keys of the answer formats it asks for; empty if it adapts to any."""

    def messages(self, **variables: Any) -> list[Message]:
        """Render the prompt's roles, in file order, as chat messages."""
        template = _environment().from_string(self.text)
        from jinja2 import UndefinedError

        try:
            return [
                {"role": role, "content": "".join(block(template.new_context(variables)))}
                for role, block in template.blocks.items()
            ]
        except UndefinedError as error:
            raise BadInput(f"a prompt variable missing: {error}", f"all of {self.id}") from None


def prompt_folder() -> Path:
    """Where the prompt files are: in the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_prompts", package.parent / "prompts"):
        if (folder / "index.yaml").is_file():
            return folder
    raise SemanticFaceError(f"no prompts beside {package}: reinstall the package")


@cache
def prompts() -> dict[str, Prompt]:
    """Every prompt by id, checked against its hash."""
    import yaml

    folder = prompt_folder()
    entries = yaml.safe_load((folder / "index.yaml").read_text(encoding="utf-8"))
    return {entry["id"]: _checked(folder, entry) for entry in entries}


def _checked(folder: Path, entry: dict[str, Any]) -> Prompt:
    path = folder / f"{entry['id']}.jinja"
    text = path.read_text(encoding="utf-8")
    found = hashlib.sha256(text.encode()).hexdigest()
    if found != entry["sha256"]:
        raise BadInput(
            f"hash {found}", entry["sha256"], file=path,
            hint="A changed prompt needs a new version and its new hash in index.yaml.",
        )  # fmt: skip
    if entry["rig"] != RIG_VERSION:
        raise BadInput(f"a prompt for rig {entry['rig']}", RIG_VERSION, file=path)
    return Prompt(**{**entry, "formats": tuple(entry.get("formats", ()))}, text=text)


def load_prompt(key: str) -> Prompt:
    """The prompt of that id."""
    known = prompts()
    if key not in known:
        raise BadInput(
            f"prompt '{key}'", f"one of {', '.join(known)}", hint=did_you_mean(key, known)
        )
    return known[key]


def image_messages(answer_format: AnswerFormat, key: str = "image/semanticface") -> list[Message]:
    """The request for one picture; `<image>` stands where the picture goes."""
    listed = [i for i in ANSWER_ORDER if i in set(answer_format.channels)]
    prompt = load_prompt(key)
    if prompt.formats and answer_format.key not in prompt.formats:
        raise BadInput(
            f"answer format '{answer_format.key}' for the prompt '{key}'",
            f"one it asks for: {', '.join(prompt.formats)}",
        )
    regions = {CHANNELS[i].region for i in listed}
    return prompt.messages(
        format=answer_format,
        count=len(listed),
        labels=[CHANNELS[i].label for i in listed],
        regions=[region for region in REGIONS if region in regions and region != "head"],
        turns=any(CHANNELS[i].signed for i in listed),
        fields=FIELDS,
        not_observable=NOT_OBSERVABLE,
        mostly_symmetric=MOSTLY_SYMMETRIC,
        legend=answer_format.legend(),
        slots=[CHANNELS[i].label for i in answer_format.channels],
        skeleton=skeleton(answer_format),
    )


def keyframe_messages(
    keyframes: Sequence[str], background: str, emotion: str, asked: int
) -> list[Message]:
    """The request for keyframe number `asked` (from 1) of a script."""
    if not 1 <= asked <= len(keyframes):
        raise BadInput(f"keyframe {asked}", f"a number from 1 to {len(keyframes)}")
    return load_prompt("script/keyframeface_released").messages(
        keyframes=list(keyframes),
        background=background,
        emotion=emotion,
        asked=asked,
        labels=[CHANNELS[i].label for i in ANSWER_ORDER],
        blendshapes=len(BLENDSHAPES),
        ordinal=ordinal,
    )


def skeleton(answer_format: AnswerFormat) -> str:
    """The form of an answer, shown on a small smile and cut short where it repeats itself."""
    face = np.zeros(COUNT)
    face[[INDEX["jawOpen"], INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]] = 0.2, 0.5, 0.5
    answer = answer_format.write(face, Description("...", "...", "...", "..."))
    if '"arkit"' not in answer and answer_format.key not in ("flat", "markdown"):
        return answer
    comma = ", " if ", " in answer.rpartition("{")[2] else ","
    head, brace, pairs = answer.rpartition("{")
    closing = pairs[len(pairs.rstrip("}")) :]
    shown = pairs.rstrip("}").split(comma)
    if len(shown) > 3:
        shown = [*shown[:2], "..."]
    return f"{head}{brace}{comma.join(shown)}{closing}"


_ONES = (
    "", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven",
    "Twelve", "Thirteen", "Fourteen", "Fifteen", "Sixteen", "Seventeen", "Eighteen", "Nineteen",
)  # fmt: skip
_TENS = ("", "", "Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety")


def ordinal(number: int) -> str:
    """How a keyframe's number is spelt: One, Twelve, Forty-two; digits from 100."""
    if not 1 <= number <= 99:
        return str(number)
    if number < 20:
        return _ONES[number]
    ones = _ONES[number % 10].lower()
    return f"{_TENS[number // 10]}-{ones}" if ones else _TENS[number // 10]


@cache
def _environment() -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True
    )
    # Names are plain ASCII: JSON as Python writes it, not Jinja's HTML-safe kind.
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment
