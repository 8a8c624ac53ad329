"""One round of preferences as a page: what was judged, and faces before and after."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from semanticface.preference.rounds import Row


class Shown(NamedTuple):
    """A face held out from training."""

    name: str
    picture: Any
    """PIL image, as are the next two: the answers drawn as faces."""
    before: Any
    after: Any
    error_before: float
    """Mean absolute error where the truth is active."""
    error_after: float


def preference_page(rows: Sequence[Row], shown: Sequence[Shown]) -> str:
    """Self-contained HTML: no script, nothing to fetch."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    source = files("semanticface.report") / "preference_page.html.jinja"
    told = {row.step: row.told for row in rows}
    faces = [each._replace(picture=_data(each.picture), before=_data(each.before),
                           after=_data(each.after)) for each in shown]  # fmt: skip
    return environment.from_string(source.read_text(encoding="utf-8")).render(
        told=told, faces=faces
    )


def _data(picture: Any) -> str:
    stream = io.BytesIO()
    picture.convert("RGB").save(stream, "jpeg", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()
