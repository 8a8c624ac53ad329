"""A model's processor on a machine that has no video decoder.

The processors of Qwen-VL and SmolVLM insist on a part for videos, and transformers has
that part for torchvision only. A film is read here frame by frame, as pictures, so the
part is never used: where torchvision is absent, `Unused` takes its place. It remembers
the file it stood in for and writes it back, so that a saved processor is whole again on a
machine that has torchvision.

This is the one file that reaches into transformers. It knows versions 5.19 to 5.23.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from semanticface.errors import BadInput, need

KNOWN = ((5, 19), (5, 23))
"""First and last version of transformers whose inner names were looked at."""
_FILES = ("video_preprocessor_config.json", "processor_config.json")


def load_processor(
    path: str | Path, *, pictures: bool = True, revision: str | None = None
) -> Any:  # fmt: skip
    """The processor of a model folder or hub name, with PIL for pictures; where torchvision
    is, with that, for then the video part asks for the same backend."""
    library = need("transformers", "train", "Loading a model's processor")
    told = {} if has_torchvision() else {"backend": "pil"}
    if revision is not None:
        told["revision"] = revision
    with _without_video(library):
        try:
            processor = library.AutoProcessor.from_pretrained(str(path), **told)
        except (OSError, ValueError, KeyError) as fault:
            why = str(fault).strip().splitlines()[0][:200]
            raise BadInput(f"no processor ({why})", "a model's folder or its name on the hub",
                           file=path) from fault  # fmt: skip
    if pictures and getattr(processor, "image_processor", None) is None:
        raise BadInput("a processor of text alone", "one that takes pictures", file=path)
    return processor


def fixed_side(processor: Any) -> int | None:
    """Pixels a side of the only square that a processor makes of pictures: of Qwen-VL's kind,
    where least and most pixels are the same square number. None where sizes vary."""
    size = getattr(getattr(processor, "image_processor", None), "size", None) or {}
    least, most = size.get("shortest_edge"), size.get("longest_edge")
    if least is None or least != most or not hasattr(processor.image_processor, "merge_size"):
        return None
    side = math.isqrt(most)
    return side if side * side == most else None


def has_torchvision() -> bool:
    """Whether transformers finds torchvision and so needs no placeholder."""
    from transformers.utils import is_torchvision_available

    return bool(is_torchvision_available())


def unused_video(path: str | Path | None = None) -> Any:
    """The placeholder by itself, for building a processor from its parts."""
    return _placeholder(need("transformers", "train", "Building a processor"), _held(path))


@contextmanager
def _without_video(library: Any) -> Iterator[None]:
    """Let `from_pretrained` find the placeholder where it looks for a video processor."""
    if has_torchvision():
        yield
        return
    from transformers import processing_utils

    _check_version(library.__version__)
    names = processing_utils._LazyAutoProcessorMapping._MAPPING_NAMES
    before = names["video_processor"]
    names["video_processor"] = (__name__, "Unused")
    try:
        yield
    finally:
        names["video_processor"] = before


class Unused:
    """What stands where `AutoVideoProcessor` would: makes the placeholder."""

    @classmethod
    def from_pretrained(cls, path: str, **_: Any) -> Any:
        """A placeholder that remembers the files of `path`."""
        return unused_video(path)


def _placeholder(library: Any, held: dict[str, Any]) -> Any:
    from transformers import processing_utils
    from transformers.video_processing_utils import VideoProcessorMixin

    # Processors look their parts' classes up by name, and this one is not exported.
    processing_utils.transformers_module.VideoProcessorMixin = VideoProcessorMixin

    class UnusedVideo(VideoProcessorMixin):  # type: ignore[misc]
        """Never called: films are read as pictures."""

        merge_size = held.get("merge_size", 2)
        temporal_patch_size = held.get("temporal_patch_size", 2)
        num_frames = held.get("num_frames")
        fps = held.get("fps")
        video_sampling = held.get("video_sampling", {})
        model_input_names: list[str] = []  # noqa: RUF012 - the library's own attribute

        def __init__(self) -> None:
            super().__init__()

        def to_dict(self) -> dict[str, Any]:
            return dict(held)

        def __call__(self, *_: Any, **__: Any) -> Any:
            raise BadInput("a film", "its frames as pictures",
                           hint="Install torchvision to hand films to the processor.")  # fmt: skip

    return UnusedVideo()


def _held(path: str | Path | None) -> dict[str, Any]:
    """What the model's files say of its video part; empty where they are not at hand."""
    for name in _FILES if path is not None else ():
        file = Path(str(path)) / name
        if file.is_file():
            held = json.loads(file.read_text(encoding="utf-8"))
            found = held if name.startswith("video") else held.get("video_processor", {})
            if found:
                return dict(found)
    return {}


def _check_version(version: str) -> None:
    found = tuple(int(part) for part in version.split(".")[:2])
    if not KNOWN[0] <= found <= KNOWN[1]:
        raise BadInput(
            f"transformers {version} without torchvision",
            f"{KNOWN[0][0]}.{KNOWN[0][1]} to {KNOWN[1][0]}.{KNOWN[1][1]}",
            hint="Install torchvision beside it, or one of these versions.",
        )  # fmt: skip
