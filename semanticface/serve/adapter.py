"""What a LoRA adapter needs of the server that carries it.

Read from the adapter's own files, without torch: rank from `adapter_config.json`, the
parts it changes from the names in `adapter_model.safetensors`. vLLM serves an adapter of
the vision tower without its tower part, and without a word, unless it was told to load
it; what vLLM cannot carry at all is refused here, with the way out.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

from semanticface.errors import BadInput
from semanticface.formats import json_lines

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
SEEING = re.compile(r"\b(visual|vision_tower|vision_model|vision_encoder)\b")
JOINING = re.compile(r"\b(merger\w*|connector|multi_modal_projector|deepstack_merger_list)\b")
_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Ranks that vLLM makes room for; an adapter goes into the next larger room."""
_LARGEST_HEADER = 100 << 20


class Adapter(NamedTuple):
    """One adapter as a server must know it."""

    name: str
    path: Path
    rank: int
    seeing: bool
    """Whether it changes the vision tower, or what joins it to the language model."""

    @property
    def room(self) -> int:
        """The least rank the server must be started with."""
        return next(each for each in _RANKS if each >= self.rank)


def read_adapter(name: str, folder: Path) -> Adapter:
    """The adapter in a PEFT folder."""
    held = json_lines.mapping(json_lines.load(_file(folder, CONFIG)), file=folder / CONFIG)
    if held.get("use_dora"):
        raise _unserved(folder, "a DoRA adapter")
    if held.get("modules_to_save"):
        raise _unserved(folder, f"an adapter with whole layers ({held['modules_to_save']})")
    rank = held.get("r")
    if not isinstance(rank, int) or not 1 <= rank <= _RANKS[-1]:
        raise BadInput(f"rank {rank}", f"1 to {_RANKS[-1]}", file=folder / CONFIG)
    names = weight_names(_file(folder, WEIGHTS))
    seeing = any(SEEING.search(each) or JOINING.search(each) for each in names)
    return Adapter(name, folder, rank, seeing)


def weight_names(file: Path) -> tuple[str, ...]:
    """Names of the tensors of a safetensors file, from its header: u64 length, then JSON."""
    with file.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        header = stream.read(size) if size <= _LARGEST_HEADER else b""
    try:
        held = json.loads(header)
    except ValueError:
        raise BadInput("no header of tensors", "a safetensors file", file=file) from None
    return tuple(name for name in held if name != "__metadata__")


def _file(folder: Path, name: str) -> Path:
    if not (folder / name).is_file():
        raise BadInput(f"no {name}", "the folder of a PEFT adapter", file=folder)
    return folder / name


def _unserved(folder: Path, what: str) -> BadInput:
    return BadInput(what, "plain LoRA, which is all that vLLM carries", file=folder,
                    hint="Merge it into its base model and serve the merged model.")  # fmt: skip
