"""Do preferences give back the lips that faulty labels took? The small model of speech.

    python scripts/experiments/preference_speech.py start --corpus CORPUS2 --folder WORK
    python scripts/experiments/preference_speech.py run --corpus CORPUS2 --folder WORK --seeds 0 1
    python scripts/experiments/preference_speech.py tell --corpus CORPUS2 --folder WORK

The fault: `mouthClose` of every label at 0.3 of its value, so that lips do not meet. `start` has
the packaged model learn that
(docs/results.md: shapes close such lips again, so that it cannot). `run` takes what it answers to
other recordings by chance (and the rules' mouth with --rules), has an oracle whose chance is
--noise choose between two at a time, and aligns; or learns the chosen answers alone (--loss sft).
Every verdict is an oracle's. `tell` scores unseen sentences, with intervals over sentences.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from itertools import islice
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from semanticface.data.speech_samples import SpeechSample, read_samples, write_samples
from semanticface.data.speech_tasks import Take
from semanticface.metrics.events import closed_spans
from semanticface.metrics.mouth_sets import MOUTH_31
from semanticface.metrics.statistics import Interval, cluster_bootstrap, paired_difference
from semanticface.preference.align.run import parse as parse_alignment
from semanticface.preference.align.speech_watch import clip_wins
from semanticface.preference.align.whole import aligned
from semanticface.preference.oracle import Oracle, Traits, let_judge
from semanticface.preference.speech_pairs import How, fill, truths_in
from semanticface.preference.speech_sampling import voice_of
from semanticface.preference.store import open_store
from semanticface.preference.store.content import (
    Rules,
    add_project,
    known_rater,
    project_of,
    raters_of,
)
from semanticface.preference.store.preferred import Filter, write_preferences
from semanticface.rig import INDEX, load_npz, save_npz
from semanticface.speech.audio import Recording
from semanticface.speech.rules import animate
from semanticface.train.places import small_run
from semanticface.train.speaking import opened

MUTED = 0.3
LEARNT, ASKED, SCORED = 120, 60, 30
"""Recordings that the fault is learnt from, that are asked about, and that are scored."""
REPOSITORY = Path(__file__).resolve().parents[2]


def chosen(corpus: Path, side: str, unseen: str = "") -> list[SpeechSample]:
    """Samples of a side, in the corpus' order."""
    return [each for each in read_samples(corpus / "samples.jsonl")
            if each.split == side and each.unseen == unseen]  # fmt: skip


def start(options: argparse.Namespace) -> None:
    """Labels with the fault, and the packaged model after it has learnt from them."""
    faulty = options.folder / "faulty"
    faulty.mkdir(parents=True, exist_ok=True)
    some = [*chosen(options.corpus, "train")[:LEARNT], *chosen(options.corpus, "val")[:4]]
    write_samples(faulty / "samples.jsonl", [muted(each, faulty) for each in some])
    sys.path.insert(0, str(REPOSITORY / "recipes"))
    import sft

    packaged = small_run(speech=True)
    sft.main(sft.parse([
        "--config", str(REPOSITORY / "recipes/configs/audioface_nano.yaml"), "--cues", "timed",
        "--model", str(packaged / "model"), "--data", str(faulty), "--max_steps",
        str(options.steps), "--per_device_train_batch_size", "16", "--learning_rate", "1e-3",
        "--output_dir", str(options.folder / "start"), "--probe_rows", "4", "--probe_steps", "0",
        "--disable_tqdm", "true", "--use_cpu", "true",
    ]))  # fmt: skip


def muted(sample: SpeechSample, folder: Path) -> SpeechSample:
    """The same with lips that close a third of the way."""
    clip = load_npz(sample.clip)
    values = clip.values.copy()
    values[:, INDEX["mouthClose"]] *= MUTED
    path = folder / f"{sample.id.replace('/', '_')}.npz"
    save_npz(clip.with_values(values), path)
    return sample.model_copy(update={"clip": str(path)})


def run(options: argparse.Namespace) -> None:
    """For each seed a store, its verdicts, and the alignment."""
    samples = chosen(options.corpus, "train")[LEARNT : LEARNT + ASKED]
    others = ("rules",) if options.rules else ()
    for seed in options.seeds:
        store = options.folder / f"store-{'rules-' if others else ''}{seed}"
        if not (store / "store.sqlite").is_file():
            ask(store, options.folder / "start", samples, others, seed)
        path = judge(store, samples, options.noise, seed)
        place = options.folder / f"{options.loss}-{path.stem}-{store.name}"
        if not (place / "adapter" / "hashes.json").is_file():
            learn(place, path, options, seed)


def ask(
    folder: Path, run: Path, samples: list[SpeechSample], others: tuple[str, ...], seed: int
) -> None:
    """Pairs of stretches of one window."""
    how = How(samples=4, others=others, windows=1, per_region=1, seed=seed)
    store = open_store(folder, create=True)
    project = add_project(store, "speech", rules=Rules(check_every=0, repeat_every=0))
    told = fill(store, project, [("start", voice_of(run, temperature=1.0))], samples, how,
                folder / "media" / "answers")  # fmt: skip
    store.close()
    sys.stderr.write(f"{told}\n")


