"""What was refused, converted or noticed, gathered so that every fault has one line."""

from __future__ import annotations

from typing import NamedTuple

from semanticface.evaluation.result import Finding, SourceResult
from semanticface.report.measures import counted, listed

SEVERITY = ("refused", "overridden", "converted", "noted")


class Notice(NamedTuple):
    """One kind of finding in a source, over all its takes."""

    kind: str
    action: str
    flags: tuple[str, ...]
    channels: tuple[str, ...]
    texts: tuple[tuple[str, str], ...]
    """(takes, what was found there)."""


class Noticed(NamedTuple):
    """Everything noticed about one source."""

    source: str
    scored: str
    """`3 of 3 takes scored`."""
    notices: tuple[Notice, ...]
    notes: tuple[str, ...]


def noticed(source: SourceResult) -> Noticed:
    """The findings of a source by kind, the severest first."""
    groups: dict[tuple[str, str], list[tuple[str, Finding]]] = {}
    for pairing in source.pairings:
        for finding in pairing.findings:
            groups.setdefault((finding.kind, finding.action), []).append((pairing.take, finding))
    takes = len(source.pairings)
    notices = [_notice(kind, action, found, takes) for (kind, action), found in groups.items()]
    notices.sort(key=lambda notice: SEVERITY.index(notice.action))
    scored = sum(pairing.scored for pairing in source.pairings)
    return Noticed(
        source.name, f"{scored} of {counted(takes, 'take')} scored", tuple(notices), source.notes
    )


def _notice(kind: str, action: str, found: list[tuple[str, Finding]], takes: int) -> Notice:
    where: dict[str, list[str]] = {}
    for take, finding in found:
        where.setdefault(finding.text, []).append(take)
    texts = tuple((_where(names, takes), text) for text, names in where.items())
    flags = dict.fromkeys(finding.flag for _, finding in found if finding.flag)
    channels = dict.fromkeys(name for _, finding in found for name in finding.channels)
    return Notice(kind, action, tuple(flags), tuple(channels), texts)


def _where(names: list[str], takes: int) -> str:
    own = list(dict.fromkeys(names))
    if len(own) == takes and takes > 1:
        return f"all {takes} takes"
    return listed(own)
