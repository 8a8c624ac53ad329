"""Other tools' names and orders for the same numbers.

A `NameOrder` is a list of column labels with the channel each one stands for.
`resolve` finds the channel behind any label of any of them, whatever its case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput, did_you_mean
from semanticface.rig.channels import BLENDSHAPES, CHANNELS, COUNT, INDEX, NAMES


class NameOrder(NamedTuple):
    """Labels in the order a tool writes them, and the channel behind each."""

    key: str
    about: str
    labels: tuple[str, ...]
    channels: tuple[int | None, ...]
    """Index into the channel table; None for a column that is no channel."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the channels this order cannot carry."""
        carried = set(self.channels)
        return tuple(name for i, name in enumerate(NAMES) if i not in carried)


def _underscored(name: str) -> str:
    """eyeBlinkLeft as Apple's raw value eyeBlink_L."""
    channel = CHANNELS[INDEX[name]]
    return f"{channel.movement}_{channel.side[0].upper()}" if channel.side != "centre" else name


def _exchange(labels: Sequence[str], *pairs: tuple[str, str]) -> tuple[str, ...]:
    out = list(labels)
    for one, other in pairs:
        i, j = out.index(one), out.index(other)
        out[i], out[j] = out[j], out[i]
    return tuple(out)


def _order(key: str, about: str, labels: Iterable[str], names: Iterable[str | None]) -> NameOrder:
    indices = tuple(None if name is None else INDEX[name] for name in names)
    return NameOrder(key, about, tuple(labels), indices)


def _ict_rows() -> list[tuple[str, str]]:
    """ICT-FaceKit splits two shapes by side and has no tongue."""
    split = ("browInnerUp", "cheekPuff")
    rows: list[tuple[str, str]] = []
    for channel in sorted(BLENDSHAPES, key=lambda each: each.name):
        if channel.name in split:
            rows += [(f"{channel.name}_{side}", channel.name) for side in "LR"]
        elif channel.name != "tongueOut":
            rows.append((_underscored(channel.name), channel.name))
    return rows


_SHAPES = tuple(channel.name for channel in BLENDSHAPES)
_LABELS = tuple(channel.label for channel in CHANNELS)
_CSV_NAMES = _exchange(NAMES, ("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"))
_SORTED = tuple(sorted(_SHAPES))
_MEDIAPIPE = tuple(name for name in _SORTED if name != "tongueOut")
_ICT = _ict_rows()

APPLE = _order("apple", "Apple's 52 shapes in enum order, then nine rotations", NAMES, NAMES)
UNREAL = _order("unreal", "Unreal's enum, which is the UDP payload", _LABELS, NAMES)
LIVE_LINK_CSV = _order(
    "livelink-csv",
    "columns of a Live Link Face take; the jaw and mouth pairs stand right first",
    (CHANNELS[INDEX[name]].label for name in _CSV_NAMES),
    _CSV_NAMES,
)
MEDIAPIPE = _order(
    "mediapipe",
    "Face Landmarker: a neutral score, then 51 shapes by alphabet, no tongue",
    ("_neutral", *_MEDIAPIPE),
    (None, *_MEDIAPIPE),
)
ALPHABETICAL = _order("alphabetical", "the 52 shapes by alphabet", _SORTED, _SORTED)
ICT_FACEKIT = _order(
    "ict-facekit",
    "ICT-FaceKit: browInnerUp and cheekPuff split by side, no tongue",
    (label for label, _ in _ICT),
    (name for _, name in _ICT),
)
AUDIO2FACE = _order(
    "audio2face",
    "Audio2Face-3D CSV columns, without the leading time code",
    (f"blendShapes.{CHANNELS[INDEX[name]].label}" for name in _SHAPES),
    _SHAPES,
)
READY_PLAYER_ME = _order("ready-player-me", "Ready Player Me morph targets", _SHAPES, _SHAPES)
UNDERSCORED = _order(
    "underscored",
    "Apple's raw values and iFacialMocap: eyeBlink_L",
    (_underscored(name) for name in _SHAPES),
    _SHAPES,
)