def judge(folder: Path, samples: list[SpeechSample], noise: float, seed: int) -> Path:
    """What an oracle says of a store's pairs; those of other oracles are left out."""
    name, traits = f"noise-{noise:g}", Traits(noise=noise, lapse=0.02 if noise else 0.0)
    store = open_store(folder)
    project = project_of(store)
    rater = known_rater(store, project.id, name, "oracle", traits.as_json())
    let_judge(store, project, rater, Oracle(traits, seed=seed),
              truths_in(store, project, samples))  # fmt: skip
    others = tuple(r.name for r in raters_of(store, project.id) if r.name != name)
    path = folder / f"{name}.jsonl"
    write_preferences(store, project.id, path, Filter(("oracle",), without=others))
    store.close()
    return path


def learn(place: Path, pairs: Path, options: argparse.Namespace, seed: int) -> None:
    """An alignment by recipes/dpo.py's own parts."""
    losses = ["sigmoid", "sft"] if options.loss == "dpo" else ["sft"]
    weights = [1.0, 0.1] if options.loss == "dpo" else [1.0]
    config = REPOSITORY / "recipes/configs/dpo/audioface_nano.yaml"
    aligned(parse_alignment([
        "--config", str(config), "--start", str(options.folder / "start"), "--preferences",
        str(pairs), "--media", str(pairs.parent / "media"), "--output_dir",
        str(place), "--max_steps", str(options.align), "--probe_steps", "0", "--save_steps",
        "1000", "--per_device_train_batch_size", "8", "--seed", str(seed), "--use_cpu", "true",
        "--learning_rate", str(options.rate),
        "--disable_tqdm", "true", "--loss_type", *losses, "--loss_weights", *map(str, weights),
    ]))  # fmt: skip


def tell(options: argparse.Namespace) -> None:
    """A line of each arm, on sentences that nothing was learnt from."""
    arms = {"packaged": small_run(speech=True), "start": options.folder / "start"}
    arms |= {each.name: each for each in sorted(options.folder.glob("*-store-*"))
             if (each / "adapter" / "hashes.json").is_file()}  # fmt: skip
    task = opened(arms["start"]).task
    takes = [task.take(each) for each in
             islice(chosen(options.corpus, "test", "sentence"), SCORED)]  # fmt: skip
    clips = {name: spoken(place, takes, options.folder / f"clips-{name}.npz")
             for name, place in arms.items()}  # fmt: skip
    clips["rules"] = [fitted(animate(t.spoken.timeline, t.spoken.contours, rate=30).values, t)
                      for t in takes]  # fmt: skip
    clips["muted labels"] = [muted_values(t) for t in takes]
    told = {name: sums(some, takes) for name, some in clips.items()}
    for name, held in told.items():
        line: dict[str, object] = {"arm": name, "n": len(takes)}
        for word, figure in (("closures", closures), ("mae", error)):
            line[word] = shown(cluster_bootstrap(held, figure))
            if name != "start":
                line[f"{word} less start"] = shown(paired_difference(held, told["start"], figure))
        if "-store-" in name:
            line["wins"] = tuple(clip_wins(clips[name], clips["start"], takes, task))
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def spoken(place: Path, takes: list[Take], kept: Path) -> list[np.ndarray]:
    """What a run makes of the recordings, from the disk where it was asked before."""
    if not kept.is_file():
        speaker = opened(place)
        made = (speaker.clip(take.spoken, Recording(take.sample.audio).samples(),
                             len(take.clip) / 30) for take in takes)  # fmt: skip
        np.savez(kept, *[each.clip.values for each in made])
    with np.load(kept) as held:
        return [held[f"arr_{number}"] for number in range(len(takes))]


def fitted(values: np.ndarray, take: Take) -> np.ndarray:
    """As long as the truth; the last frame stands where the rules end before it."""
    at = np.minimum(np.arange(len(take.clip)), len(values) - 1)
    return values[at]


def muted_values(take: Take) -> np.ndarray:
    values = take.clip.values.copy()
    values[:, INDEX["mouthClose"]] *= MUTED
    return values


def sums(clips: list[np.ndarray], takes: list[Take]) -> np.ndarray:
    """[recordings, 4]: closures made and asked for, absolute error and how many values."""
    rows = []
    for values, take in zip(clips, takes, strict=True):
        spans = np.array(take.spoken.timeline.contacts("lips")).reshape(-1, 2)
        made = closed_spans(np.nan_to_num(values), spans, take.clip.times)
        made = made[~np.isnan(made)]
        gap = np.abs(values - take.clip.values)[:, list(MOUTH_31)]
        rows.append([made.sum(), len(made), np.nansum(gap), (~np.isnan(gap)).sum()])
    return np.array(rows, np.float64)


def closures(held: np.ndarray) -> np.ndarray:
    return held[..., 0] / held[..., 1]


def error(held: np.ndarray) -> np.ndarray:
    return held[..., 2] / held[..., 3]


def shown(told: Interval) -> list[float]:
    return [round(float(each), 4) for each in (told.estimate, told.low, told.high)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("start", "run", "tell"))
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=60, help="of the fault's learning")
    parser.add_argument("--align", type=int, default=100, help="of the alignment")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--noise", type=float, default=Traits().noise, help="0 never errs")
    parser.add_argument("--rate", type=float, default=5e-4, help="of learning, of the alignment")
    parser.add_argument("--loss", choices=("dpo", "sft"), default="dpo")
    parser.add_argument("--rules", action="store_true", help="the rules' mouth in pairs too")
    options = parser.parse_args()
    {"start": start, "run": run, "tell": tell}[options.what](options)


if __name__ == "__main__":
    main()
