"""FaceClip: a face's 61 numbers over time, with what is known about them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semanticface.errors import BadInput
from semanticface.rig.channels import CHANNELS, COUNT, INDEX, NAMES, region_indices
from semanticface.rig.orders import read_header

Values = NDArray[np.float32]
Times = NDArray[np.float64]
Clock = Literal["timecode", "start"]

_MIRROR = np.array([INDEX[channel.mirror] for channel in CHANNELS])
_LOW = np.array([channel.low for channel in CHANNELS], dtype=np.float32)
_HIGH = np.array([channel.high for channel in CHANNELS], dtype=np.float32)
_MIRROR_SIGN = np.array([channel.mirror_sign for channel in CHANNELS], dtype=np.float32)


@dataclass(frozen=True)
class ClipMeta:
    """Where a clip comes from and what was done to it on the way in."""

    source: str = ""
    """The file, device or program the numbers come from."""
    format: str = ""
    """Key of the format it was read from; empty for a clip made in memory."""
    subject: str | None = None
    slate: str | None = None
    take: int | None = None
    base: int | None = None
    """Frames a second of the source's timecode, usually 30 or 60. Not the rate
    at which frames really came: that is `FaceClip.rate`."""
    clock: Clock = "start"
    """`timecode`: times are seconds of the day on the device. `start`: seconds
    since an arbitrary start."""
    calibrated: bool | None = None
    """Whether a neutral face was subtracted; None where nobody said."""
    conventions: tuple[str, ...] = ()
    """Every conversion applied, in order, in words (`mouth pair exchanged`)."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """Anything else the source said, as JSON values."""

    def to_json(self) -> str:
        """One line of JSON, from which `from_json` restores the same meta."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ClipMeta:
        """Restore a meta; unknown keys are an error."""
        known = {each.name for each in fields(cls)}
        try:
            raw = json.loads(text)
        except ValueError:
            raw = None
        listed = raw.get("conventions", []) if isinstance(raw, dict) else None
        if not isinstance(raw, dict) or set(raw) - known or not isinstance(listed, list):
            raise BadInput(f"clip meta {text[:80]!r}", f"an object with keys of {sorted(known)}")
        return cls(**{**raw, "conventions": tuple(map(str, listed))})

    def applied(self, convention: str) -> ClipMeta:
        """The same meta with one more convention on its list."""
        return replace(self, conventions=(*self.conventions, convention))


class Gap(NamedTuple):
    """A pause between two frames that is longer than the clip's usual step."""

    after: int
    """Index of the last frame before the gap."""
    start: float
    seconds: float
    missing: int
    """How many frames would have fitted in."""