ORDERS: MappingProxyType[str, NameOrder] = MappingProxyType(
    {
        each.key: each
        for each in (
            APPLE, UNREAL, LIVE_LINK_CSV, MEDIAPIPE, ALPHABETICAL,
            ICT_FACEKIT, AUDIO2FACE, READY_PLAYER_ME, UNDERSCORED,
        )
    }
)  # fmt: skip


_LONGEST = 80


def _plain(label: str) -> str:
    plain = label.strip().lower()
    for prefix in ("blendshapes.", "rotations."):  # as in our Audio2Face files
        plain = plain.removeprefix(prefix)
    return plain.replace("_", "")


@cache
def _aliases() -> dict[str, int]:
    found: dict[str, int] = {}
    for order in ORDERS.values():
        for label, index in zip(order.labels, order.channels, strict=True):
            if index is not None:
                found.setdefault(_plain(label), index)
    return found


def find(label: str) -> int | None:
    """Index of the channel that `label` names in any known order, or None."""
    exact = INDEX.get(label)
    if exact is not None:
        return exact
    return _find_alias(label) if len(label) < _LONGEST else None


@lru_cache(maxsize=2048)
def _find_alias(label: str) -> int | None:
    return _aliases().get(_plain(label))


def resolve(label: str) -> int:
    """Like `find`, but an unknown label is an error that names the nearest."""
    index = find(label)
    if index is None:
        raise BadInput(f"'{label}'", "the name of a face channel", hint=did_you_mean(label, NAMES))
    return index


class Columns(NamedTuple):
    """What a table's header means: which column feeds which channel."""

    channel_of: tuple[int | None, ...]
    unknown: tuple[str, ...]
    """Labels that name no channel, in file order."""
    shared: tuple[str, ...]
    """Channels fed by several columns, which are averaged (ICT's split shapes)."""

    @property
    def present(self) -> NDArray[np.bool_]:
        """Bool [61]: the channels that some column feeds."""
        mask = np.zeros(COUNT, dtype=np.bool_)
        mask[[index for index in self.channel_of if index is not None]] = True
        return mask

    def gather(self, table: NDArray[np.floating]) -> NDArray[np.float32]:
        """Columns [T, len(labels)] to values [T, 61]; absent channels are NaN."""
        source = np.asarray(table)
        values = np.full((len(source), COUNT), np.nan, dtype=np.float32)
        for index in dict.fromkeys(i for i in self.channel_of if i is not None):
            columns = [j for j, i in enumerate(self.channel_of) if i == index]
            values[:, index] = (
                source[:, columns[0]] if len(columns) == 1 else source[:, columns].mean(axis=1)
            )
        return values


_SPLIT = frozenset(
    name for name in _SHAPES if sum(i == INDEX[name] for i in ICT_FACEKIT.channels) > 1
)


def read_header(labels: Sequence[str]) -> Columns:
    """Match a header's labels to channels.

    Two columns for one channel are an error, except where a known order splits
    the channel by side.
    """
    channel_of = tuple(find(label) for label in labels)
    unknown = tuple(label for label, i in zip(labels, channel_of, strict=True) if i is None)
    given: dict[int, list[str]] = {}
    for label, index in zip(labels, channel_of, strict=True):
        if index is not None:
            given.setdefault(index, []).append(label)
    shared = [index for index, several in given.items() if len(several) > 1]
    for index in shared:
        if NAMES[index] not in _SPLIT or _sides(given[index]) != ["_l", "_r"]:
            several = "' and '".join(given[index])
            raise BadInput(
                f"the columns '{several}' for one channel",
                f"one column for {NAMES[index]}",
                column=given[index][1],
            )
    return Columns(channel_of, unknown, tuple(NAMES[index] for index in shared))


def _sides(labels: list[str]) -> list[str]:
    return sorted(label.strip().lower()[-2:] for label in labels)
