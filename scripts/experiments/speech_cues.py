"""Which cues help a small model of speech, on a synthetic corpus: trains, scores, tabulates.

    python scripts/speech_corpus.py CORPUS --sentences 300 --each 2 --seed 7
    python scripts/experiments/speech_cues.py run CORPUS OUT --steps 200 --seeds 3
    python scripts/experiments/speech_cues.py table OUT

Each run is recipes/configs/audioface_nano.yaml with other cues, window or seed; every one is
scored on whole recordings: unseen sentences of known voices, an unseen voice, noise (cues
aligned anew on the noisy sound), and the transcript of another sentence (its phone times
stretched to this sound). Runs that OUT has are not made again. The truth is synthetic.
"""

from __future__ import annotations

import argparse
import functools
import json
import pickle
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semanticface.data.sounds import cut
from semanticface.data.speech_corpus import manner_of, style_of
from semanticface.data.speech_samples import SpeechSample, read_samples
from semanticface.data.speech_tasks import SpeechTask, Take
from semanticface.metrics.clusters import by_key
from semanticface.metrics.geometry import compare_clips
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.metrics.speech import SpeechSums, speech_scores, speech_sums
from semanticface.metrics.statistics import cluster_bootstrap
from semanticface.metrics.zones import find_zones
from semanticface.render.head import load_head
from semanticface.rig import FaceClip
from semanticface.speech.align import Aligner
from semanticface.speech.audio import RATE, Recording, Samples
from semanticface.speech.contours import contours
from semanticface.speech.cues import SETS, Spoken
from semanticface.speech.mouth_shapes import ShapeForm
from semanticface.speech.rules import animate
from semanticface.speech.spans import spoken_spans
from semanticface.speech.timeline import Timeline

CONFIG = Path(__file__).resolve().parents[2] / "recipes" / "configs" / "audioface_nano.yaml"
NOISES = (20, 10, 0)
BATCH = 16
MANY, FEW = 40, 16
"""Recordings of the first condition, and of each other."""


class Case(NamedTuple):
    """A recording as a model gets it, and what is true of it."""

    take: Take
    spoken: Spoken
    """What is told of it, which may be wrong."""
    sound: Samples


Cases = dict[str, list[Case]]


@functools.cache
def read_take(sample: SpeechSample) -> Take:
    return SpeechTask.of("shapes").take(sample)


@functools.cache
def sound_of(path: str) -> Samples:
    return Recording(path).samples()


def kept(place: Path, make: Callable[[], Any]) -> Any:
    """What was made before, or made now: aligning noisy speech takes longest."""
    if not place.exists():
        place.write_bytes(pickle.dumps(make()))
    return pickle.loads(place.read_bytes())


def plain(sample: SpeechSample) -> Case:
    return Case(read_take(sample), read_take(sample).spoken, sound_of(sample.audio))


def noisy(case: Case, decibels: float, aligner: Aligner, seed: int) -> Case:
    """White noise at a ratio to the recording's power; cues from what the aligner then finds."""
    rng = np.random.default_rng([seed, int(decibels)])
    power = float(np.square(case.sound).mean()) / 10 ** (decibels / 10)
    sound = case.sound + rng.normal(0, np.sqrt(power), len(case.sound)).astype(np.float32)
    sound = np.clip(sound, -1, 1).astype(np.float32)
    found = aligner.align([sound], case.take.sample.text)
    return Case(case.take, Spoken(found, contours([sound])), sound)


def misled(case: Case, other: Case) -> Case:
    """The words and phones of another recording, stretched to the length of this one."""
    told, length = other.take.spoken.timeline, len(case.sound) / RATE
    share = length / told.seconds
    sounds = tuple(s._replace(start=s.start * share, end=s.end * share) for s in told.sounds)
    words = tuple(w._replace(start=w.start * share, end=w.end * share) for w in told.words)
    wrong = Timeline(sounds, words, length, told.symbols, "of another sentence")
    return Case(case.take, Spoken(wrong, case.take.spoken.contours), case.sound)