@dataclass(frozen=True, eq=False)
class FaceClip:
    """values [T, 61] float32 in table order, times [T] in seconds, and meta.

    What a source did not measure is NaN and stays NaN: a channel that is absent
    altogether is False in `present`; a single NaN row is a frame in which the
    tracker had lost the face. Nothing here ever turns NaN into zero.

    Arrays are read-only; every method returns a new clip.
    """

    values: Values
    times: Times
    present: NDArray[np.bool_]
    meta: ClipMeta = field(default_factory=ClipMeta)
    extra: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Columns of the source that are no channel, by their own names, each [T]."""

    def __post_init__(self) -> None:
        values = _frozen(np.asarray(self.values, dtype=np.float32))
        times = _frozen(np.asarray(self.times, dtype=np.float64))
        present = _frozen(np.asarray(self.present, dtype=np.bool_))
        _check_shapes(values, times, present)
        extra = {name: _frozen(np.asarray(column)) for name, column in self.extra.items()}
        for name, column in extra.items():
            if column.shape != times.shape:
                raise BadInput(
                    f"values of shape {column.shape}", f"{times.shape}, one a frame", column=name
                )
        for name, value in (
            ("values", values), ("times", times), ("present", present), ("extra", extra),
        ):  # fmt: skip
            object.__setattr__(self, name, value)

    # -- making ---------------------------------------------------------------

    @classmethod
    def of(cls, values: ArrayLike, times: ArrayLike | None = None, *, rate: float = 30.0,
           meta: ClipMeta | None = None) -> FaceClip:  # fmt: skip
        """A clip from [T, 61] values in table order; all-NaN channels are absent.

        Without `times`, frames come at `rate` a second from zero.
        """
        table = np.atleast_2d(np.asarray(values, dtype=np.float32))
        stamps = np.arange(len(table)) / rate if times is None else times
        present = (
            np.logical_not(np.isnan(table).all(axis=0)) if len(table) else np.ones(COUNT, np.bool_)
        )
        return cls(table, np.asarray(stamps, np.float64), present, meta or ClipMeta())

    @classmethod
    def from_columns(
        cls, labels: Sequence[str], table: ArrayLike, times: ArrayLike,
        meta: ClipMeta | None = None, extra: Mapping[str, NDArray[Any]] | None = None,
    ) -> FaceClip:  # fmt: skip
        """A clip from columns under any tool's names, in any order.

        Columns that name no channel go to `extra`; channels that split over two
        columns are averaged and a convention says so.
        """
        columns = read_header(labels)
        source = np.asarray(table, dtype=np.float64)
        expected = (len(np.asarray(times)), len(labels))
        if source.shape != expected and source.size + expected[0] * expected[1]:
            raise BadInput(
                f"a table of shape {source.shape}",
                f"{expected}: a row a time, a column a label",
                hint="Is it transposed?" if source.shape == expected[::-1] else "",
            )
        source = source.reshape(expected)
        unknown = {
            label: source[:, j] for j, label in enumerate(labels) if columns.channel_of[j] is None
        }
        told = meta or ClipMeta()
        for name in columns.shared:
            told = told.applied(f"{name} averaged from two columns")
        return cls(
            columns.gather(source), np.asarray(times, np.float64), columns.present, told,
            {**unknown, **(extra or {})},
        )  # fmt: skip

    # -- looking --------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.times)

    def __eq__(self, other: object) -> bool:
        """Same numbers to the bit, same times, mask, meta and extra columns."""
        if not isinstance(other, FaceClip):
            return NotImplemented
        return self.same_motion(other) and self.meta == other.meta and _same_extra(self, other)

    __hash__ = None  # type: ignore[assignment]

    def same_motion(self, other: FaceClip) -> bool:
        """Same numbers to the bit, same times and mask, whatever the meta says."""
        return (
            len(self) == len(other)
            and np.array_equal(self.present, other.present)
            and np.array_equal(self.times, other.times)
            and np.array_equal(self.values, other.values, equal_nan=True)
        )

    def column(self, name: str) -> Values:
        """One channel over time, [T]."""
        if name not in INDEX:
            from semanticface.rig.channels import channel

            channel(name)
        return self.values[:, INDEX[name]]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels that are present, in table order."""
        return tuple(name for name, here in zip(NAMES, self.present, strict=True) if here)

    @property
    def absent(self) -> tuple[str, ...]:
        """Names of the channels that the source did not have."""
        return tuple(name for name, here in zip(NAMES, self.present, strict=True) if not here)

    @property
    def tracked(self) -> NDArray[np.bool_]:
        """Bool [T]: frames in which at least one channel was measured."""
        return np.asarray(~np.isnan(self.values).all(axis=1), dtype=np.bool_)

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the last."""
        return float(self.times[-1] - self.times[0]) if len(self) else 0.0

    @property
    def step(self) -> float:
        """The usual time from one frame to the next: the median; NaN where time stands still."""
        steps = np.diff(self.times)
        moving = steps[steps > 0]  # some sources stamp several frames alike
        return float(np.median(moving)) if len(moving) else float("nan")

    @property
    def rate(self) -> float:
        """Frames a second that really came: frames over time, gaps included."""
        return (len(self) - 1) / self.duration if self.duration > 0 else float("nan")

    def gaps(self, factor: float = 1.5) -> tuple[Gap, ...]:
        """Pauses longer than `factor` usual steps."""
        if len(self) < 3 or np.isnan(self.step):
            return ()
        steps, usual = np.diff(self.times), self.step
        return tuple(
            Gap(int(i), float(self.times[i]), float(steps[i]), round(steps[i] / usual) - 1)
            for i in np.flatnonzero(steps > factor * usual)
        )

    # -- changing -------------------------------------------------------------

    def with_meta(self, **changes: Any) -> FaceClip:
        """The same clip with some fields of its meta changed."""
        return replace(self, meta=replace(self.meta, **changes))

    def with_values(self, values: ArrayLike, convention: str = "") -> FaceClip:
        """The same times and meta with other values; `convention` is recorded."""
        meta = self.meta.applied(convention) if convention else self.meta
        return replace(self, values=np.asarray(values, np.float32), meta=meta)

    def mirrored(self) -> FaceClip:
        """The face seen in a mirror: pairs swapped, yaw and roll turned around."""
        return replace(
            self,
            values=mirror(self.values),
            present=self.present[_MIRROR],
            meta=self.meta.applied("mirrored"),
        )

    def exchanged(self, one: str, other: str) -> FaceClip:
        """Two channels in each other's place; nothing recorded."""
        order = np.arange(COUNT)
        order[[INDEX[one], INDEX[other]]] = INDEX[other], INDEX[one]
        return replace(self, values=self.values[:, order], present=self.present[order])

    def select(self, *which: str) -> FaceClip:
        """Keep the named channels, regions or halves; the rest becomes absent."""
        keep = np.zeros(COUNT, dtype=np.bool_)
        for name in which:
            keep[[INDEX[name]] if name in INDEX else list(region_indices(name))] = True
        present = self.present & keep
        return replace(self, values=np.where(present, self.values, np.nan), present=present)

    def __getitem__(self, index: slice | NDArray[Any]) -> FaceClip:
        """Some of the frames, by slice, index array or mask."""
        if not isinstance(index, slice | np.ndarray):
            raise TypeError("a clip is cut by a slice or an array; a single frame is values[i]")
        extra = {name: column[index] for name, column in self.extra.items()}
        return replace(self, values=self.values[index], times=self.times[index], extra=extra)

    def between(self, start: float, end: float) -> FaceClip:
        """Frames with start <= time < end."""
        return self[(self.times >= start) & (self.times < end)]

    def shifted(self, seconds: float, clock: Clock | None = None) -> FaceClip:
        """The same frames, `seconds` later; `clock` if that changes its meaning."""
        clip = replace(self, times=self.times + seconds)
        return clip if clock is None else clip.with_meta(clock=clock)

    def from_zero(self) -> FaceClip:
        """The same frames with the first at zero."""
        return self.shifted(-float(self.times[0]), "start") if len(self) else self


