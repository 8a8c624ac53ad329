"""`semanticface demo --preference`: one small round with a simulated rater, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semanticface.data.records import Record
    from semanticface.preference.rounds import Plan

PEOPLE, FACES, HELD_OUT = 10, 16, 8
TRAINING = {"max_steps": 10, "per_device_train_batch_size": 4, "learning_rate": 2e-4, "rank": 8,
            "warmup_steps": 1, "save_steps": 100, "probe_steps": 0, "logging_steps": 2,
            "disable_tqdm": "true", "dtype": "float32"}  # fmt: skip


def preference_demo(out: Path, seed: int = 0) -> Path:
    """Draw faces, sample the packaged small model, let an oracle judge, align, compare.

    The round goes on where an earlier call was stopped. Returns the page.
    """
    import warnings

    from semanticface.atomic import write_text
    from semanticface.cli.console import err
    from semanticface.preference.round_steps import run_samplers, steps
    from semanticface.preference.rounds import Plan, go
    from semanticface.report.preference_page import preference_page

    warnings.filterwarnings("ignore", category=FutureWarning)  # between libraries, not ours
    faces = out / "faces" / "faces.jsonl"
    if not faces.is_file():
        err().print(f"drawing {FACES + HELD_OUT} faces", markup=False)
        _draw(faces, seed)
    plan = Plan(data=str(faces), answer="tokens", rounds=1, faces=FACES, held_out=HELD_OUT,
                samples=3, seed=seed, training=TRAINING)  # fmt: skip
    err().print("sampling, judging, aligning: about a minute on one core", markup=False)
    outcome = go(out / "rounds", plan, steps(run_samplers(plan)))
    page = out / "preference.html"
    write_text(page, preference_page(outcome.rows, _shown(out, plan)))
    err().print(f"\nopen {page}", markup=False, soft_wrap=True)
    return page


def _draw(path: Path, seed: int) -> None:
    """Faces of a few people in the small model's own frame, as records."""
    import numpy as np
    from PIL import Image

    from semanticface.data.images import ImageRef
    from semanticface.data.records import Record, in_table_order, write_records
    from semanticface.motion.expressions import sample_frames
    from semanticface.render.head import load_head
    from semanticface.render.picture import Renderer
    from semanticface.train.nano import PIXELS
    from semanticface.train.nano_view import face_camera

    path.parent.mkdir(parents=True, exist_ok=True)
    values = sample_frames(FACES + HELD_OUT, seed=seed, coverage=0.3)
    made: list[Record] = []
    for number, row in enumerate(values):
        held = number >= FACES
        who = 1000 + 100 * seed + number % PEOPLE + (PEOPLE if held else 0)
        renderer = Renderer(load_head(), view=face_camera(PIXELS), identity=who, size=PIXELS)
        picture = path.parent / f"{number:03d}.png"
        Image.fromarray(renderer.render(np.asarray(row, np.float32))).save(picture)
        made.append(Record(
            id=f"face {number}", image=ImageRef(path=str(picture.resolve())),
            targets=in_table_order(row),
            subject=f"person {who}", frame=number, identity=who, look="realistic",
            split="val" if held else "train", licence="CC0-1.0", consent="synthetic",
            source="semanticface demo",
        ))  # fmt: skip
    write_records(path, made)


def _shown(out: Path, plan: Plan) -> list[Any]:
    """For each face held out: its picture, and the answers before and after as faces."""
    from semanticface.preference.round_evaluation import compared
    from semanticface.preference.round_steps import run_samplers
    from semanticface.report.preference_page import Shown

    told = compared(plan, out / "rounds", run_samplers(plan))
    return [
        Shown(face.id, _input(face), _drawn(first, face), _drawn(mine, face), errors[0], errors[1])
        for face, first, mine, errors in told
    ]


def _input(face: Record) -> Any:
    from semanticface.data.images import Pictures

    return Pictures().decode(face.image, face.id)


def _drawn(values: Any, face: Record) -> Any:
    from PIL import Image

    from semanticface.preference.presentation import Presentation, shown

    how = Presentation("plain", size=160)
    return Image.fromarray(shown(values, "full", how, person=face.identity))