def conditions(corpus: Path) -> Cases:
    held = [s for s in read_samples(corpus / "samples.jsonl") if s.split == "test"]
    known = [plain(s) for s in held if s.unseen == "sentence"]
    other = [plain(s) for s in held if s.unseen in ("voice", "both")][:FEW]
    aligner, some = Aligner(), known[:FEW]
    made = {"unseen sentence": known[:MANY], "unseen voice": other}
    for decibels in NOISES:
        made[f"noise {decibels} dB"] = [noisy(c, decibels, aligner, i) for i, c in enumerate(some)]
    made["wrong transcript"] = [misled(c, some[(i + 5) % len(some)]) for i, c in enumerate(some)]
    return made


# -- what is compared --------------------------------------------------------------


def scored(case: Case, clip: FaceClip) -> SpeechSums:
    """Against the truth, contacts where they truly are."""
    take, heard = case.take, case.take.spoken.contours
    loud = None if heard is None else heard.at(heard.loudness, take.clip.times)
    spans = spoken_spans(take.spoken.timeline)
    return speech_sums(clip.values[: len(take.clip)], take.clip.times, spans,
                       truth=take.clip.values, loudness=loud)  # fmt: skip


def by_rules(case: Case) -> FaceClip:
    told = animate(case.spoken.timeline, case.spoken.contours, rate=30)
    return _as_long(told, case)


def by_the_speaker(case: Case, seed: int) -> FaceClip:
    """The rules with the speaker's own style and manner, without the trembling: no model that
    does not know the sentence's own draw can be better but by luck."""
    sample = case.take.sample
    number = int(sample.sentence)
    manner = manner_of(sample.subject, seed, number)._replace(tremble=0.0)
    told = animate(case.spoken.timeline, case.spoken.contours, rate=30,
                   style=style_of(sample.subject, seed, number), manner=manner)  # fmt: skip
    return _as_long(told, case)


def by_shapes(case: Case) -> FaceClip:
    """The truth as the nearest shapes: what one token a frame can say."""
    form = ShapeForm()
    read = form.read(form.write(case.take.clip.values), len(case.take.clip))
    return _clip(case, read.values)


def always(row: np.ndarray) -> Callable[[Case], FaceClip]:
    return lambda case: _clip(case, np.repeat(row[None], len(case.take.clip), 0))


def _clip(case: Case, values: Any) -> FaceClip:
    return FaceClip(np.asarray(values, np.float32), case.take.clip.times, case.take.clip.present)


def _as_long(clip: FaceClip, case: Case) -> FaceClip:
    values = np.full_like(case.take.clip.values, np.nan)
    count = min(len(clip), len(values))
    values[:count], values[count:] = clip.values[:count], clip.values[count - 1]
    return _clip(case, values)


def judged(cases: Cases, mouth: Callable[[Case], FaceClip], keep: Path) -> dict[str, Any]:
    """Scores of every recording; the mouths themselves are kept for measures to come."""
    made = {name: [mouth(case) for case in some] for name, some in cases.items()}
    keep.parent.mkdir(exist_ok=True)
    mouths = {f"{name}/{i}": clip.values[:, list(MOUTH_31)].astype(np.float16)
              for name, clips in made.items() for i, clip in enumerate(clips)}  # fmt: skip
    np.savez_compressed(keep, allow_pickle=False, **mouths)
    return {name: [_row(case, clip) for case, clip in zip(cases[name], clips, strict=True)]
            for name, clips in made.items()}  # fmt: skip


def _row(case: Case, clip: FaceClip) -> dict[str, Any]:
    lips = compare_clips(load_head(), case.take.clip, clip, _zones())
    return {"sentence": case.take.sample.sentence, "sums": list(scored(case, clip)),
            "frames": lips.frames, "lve_mean_max": lips.lve_mean_max}  # fmt: skip


@functools.cache
def _zones() -> Any:
    return find_zones(load_head())


# -- the runs ----------------------------------------------------------------------


class Plan(NamedTuple):
    """One run."""

    cues: str
    seed: int
    window: int = 15
    hop: int = 12

    @property
    def name(self) -> str:
        return f"{self.cues}, {self.window} frames, seed {self.seed}"


def plans(seeds: int) -> Iterator[Plan]:
    """Seed by seed, so that a part of them is of use; other lengths after the first."""
    for seed in range(seeds):
        yield from (Plan(cues, seed) for cues in SETS)
        if seed == 0:
            yield from (Plan("articulation", 0, 6, 4), Plan("articulation", 0, 30, 27))


