"""Alignments made elsewhere, as timelines, and timelines as files.

| file | words | phones |
|---|---|---|
| `.TextGrid` (MFA, Praat) | tier `words` | tier `phones` |
| `.ctm` (Kaldi, NIST) | | the symbols, phones if they all are |
| `.srt` | texts, as a transcript with coarse times | |
| `.json` (WhisperX, faster-whisper) | yes, those without times too | |
| `.json` (MFA, praatio) | tier `words` | tier `phones` |

A file with words alone serves as a transcript: its words are aligned anew, with phones.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from semanticface.errors import BadInput
from semanticface.formats import json_lines
from semanticface.formats.ctm import read_ctm, write_ctm
from semanticface.formats.json_lines import PathLike
from semanticface.formats.srt import read_srt, write_srt
from semanticface.formats.textgrid import Interval, read_tiers, write_tiers
from semanticface.formats.tiers_json import is_tiers, tiers_of
from semanticface.formats.whisperx_json import words_of
from semanticface.speech.mandarin import in_context, in_pinyin
from semanticface.speech.phones import Symbols, is_silence, of_ipa, parts, split_stress
from semanticface.speech.timeline import Fault, Sound, Timeline, Word

SUFFIXES = (".textgrid", ".ctm", ".srt", ".json")
_KNOWN = 0.9
"""Share of the symbols that a set must know to be theirs."""
_PHONES = ("phones", "phone", "phonemes", "mau")
_WORDS = ("words", "word", "ort")


class WordsOnly(NamedTuple):
    """What a file without phones has: texts with their times, in order."""

    cues: tuple[Interval, ...]
    text: str = ""
    """All words in order where some have no time, such as WhisperX' numerals."""

    @property
    def transcript(self) -> str:
        """All of it as one text."""
        return self.text or " ".join(each.text for each in self.cues)


def read_alignment(path: PathLike, *, recording: str | None = None) -> Timeline | WordsOnly:
    """A timeline where the file has phones, else its words."""
    suffix = Path(path).suffix.lower()
    if suffix == ".textgrid":
        return _of_tiers(read_tiers(path, keep_empty=True), path)
    if suffix == ".ctm":
        rows = read_ctm(path, recording=recording)
        rows = as_known(rows)
        symbols = symbols_of([each.text for each in rows])
        return WordsOnly(tuple(rows)) if symbols is None else _of_phones(rows, [], symbols, path)
    if suffix == ".srt":
        return WordsOnly(tuple(read_srt(path)))
    if suffix == ".json":
        held = json_lines.load(path)
        if is_tiers(held):
            return _of_tiers(tiers_of(held, path), path)
        found = words_of(held, path)
        return WordsOnly(found.words, found.text)
    raise BadInput(f"the suffix '{Path(path).suffix}'", f"one of {', '.join(SUFFIXES)}", file=path)


def write_alignment(timeline: Timeline, path: PathLike) -> None:
    """Write a timeline as TextGrid (words and phones), CTM (phones) or SRT (words)."""
    suffix = written_as(path)
    words = [Interval(each.start, each.end, each.text) for each in timeline.words]
    phones = [Interval(each.start, each.end, _marked(each)) for each in timeline.sounds]
    if suffix == ".textgrid":
        write_tiers({"words": words, "phones": phones}, path, end=timeline.seconds)
    elif suffix == ".ctm":
        write_ctm(phones, path)
    else:
        write_srt(words, path)


def written_as(path: PathLike) -> str:
    """The suffix of a file that an alignment can be written to."""
    suffix = Path(path).suffix.lower()
    if suffix not in (".textgrid", ".ctm", ".srt"):
        raise BadInput(f"the suffix '{Path(path).suffix}'", ".TextGrid, .ctm or .srt", file=path)
    return suffix


def symbols_of(labels: Sequence[str]) -> Symbols | None:
    """Which set of symbols labels are from: the one that knows nearly all; None for neither."""
    kinds: tuple[Symbols, ...] = ("arpabet", "pinyin")
    known = {kind: sum(bool(parts(each, kind)) for each in labels) for kind in kinds}
    lower = sum(each == each.lower() and not is_silence(each) for each in labels)
    # Pinyin's b, d, f are ARPAbet's too, in small letters; finals decide.
    best: Symbols = "pinyin" if known["pinyin"] > known["arpabet"] or (
        known["pinyin"] == known["arpabet"] and lower > len(labels) / 2) else "arpabet"  # fmt: skip
    return best if labels and known[best] >= _KNOWN * len(labels) else None


