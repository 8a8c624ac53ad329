"""The phones and what they do to the mouth, from `tables/articulation.yaml`.

`parts` turns any symbol of an alignment (AH0, ax, EY1, iang4, sil) into phones of the
table, each with its share of the symbol's time. What it does not know it says.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal, NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from semanticface.errors import BadInput, did_you_mean
from semanticface.rig import COUNT, INDEX

Contact = Literal["", "lips", "teeth"]
Symbols = Literal["arpabet", "pinyin"]
SILENCE = "SIL"
_IPA_MARKS = re.compile("[\u02d0\u02d1\u02c8\u02cc\u02b0\u02b2\u02b7\u02de\u0300-\u036f]")
"""Length, stress, aspiration, palatalisation, rounding, rhoticity, and marks above and below."""
_CURL = 0.33
"""Share of a rhotacised final in which the tongue is curled up."""
_STRESSED = re.compile(r"([A-Za-z<>#]*)([0-9]?)")


class Phone(NamedTuple):
    """One row of the table."""

    name: str
    place: str
    """Where the sound is made: bilabial, velar, front (of vowels) ..."""
    manner: str
    """How: stop, nasal, fricative, close vowel ..."""
    voiced: bool
    rounded: str
    """Of the lips: slightly, clearly, strongly; empty where they are not."""
    jaw: str
    """Its height: high (nearly shut), mid, low (wide open)."""
    viseme: str
    """The group of phones that look alike."""
    contact: Contact
    """What must touch: the lips each other, or the lower lip the upper teeth."""
    targets: NDArray[np.float64]
    """[61] weights aimed at."""
    dominance: NDArray[np.float64]
    """[tracks] how strongly it insists on them, 0 to 1."""

    @property
    def vowel(self) -> bool:
        """Whether a syllable can stand on it."""
        return self.manner.endswith("vowel")

    @property
    def silent(self) -> bool:
        """Whether nothing is said."""
        return self.name == SILENCE


class Track(NamedTuple):
    """Shapes that move together, and how fast a phone's say over them fades."""

    name: str
    channels: tuple[int, ...]
    before: float
    """Decay towards earlier times, 1/s."""
    after: float
    """Decay towards later times, 1/s."""


class Part(NamedTuple):
    """A phone of the table within a symbol."""

    phone: str
    share: float
    """Of the symbol's time; all parts together 1."""


@cache
def _held() -> Mapping[str, Any]:
    text = resources.files(__package__).joinpath("tables/articulation.yaml").read_text("utf-8")
    fast = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the table takes 0.15 s without it
    held: Mapping[str, Any] = yaml.load(text, Loader=fast)
    return held


@cache
def tracks() -> tuple[Track, ...]:
    """The tracks of the table, in its order."""
    return tuple(
        Track(name, tuple(i for base in row["channels"] for i in _columns(base)),
              float(row["before"]), float(row["after"]))
        for name, row in _held()["tracks"].items()
    )  # fmt: skip


@cache
def phones() -> Mapping[str, Phone]:
    """Every phone of the table by name."""
    return {name: _phone(name, row) for name, row in _held()["phones"].items()}


def symbols() -> tuple[str, ...]:
    """Every ARPAbet symbol that cues can name: phones and diphthongs, without silence."""
    return tuple(each for each in (*phones(), *_held()["compounds"]) if each != SILENCE)


def phone(name: str) -> Phone:
    """The phone of that name; an unknown one is an error."""
    known = phones()
    if name not in known:
        raise BadInput(f"the phone '{name}'", f"one of {', '.join(known)}",
                       hint=did_you_mean(name, known))  # fmt: skip
    return known[name]


@cache
def parts(symbol: str, symbols: Symbols = "arpabet") -> tuple[Part, ...]:
    """The phones of a symbol; empty for one that the table does not know."""
    base, _ = split_stress(symbol)
    if symbols == "pinyin":
        held = _held()["pinyin"]
        row = held["initials"].get(base.lower()) or held["finals"].get(base.lower())
        if row is not None:
            return tuple(Part(name, share) for name, share in row.items())
        if base.lower().endswith("r") and base.lower()[:-1] in held["finals"]:
            return _with_r(held["finals"][base.lower()[:-1]])
        return (Part(SILENCE, 1.0),) if _arpabet(base) == SILENCE else ()
    name = _arpabet(base)
    row = _held()["compounds"].get(name)
    if row is not None:
        return tuple(Part(each, share) for each, share in row.items())
    return (Part(name, 1.0),) if name in phones() else ()


def _with_r(final: Mapping[str, float]) -> tuple[Part, ...]:
    """Erhua: the tongue curls up over the last third; a final n or i gives way to it."""
    kept = dict(final)
    if len(kept) > 1 and list(kept)[-1] in ("N", "IY"):
        kept.popitem()
    whole = sum(kept.values())
    return (*(Part(name, (1 - _CURL) * share / whole) for name, share in kept.items()),
            Part("R", _CURL))  # fmt: skip


def split_stress(symbol: str) -> tuple[str, int | None]:
    """A symbol without its digit, and the digit: AH0 is (AH, 0), iang4 is (iang, 4)."""
    told = symbol.strip().replace("ü", "v").replace("u:", "v")
    found = _STRESSED.fullmatch(told)
    if found is None:
        return told, None
    return found[1], int(found[2]) if found[2] else None


def of_ipa(symbol: str) -> str:
    """The ARPAbet symbol of an IPA one of US English; empty for one that is not known."""
    plain = _IPA_MARKS.sub("", unicodedata.normalize("NFC", symbol.strip()))
    known: Mapping[str, str] = _held()["ipa"]
    return known.get(plain, SILENCE if is_silence(symbol) else "")


def mandarin_ipa() -> Mapping[str, str]:
    """Initials and finals by the IPA of Mandarin without its tones, as it is decomposed."""
    held: Mapping[str, str] = _held()["mandarin"]
    return held


def is_silence(symbol: str) -> bool:
    """Whether a symbol of any alignment stands for silence."""
    return _arpabet(split_stress(symbol)[0]) == SILENCE


def _arpabet(base: str) -> str:
    name = base.upper()
    alias: str = _held()["aliases"].get(name, name)
    return alias


def _phone(name: str, row: Mapping[str, Any]) -> Phone:
    targets = np.zeros(COUNT)
    for base, weight in row["targets"].items():
        targets[list(_columns(base))] = weight
    dominance = np.array(row["dominance"], np.float64)
    for array in (targets, dominance):
        array.flags.writeable = False
    return Phone(
        name, row["place"], row["manner"], row["voiced"], row.get("rounded", ""), row["jaw"],
        row["viseme"], row.get("contact", ""), targets, dominance,
    )  # fmt: skip


def _columns(base: str) -> tuple[int, ...]:
    """The channel of that name, or its left and right halves."""
    if base in INDEX:
        return (INDEX[base],)
    return INDEX[f"{base}Left"], INDEX[f"{base}Right"]