def train(plan: Plan, samples: list[SpeechSample], out: Path, steps: int) -> tuple[Any, Any]:
    """(model, task) of a run by the recipe's own parts; sides are made of takes kept in memory."""
    from transformers import set_seed

    from semanticface.train.loading import load
    from semanticface.train.parsing import parse
    from semanticface.train.places import model_place
    from semanticface.train.runs import Run
    from semanticface.train.trainer import trainer_of

    folder = out / plan.name.replace(", ", "-").replace(" ", "-")
    told = {"cues": plan.cues, "window": plan.window, "hop": plan.hop, "seed": plan.seed,
            "max_steps": steps, "per_device_train_batch_size": BATCH,
            "save_strategy": "no", "probe_steps": 0, "probe_rows": 1,
            "cache": out / "cache", "data": out, "output_dir": folder, "use_cpu": "true",
            "disable_tqdm": "true", "logging_steps": 25}  # fmt: skip
    if plan.cues == "text":
        told |= {"vision": "frozen", "projector": "frozen"}
    flags = [word for key, value in told.items() for word in (f"--{key}", str(value))]
    settings = parse(["--config", str(CONFIG), *flags])
    task = settings.data.speech
    set_seed(plan.seed)
    base = model_place("", settings.data.cache, task)
    loaded = load(settings.model.source(base), task)
    model = _fresh(loaded.model, plan.seed)
    from semanticface.train.adapters import apply

    run = Run(folder)
    folder.mkdir(parents=True, exist_ok=True)
    held = _sides(task, samples, folder)
    ready = loaded._replace(model=apply(settings.model.plan, model))
    trainer = trainer_of(settings, ready, held, run)
    trainer.pop_callback(trainer.callback_handler.callbacks[-1])  # no probe: scored below
    trainer.train()
    trainer.model.save_pretrained(folder / "model")
    return loaded._replace(model=trainer.model.eval()), task


def _fresh(model: Any, seed: int) -> Any:
    """Random weights by seed, as `nano_audio.build` draws them."""
    import torch

    torch.manual_seed(seed)
    places = model.model.audio_tower.embed_positions.weight.data.clone()
    made = type(model)(model.config)
    made.model.audio_tower.embed_positions.weight.data.copy_(places)
    made.generation_config = model.generation_config
    return made


def _sides(task: SpeechTask, samples: list[SpeechSample], folder: Path) -> Any:
    from datasets import Dataset

    from semanticface.train.speech_rows import SpeechSides, SpeechTable

    learnt = [each for each in samples if each.split == "train"]
    rows = [json.dumps(task.example(read_take(s), w))
            for s in learnt for w in task.windows(read_take(s))]  # fmt: skip
    probe = [each for each in samples if each.split == "val"][:1]
    return SpeechSides(SpeechTable(Dataset.from_dict({"row": rows})), probe)


def by_model(loaded: Any, task: SpeechTask) -> Callable[[Case], FaceClip]:
    from semanticface.train.speaking import speaker

    asked = speaker(loaded.model, loaded.processor, task)

    def mouth(case: Case) -> FaceClip:
        seconds = len(case.take.clip) / task.rate
        samples = cut(case.sound, 0, max(seconds, len(case.sound) / RATE))
        return asked.clip(case.spoken, samples, seconds).clip

    return mouth