def mirror(values: NDArray[np.floating]) -> Values:
    """Mirror values [..., 61]: pairs swapped, yaw and roll negated."""
    flipped = np.asarray(values, dtype=np.float32)[..., _MIRROR] * _MIRROR_SIGN
    return np.asarray(flipped + np.float32(0), dtype=np.float32)  # -0.0 to 0.0


class InRange(NamedTuple):
    """Values brought into every channel's range, and how many had to move."""

    values: Values
    moved: int


def into_range(values: NDArray[np.floating]) -> InRange:
    """Clamp values [..., 61] to their channels' ranges; NaN stays NaN."""
    raw = np.asarray(values, dtype=np.float32)
    clamped = np.clip(raw, _LOW, _HIGH)
    return InRange(clamped, int(np.count_nonzero(clamped != raw) - np.isnan(raw).sum()))


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """The array read-only; a copy, if somebody else could still write to it."""
    if not array.flags.writeable and not _writeable_below(array):
        return array
    own = array.copy()
    own.flags.writeable = False
    return own


def _writeable_below(array: NDArray[Any]) -> bool:
    base = array.base
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            return True
        base = base.base
    return base is not None  # memory that numpy does not own


def _check_shapes(values: Values, times: Times, present: NDArray[np.bool_]) -> None:
    if values.ndim != 2 or values.shape[1] != COUNT:
        raise BadInput(f"values of shape {values.shape}", f"[frames, {COUNT}]")
    if times.shape != (len(values),):
        raise BadInput(f"times of shape {times.shape}", f"({len(values)},), one a frame")
    if present.shape != (COUNT,):
        raise BadInput(f"a mask of shape {present.shape}", f"({COUNT},), one a channel")
    if not np.isfinite(times).all():
        raise BadInput("a time that is not a number", "seconds", row=_first(~np.isfinite(times)))
    if len(times) > 1 and (back := np.diff(times) < 0).any():
        raise BadInput("times that run backwards", "rising times", row=_first(back) + 1)
    if np.isinf(values).any():
        row, column = (int(i[0]) for i in np.nonzero(np.isinf(values)))
        raise BadInput("an infinite value", "a number", row=row, column=NAMES[column])
    stray = np.logical_not(np.isnan(values[:, ~present]).all(axis=0))
    if stray.any():
        name = NAMES[int(np.flatnonzero(~present)[_first(stray)])]
        raise BadInput("values in a channel marked absent", "NaN there", column=name)


def _first(mask: NDArray[np.bool_]) -> int:
    return int(np.flatnonzero(mask)[0])


def _same_extra(one: FaceClip, other: FaceClip) -> bool:
    return one.extra.keys() == other.extra.keys() and all(
        _same_column(column, other.extra[name]) for name, column in one.extra.items()
    )


def _same_column(one: NDArray[Any], other: NDArray[Any]) -> bool:
    number = one.dtype.kind == "f" and other.dtype.kind == "f"
    return bool(np.array_equal(one, other, equal_nan=number))
