"""Mandarin as aligners spell it, as the initials and finals of `tables/articulation.yaml`.

    in_pinyin(["n", "ǐ", "x", "ian4"])             # n i3 x ian4
    in_pinyin(["ʈʂ", "u˥˥", "ŋ", "k", "w", "o˧˥"])  # zh u1 ng g w o2

What is read: pinyin with tones as digits or marks (ü, v, u: and ê too), as mandarin_pinyin of MFA
writes it (rhymes cut before n, ng, r), as AISHELL's lexicon does (aa, ee ... before syllables that
begin with a vowel; ix, iy, iz), and the IPA of mandarin_mfa, known by its tone letters. Tones: 1 to
4, and 5 for the neutral one (0 stays 0).

A symbol's mouth depends on its neighbours where the spelling hides it: i after z, c, s and after
zh, ch, sh, r is no [i]; u after j, q, x, y is [y]; ia before n is [iɛ]; ue before n or ng is [uə];
MFA's o without a w before it is [ɤ] (Duanmu 2007, The Phonology of Standard Chinese).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from semanticface.speech.phones import mandarin_ipa

_LETTERS = "\u02e5-\u02e9"
_TONED = re.compile(f"[{_LETTERS}]+")
_DIGIT = re.compile(r"[a-zê]+[345]")
_CONTOURS = {"˥": "1", "˥˥": "1", "˧˥": "2", "˨˩˦": "3", "˨˩": "3", "˥˩": "4"}
_NEUTRAL = "5"
_MARKS = {"\u0304": "1", "\u0301": "2", "\u030c": "3", "\u0300": "4"}
_DIAERESIS, _CIRCUMFLEX = "\u0308", "\u0302"
_SECONDARY = re.compile("[\u02b2\u02d0]")
_ROUNDED = "\u02b7"
_AISHELL = {"aa": "a", "ee": "e", "oo": "o", "uu": "w", "vv": "yu", "rr": "r",
            "ix": "iii", "iy": "ii", "iz": "iii"}  # fmt: skip
_FLAT, _CURLED = ("z", "c", "s"), ("zh", "ch", "sh", "r")
_FRONT = ("j", "q", "x", "y")
_FRONTED = {"u": "v", "ue": "ve", "uan": "van", "un": "vn", "ua": "va"}


def in_pinyin(labels: Sequence[str]) -> list[str] | None:
    """Labels of a whole alignment by the table's names; None where nothing shows Mandarin.

    A label that is not known stays as it stands.
    """
    if any(_TONED.search(each) for each in labels):
        return _of_ipa(labels)
    plain = [plain_tone(each) for each in labels]
    if plain == list(labels) and not any(_DIGIT.fullmatch(each.lower()) for each in labels):
        return None
    return in_context([_of_aishell(each, plain[i + 1 : i + 2]) for i, each in enumerate(plain)])


def plain_tone(label: str) -> str:
    """Marks above letters as a digit and letters of the table: lǘ is lv2, ê is ea."""
    told = label.strip().replace("u:", "v")
    if told.isascii():
        return told
    letters, tone = "", ""
    for each in unicodedata.normalize("NFD", told):
        if each in _MARKS:
            tone = _MARKS[each]
        elif each == _DIAERESIS and letters[-1:] in ("u", "U"):
            letters = letters[:-1] + "v"
        elif each == _CIRCUMFLEX and letters[-1:] in ("e", "E"):
            letters += "a"
        else:
            letters += each
    made = letters + tone
    return made if re.fullmatch(r"[A-Za-z]+\d?", made) else label


def _of_ipa(labels: Sequence[str]) -> list[str]:
    told: list[str] = []
    before = ""
    for each in labels:
        base, tone = _parted(each)
        name = mandarin_ipa().get(base.replace(_ROUNDED, ""), "")
        if name == "o" and before != "w" and not before.endswith(_ROUNDED):
            name = "e"
        told.append(f"{name}{tone}" if name else each)
        before = base
    return told


def _parted(label: str) -> tuple[str, str]:
    """A symbol without tone, length and palatalisation, and its tone as a digit."""
    found = _TONED.search(label)
    base = _SECONDARY.sub("", _TONED.sub("", unicodedata.normalize("NFD", label.strip())))
    return base, _CONTOURS.get(found[0], _NEUTRAL) if found else ""


def _of_aishell(label: str, after: Sequence[str]) -> str:
    base = label.rstrip("0123456789").lower()
    tone = label[len(base) :]
    if base == "ii" and not tone and after and after[0].lower().startswith("i"):
        return "y"
    return _AISHELL[base] + tone if base in _AISHELL else label


def in_context(labels: Sequence[str]) -> list[str]:
    """Finals that their neighbours change, by other names; all else as it stands."""
    bases = ["", *(each.rstrip("0123456789").lower() for each in labels), ""]
    told = []
    for i, label in enumerate(labels, 1):
        coda = bases[i + 1] == "ng" or (bases[i + 1] == "n" and not _toned(labels[i + 1 : i + 2]))
        name = _beside(bases[i], bases[i - 1], bases[i + 1] if coda else "")
        told.append(label if name == bases[i] else name + label[len(bases[i]) :])
    return told


def _toned(labels: Sequence[str]) -> bool:
    """Whether a final follows: then an n before it begins its syllable."""
    return bool(labels) and labels[0][-1:].isdigit()


def _beside(base: str, before: str, coda: str) -> str:
    """A final by what it sounds like beside its neighbours."""
    if base in ("i", "ii") and before in _FLAT:
        return "ii"
    if base in ("i", "ii") and before in _CURLED:
        return "iii"
    if base in _FRONTED and before in _FRONT:
        return _FRONTED[base]
    if base == "ue" and coda:
        return "we"
    return "ie" if (base, coda) == ("ia", "n") else base