def run(corpus: Path, out: Path, steps: int, seeds: int, corpus_seed: int) -> None:
    out.mkdir(parents=True, exist_ok=True)
    journal = out / "scores.jsonl"
    done = {json.loads(line)["name"] for line in journal.read_text().splitlines()} \
        if journal.exists() else set()  # fmt: skip
    clock = time.process_time()
    samples = list(read_samples(corpus / "samples.jsonl"))
    cases = kept(out / "cases.pickle", lambda: conditions(corpus))
    told(f"{sum(map(len, cases.values()))} recordings to score", clock)
    learnt = [read_take(s).clip.values for s in samples if s.split == "train"]
    mean = np.concatenate(learnt).mean(axis=0)  # NaN outside the mouth
    told("the training recordings are read", clock)
    for name, mouth in {
        "rules": by_rules,
        "rules with the speaker's own manner": lambda c: by_the_speaker(c, corpus_seed),
        "truth as shapes": by_shapes, "mean of training": always(mean),
        "all zero": always(np.where(np.isnan(mean), np.nan, 0)),
    }.items():  # fmt: skip
        if name not in done:
            scores = judged(cases, mouth, out / "mouths" / f"{name}.npz")
            write(journal, {"name": name, "scores": scores})
    for plan in plans(seeds):
        if plan.name in done:
            continue
        clock = time.process_time()
        loaded, task = train(plan, samples, out, steps)
        learnt = time.process_time() - clock
        some = cases if plan.window == 15 else \
            {key: cases[key] for key in ("unseen sentence", "unseen voice")}  # fmt: skip
        scores = judged(some, by_model(loaded, task), out / "mouths" / f"{plan.name}.npz")
        write(journal, {"name": plan.name, **plan._asdict(), "steps": steps, "scores": scores,
                        "seconds": learnt})  # fmt: skip
        told(f"{plan.name}: learnt in {learnt:.0f} s", clock)


def write(journal: Path, row: dict[str, Any]) -> None:
    with journal.open("a") as file:
        file.write(json.dumps(row) + "\n")


def told(what: str, since: float) -> None:
    print(f"{what} ({time.process_time() - since:.0f} s of processor time)", flush=True)


# -- the tables --------------------------------------------------------------------

SHOWN = (("mouth_mae", 4), ("closure_rate", 2), ("teeth_rate", 2), ("rounding_rate", 2),
         ("rounding_contrast", 2), ("jaw_energy", 2))  # fmt: skip


def table(out: Path) -> None:
    rows = [json.loads(line) for line in (out / "scores.jsonl").read_text().splitlines()]
    conditions = list(dict.fromkeys(key for row in rows for key in row["scores"]))
    for condition in conditions:
        print(f"\n{condition}\n\n| | " + " | ".join(name for name, _ in SHOWN)
              + " | lve_mean_max, mm |")  # fmt: skip
        print("|---" * (len(SHOWN) + 2) + "|")
        for name, group in _groups(rows):
            sums = [r["scores"][condition] for r in group if condition in r["scores"]]
            if sums:
                print(f"| {name} | {_line(sums)} |")


def _groups(rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Seeds of one plan together."""
    held: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        name = row["name"] if "cues" not in row else f"{row['cues']}, {row['window']} frames"
        held.setdefault(name, []).append(row)
    return [(f"{name} ({len(group)} seeds)" if "cues" in group[0] else name, group)
            for name, group in held.items()]  # fmt: skip


def _line(seeds: list[list[dict[str, Any]]]) -> str:
    """Sums of all seeds together, intervals over sentences."""
    flat = [each for one in seeds for each in one]
    sums = by_key([SpeechSums(*each["sums"]) for each in flat], [e["sentence"] for e in flat])
    parts = []
    for name, digits in SHOWN:
        found = cluster_bootstrap(sums.sums, functools.partial(_score, name))
        low, high = np.ravel(found.low)[0], np.ravel(found.high)[0]
        parts.append(
            f"{np.ravel(found.estimate)[0]:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
        )
    return " | ".join([*parts, _lips(flat)])


def _lips(flat: list[dict[str, Any]]) -> str:
    """Mean over frames of the largest lip-vertex error, mm."""
    pairs = [(np.float64(e["frames"]), np.float64(e["frames"] * e["lve_mean_max"])) for e in flat]
    sums = by_key(pairs, [e["sentence"] for e in flat]).sums
    found = cluster_bootstrap(sums, lambda s: s[1] / s[0])
    return f"{found.estimate:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _score(name: str, sums: SpeechSums) -> Any:
    return getattr(speech_scores(sums), name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("places", type=Path, nargs="+", help="CORPUS OUT, or OUT")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--corpus-seed", type=int, default=7)
    told = parser.parse_args()
    if told.what == "table":
        table(told.places[0])
    else:
        run(told.places[0], told.places[1], told.steps, told.seeds, told.corpus_seed)


if __name__ == "__main__":
    main()
