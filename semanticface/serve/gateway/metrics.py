"""Counts and times for Prometheus, in its text format; names of clients stay out of them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """What a gateway has done since it was started."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._faces: Counter[str] = Counter()
        self._slots = [0] * (len(_BOUNDS) + 1)
        self._seconds = 0.0
        self._tokens: Counter[str] = Counter()
        self.streams = 0

    def request(self, path: str, status: int) -> None:
        """One HTTP request came to an end."""
        self._requests[path, status] += 1

    def face(self, outcome: str, seconds: float, asked: int, written: int) -> None:
        """One picture was answered, or was not."""
        self._faces[outcome] += 1
        self._slots[bisect_left(_BOUNDS, seconds)] += 1
        self._seconds += seconds
        self._tokens.update(prompt=asked, answer=written)

    def text(self) -> str:
        """As Prometheus reads it."""
        lines = [
            *_counter("semanticface_requests_total", "HTTP requests by path and status", {
                f'path="{path}",status="{status}"': n
                for (path, status), n in sorted(self._requests.items())}),
            *_counter("semanticface_faces_total", "Pictures by how their answer could be read", {
                f'outcome="{outcome}"': n for outcome, n in sorted(self._faces.items())}),
            *_counter("semanticface_tokens_total", "Tokens of prompts and answers", {
                f'kind="{kind}"': n for kind, n in sorted(self._tokens.items())}),
            "# HELP semanticface_streams Open WebSocket streams",
            "# TYPE semanticface_streams gauge",
            f"semanticface_streams {self.streams}",
            *self._histogram(),
        ]  # fmt: skip
        return "\n".join(lines) + "\n"

    def _histogram(self) -> list[str]:
        name, total, lines = "semanticface_face_seconds", 0, []
        for bound, count in zip((*_BOUNDS, "+Inf"), self._slots, strict=True):
            total += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {total}')
        return [f"# HELP {name} Seconds from a picture to its answer", f"# TYPE {name} histogram",
                *lines, f"{name}_sum {self._seconds:.6f}", f"{name}_count {total}"]  # fmt: skip


def _counter(name: str, about: str, found: dict[str, int]) -> list[str]:
    head = [f"# HELP {name} {about}", f"# TYPE {name} counter"]
    return head + [f"{name}{{{labels}}} {count}" for labels, count in found.items()]