def as_known(phones: Sequence[Interval]) -> list[Interval]:
    """Symbols of other spellings by the table's names: IPA as ARPAbet, Mandarin as pinyin."""
    labels = [each.text for each in phones]
    told = in_pinyin(labels)
    if told is None and symbols_of(labels) == "pinyin":
        told = in_context(labels)
    if told is not None:
        return [Interval(each.start, each.end, name)
                for each, name in zip(phones, told, strict=True)]  # fmt: skip
    return in_arpabet(phones) or list(phones)


def in_arpabet(phones: Sequence[Interval]) -> list[Interval] | None:
    """IPA as ARPAbet, a symbol that is not known as it stands; None where it is no IPA."""
    told = [of_ipa(each.text) for each in phones]
    foreign = any(not each.text.isascii() for each in phones)
    if not foreign or sum(map(bool, told)) < _KNOWN * len(told):
        return None
    return [Interval(each.start, each.end, name or each.text)
            for each, name in zip(phones, told, strict=True)]  # fmt: skip


def _of_tiers(tiers: Mapping[str, list[Interval]], path: PathLike) -> Timeline | WordsOnly:
    end = max((each.end for tier in tiers.values() for each in tier), default=0.0)
    tiers = {name: [each for each in tier if each.text] for name, tier in tiers.items()}
    words, phones = _tier(tiers, _WORDS), _tier(tiers, _PHONES)
    if phones is None and words is None:
        raise BadInput(f"tiers {', '.join(tiers) or 'none'}", "one called phones, or words",
                       file=path)  # fmt: skip
    spoken = [each for each in words or [] if not is_silence(each.text)]
    if phones is None:
        return WordsOnly(tuple(spoken))
    phones = as_known(phones)
    symbols = symbols_of([each.text for each in phones])
    if symbols is None:
        raise BadInput(
            f"phones such as {', '.join(sorted({each.text for each in phones})[:6])}",
            "ARPAbet, IPA of US English, IPA of Mandarin with tones, or pinyin initials and finals",
            file=path, hint="With MFA take english_us_arpa, english_us_mfa, mandarin_china_mfa or "
            "mandarin_pinyin.",
        )  # fmt: skip
    found = _of_phones(phones, spoken, symbols, path)
    return replace(found, seconds=max(found.seconds, end))


def _tier(tiers: Mapping[str, list[Interval]], names: Sequence[str]) -> list[Interval] | None:
    """The tier of that name; MFA writes `speaker - phones` where there are speakers."""
    for label, tier in tiers.items():
        if label.lower().rpartition(" - ")[2] in names:
            return tier
    return None


def _of_phones(
    phones: Sequence[Interval], words: Sequence[Interval], symbols: Symbols, path: PathLike
) -> Timeline:
    spoken = tuple(Word(each.text, each.start, each.end) for each in words)
    starts = [each.start for each in spoken]
    sounds: list[Sound] = []
    faults: list[Fault] = []
    for each in phones:
        if is_silence(each.text):
            continue
        base, mark = split_stress(each.text)
        name = base if symbols == "pinyin" else base.upper()
        owner = _owner(starts, spoken, (each.start + each.end) / 2)
        sounds.append(Sound(name, each.start, each.end, mark, owner))
        if not parts(each.text, symbols):
            word = "" if owner is None else spoken[owner].text
            faults.append(Fault(word, each.start, each.end, f"the symbol '{each.text}' is not in "
                                "the articulation table: the mouth rests there"))  # fmt: skip
    last = max((each.end for each in (*phones, *words)), default=0.0)
    return Timeline(tuple(sounds), spoken, last, symbols, Path(path).name, faults=tuple(faults))


def _owner(starts: Sequence[float], words: Sequence[Word], time: float) -> int | None:
    """Which word is spoken at a time."""
    at = bisect_right(starts, time) - 1
    return at if at >= 0 and time <= words[at].end else None


def _marked(each: Sound) -> str:
    return each.symbol if each.stress is None else f"{each.symbol}{each.stress}"
