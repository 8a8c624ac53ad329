"""Teach the tower to see: steps, schedule, looks at held-out people, checkpoints.

How far the schedule is goes by seconds of processor time, so that a run fits the time there is; a
checkpoint holds everything, and a run goes on from it where it stopped.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nano_build.muon import Muon
from nano_build.pool import Batch, Drawer, Held
from nano_build.speaker import Speaker, set_words
from nano_build.tower import Answers, Heads, Seer, Sight, patches_of, set_stem
from torch import Tensor
from torch.nn import functional

from semanticface.metrics.coefficients import active_channels
from semanticface.rig import COUNT, mirror

_LONG, _COOLING = 0.02, 0.5
"""Shares of the time in which the rate rises, and falls again."""
_FIRST_WORDS = 40
"""Steps in which the language model's own rate rises."""
_BEND = 1.5
"""Deviations from which an error counts by its size, no longer by its square."""
_SLOW = 0.998
_LEAST_SIDED = 0.05
"""Spread of a difference between the sides below which it counts no more."""
_CELL = (0.3, *[0.3] * 3, *[2.0] * 3, *[0.0] * 3)
"""Weights of a cell's numbers: cover, place, movement; a person's own proved unlearnable."""


@dataclass(frozen=True)
class Settings:
    """Of a warm-up."""

    minutes: float = 45.0
    batch: int = 32
    rate: float = 4e-3
    """Of the matrices; the rest takes half of it."""
    cells: float = 1.0
    """Weight of the cells' numbers beside the two readings of the face's."""
    sides: float = 0.5
    """Weight of what a reading says of the left less what it says of the right."""
    wild: float = 0.7
    """Share of a batch that follows no habits, as long as there is more of both."""
    tame: float = 0.93
    """Share of the time after which there are none of them."""
    spoken: int = 0
    """Faces of a batch that the language model reads too; 0 leaves it as it was built."""
    late: float = 0.7
    """Share of the time after which it also reads what stands in the answer's place."""
    seed: int = 0
    look_every: float = 180.0


@dataclass
class Progress:
    """Of a run, over all its starts."""

    steps: int = 0
    spoken: int = 0
    """Of these, steps in which the language model learnt."""
    seconds: float = 0.0
    shown: int = 0
    looks: list[dict[str, Any]] = field(default_factory=list)


class Warming:
    """A tower, its heads, and how far they are."""

    def __init__(self, model: Any, settings: Settings, pool: Held) -> None:
        self.model, self.settings, self.pool = model, settings, pool
        tower = model.model.visual
        torch.manual_seed(settings.seed)
        set_stem(tower, np.array(pool.pictures[0][:300]))
        self.seer = Seer(tower)
        self.heads = Heads(tower.config.hidden_size, tower.config.out_hidden_size)
        self.parts = torch.nn.ModuleDict({"seer": self.seer, "heads": self.heads})
        values, points = pool.tame()
        self.parts.register_buffer("middle", torch.from_numpy(values.mean(0)))
        self.parts.register_buffer("spread", torch.from_numpy(values.std(0)))
        turned = torch.from_numpy(np.stack([mirror(each) for each in np.eye(COUNT)])).float()
        self.parts.register_buffer("turned", turned, persistent=False)
        flat = torch.from_numpy(points).float().flatten(0, 2)
        self.parts.register_buffer("cell_middle", flat.mean(0))
        self.parts.register_buffer("cell_spread", flat.std(0))
        apart = torch.from_numpy(values) - torch.from_numpy(values) @ turned
        self.side_spread = apart.std(0).clamp_min(_LEAST_SIDED)
        self.progress = Progress()
        self.steps = _optimizers(self.parts, settings.rate)
        self.speaker = Speaker(model) if settings.spoken else None
        if self.speaker is not None:
            set_words(model, settings.seed)
            self.steps += _optimizers(self.speaker, settings.rate)
            self.parts["speaker"] = self.speaker
        self.slow = {name: each.clone() for name, each in self.parts.state_dict().items()}
        self.drawer = Drawer(pool, settings.seed, settings.wild)
        self.unused: dict[str, Any] = {"parts": {}, "slow": {}, "steps": []}

    def step(self) -> dict[str, float]:
        """One batch."""
        begun = time.process_time()
        self._set_rates()
        if self.done > self.settings.tame:
            self.drawer.wild = 0.0
        batch = self.drawer.batch(self.settings.batch)
        sight = self.seer(batch.patches)
        losses = self._losses(self.heads(sight), batch)
        loss = losses["flat"] + losses["read"] + self.settings.cells * losses["cells"]
        loss = loss + self.settings.sides * losses["sides"]
        if self.speaker is not None:
            losses["spoken"] = self._spoken(sight, batch.values)
            loss = loss + losses["spoken"]
            self.progress.spoken += 1
        loss.backward()
        for optimizer in self.steps:
            optimizer.step()
            optimizer.zero_grad()
        self._follow()
        self.progress.steps += 1
        self.progress.shown += self.settings.batch
        self.progress.seconds += time.process_time() - begun
        return {name: float(each.detach()) for name, each in losses.items()}

    def _losses(self, told: Answers, batch: Batch) -> dict[str, Tensor]:
        wanted = (batch.values - self.parts.middle) / self.parts.spread
        cells = (batch.points - self.parts.cell_middle) / self.parts.cell_spread
        covered = batch.points[..., :1]
        weight = torch.cat([torch.ones_like(covered), covered.expand_as(cells[..., 1:])], -1)
        weight = weight * torch.tensor(_CELL)
        apart = functional.smooth_l1_loss(told.cells, cells, beta=_BEND, reduction="none")
        return {
            "flat": functional.smooth_l1_loss(told.flat, wanted, beta=_BEND),
            "read": functional.smooth_l1_loss(told.read, wanted, beta=_BEND),
            "cells": (apart * weight).sum() / weight.sum(),
            "sides": self._sides(told.flat, wanted) + self._sides(told.read, wanted),
        }

    def _sides(self, told: Tensor, wanted: Tensor) -> Tensor:
        """Error of each value less its other side's, in deviations of that difference."""
        off = (told - wanted) * self.parts.spread
        off = (off - off @ self.parts.turned) / self.side_spread
        return functional.smooth_l1_loss(off, torch.zeros_like(off), beta=_BEND)

    def _spoken(self, sight: Sight, truth: Tensor) -> Tensor:
        some = self.settings.spoken
        part = Sight(*(each[:some] for each in sight))
        late = self.done > self.settings.late
        assert self.speaker is not None
        told = self.speaker(part, truth[:some], self.parts.spread, late)
        middle, spread = self.parts.middle, self.parts.spread
        apart = self._sides((told.values - middle) / spread, (truth[:some] - middle) / spread)
        return told.loss + self.settings.sides * apart

    @property
    def done(self) -> float:
        """Share of the time that is used up."""
        return self.progress.seconds / (60 * self.settings.minutes)

    def _set_rates(self) -> None:
        rate = max(0.0, min(1.0, (self.done + 1e-4) / _LONG, (1 - self.done) / _COOLING))
        rising = min(1.0, (self.progress.spoken + 1) / _FIRST_WORDS)
        for number, optimizer in enumerate(self.steps):
            for group in optimizer.param_groups:
                group["lr"] = group["base"] * rate * (rising if number >= 2 else 1.0)

    @torch.no_grad()
    def _follow(self) -> None:
        keep = min(_SLOW, (1 + self.progress.steps) / (10 + self.progress.steps))
        for name, each in self.parts.state_dict().items():
            if each.dtype.is_floating_point:
                self.slow[name].lerp_(each, 1 - keep)

    @property
    def over(self) -> bool:
        """Whether the time is used up."""
        return self.done >= 1

    def look(self, seen: Held, most: int = 500) -> dict[str, Any]:
        """Scores of the slow weights on held-out people, kept in the progress."""
        quick = {name: each.clone() for name, each in self.parts.state_dict().items()}
        self.parts.load_state_dict(self.slow)
        told = self._told(np.concatenate(seen.pictures)[:most])
        self.parts.load_state_dict(quick)
        truth = np.concatenate(seen.values)[:most]
        found = {"steps": self.progress.steps, "seconds": round(self.progress.seconds, 1),
                 "shown": self.progress.shown, "held": len(self.pool.names)}  # fmt: skip
        found |= {name: scored(each, truth) for name, each in told.items()}
        self.progress.looks.append(found)
        return found

    @torch.no_grad()
    def _told(self, pictures: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
        rows: dict[str, list[Tensor]] = {}
        for begin in range(0, len(pictures), 100):
            sight = self.seer(patches_of(torch.from_numpy(pictures[begin : begin + 100])))
            told = self.heads(sight)
            found = {name: self.parts.middle + self.parts.spread * each
                     for name, each in (("flat", told.flat), ("read", told.read))}  # fmt: skip
            if self.speaker is not None:
                found["spoken"] = self.speaker.read(sight)
            for name, each in found.items():
                rows.setdefault(name, []).append(each)
        return {name: torch.cat(each).numpy() for name, each in rows.items()}

    def save(self, folder: Path) -> None:
        """Everything a later start needs."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {
            "parts": self.unused["parts"] | self.parts.state_dict(),
            "slow": self.unused["slow"] | self.slow,
            "steps": [each.state_dict() for each in self.steps] + self.unused["steps"],
            "progress": asdict(self.progress), "drawer": self.drawer.rng.bit_generator.state,
        }  # fmt: skip
        torch.save(state, folder / "state.part")
        (folder / "state.part").replace(folder / "state.pt")
        (folder / "looks.json").write_text(json.dumps(self.progress.looks, indent=1))

    def resume(self, folder: Path) -> None:
        """Go on from a checkpoint; what it knows of an idle language model is kept as it is."""
        state = torch.load(folder / "state.pt", weights_only=False)
        if self.speaker is None:
            for name in ("parts", "slow"):
                self.unused[name] = {
                    key: state[name].pop(key)
                    for key in [*state[name]]
                    if key.startswith("speaker.")
                }
            self.unused["steps"] = state["steps"][len(self.steps) :]
        known = self.parts.load_state_dict(state["parts"], strict=False)
        new = {name for name in known.missing_keys if not name.startswith("speaker.")}
        if new or known.unexpected_keys:
            raise ValueError(f"a checkpoint of another model: {new or known.unexpected_keys}")
        self.slow |= state["slow"]
        for optimizer, told in zip(self.steps, state["steps"], strict=False):
            bases = [group["base"] for group in optimizer.param_groups]
            optimizer.load_state_dict(told)
            for group, base in zip(optimizer.param_groups, bases, strict=True):
                group["base"] = base
        self.progress = Progress(**state["progress"])
        self.drawer.rng.bit_generator.state = state["drawer"]


def scored(told: np.ndarray[Any, Any], truth: np.ndarray[Any, Any]) -> dict[str, float]:
    """Mean Pearson over active channels, and mean error against the mean face's."""
    active = active_channels(truth)
    a, b = told - told.mean(0), truth - truth.mean(0)
    r = (a * b).sum(0) / np.sqrt((a * a).sum(0) * (b * b).sum(0) + 1e-12)
    off = np.abs(told - truth).mean(0)
    guess = np.abs(b).mean(0)
    return {"pearson": float(r[active].mean()), "mae": float(off.mean()),
            "mean_mae": float(guess.mean()), "ratio": float(off.mean() / guess.mean())}  # fmt: skip


def _optimizers(parts: Any, rate: float) -> list[Any]:
    matrices, merged, rest = [], [], []
    for name, weight in parts.named_parameters():
        if (".blocks." in name or ".layers." in name) and weight.ndim == 2:
            matrices.append(weight)
        else:
            (merged if "merger" in name or "embed_tokens" in name else rest).append(weight)
    steps = [
        Muon(matrices, lr=rate),
        torch.optim.AdamW(
            [{"params": merged, "lr": rate / 4}, {"params": rest, "lr": rate / 2}],
            betas=(0.9, 0.98), weight_decay=0.01,
        ),
    ]  # fmt: skip
    for optimizer in steps:
        for group in optimizer.param_groups:
            group["base"] = group["lr"]
    return steps
