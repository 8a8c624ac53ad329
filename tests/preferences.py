"""Preferences about the faces of `training.face_data`, as `rank preferences` would write them."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from semanticface.data.records import read_records
from semanticface.preference.regions import with_region
from semanticface.rig import into_range


def row(values: np.ndarray, digest: str | None, number: int, region: str, seed: int = 0) -> Any:
    """Chosen: the truth; rejected: other values in the region."""
    rng = np.random.default_rng([seed, number])
    truth = into_range(values).values
    noisy = into_range(truth + rng.normal(0, 0.3, truth.shape).astype(np.float32)).values
    other = with_region(truth, noisy, region)

    def told(each: np.ndarray) -> dict[str, Any]:
        return {"source": "x", "text": None, "values": [round(float(v), 3) for v in each]}

    return {"pair": f"p{number}", "item": f"i{number}", "subject": f"s{number}", "told": "",
            "picture": digest, "region": region, "chosen": told(truth), "rejected": told(other),
            "judged_by": {"oracle": 1}}  # fmt: skip


def write(folder: Path, data: Path, *, regions: tuple[str, ...] = ("upper", "lower")) -> Path:
    """One preference a face into `folder`/preferences.jsonl, pictures under `folder`/media."""
    rows = []
    for number, record in enumerate(read_records(data)):
        picture = Path(record.image.path or "")
        digest = hashlib.sha256(picture.read_bytes()).hexdigest()
        place = folder / "media" / "files" / digest[:2] / digest
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, place)
        rows.append(row(record.values, digest, number, regions[number % len(regions)]))
    path = folder / "preferences.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


PLAIN = {
    "max_steps": 4, "save_steps": 2, "logging_steps": 1, "warmup_steps": 0, "learning_rate": 1e-3,
    "lr_scheduler_type": "constant", "per_device_train_batch_size": 2, "probe_steps": 2,
    "probe_rows": 2, "disable_tqdm": "true", "use_cpu": "true", "rank": 4, "alpha": 8,
}  # fmt: skip


def flags(output: Path, start: Path, preferences: Path, **more: object) -> list[str]:
    """Flags of a short alignment."""
    told = PLAIN | {"output_dir": output, "start": start, "preferences": preferences,
                    "media": preferences.parent / "media"} | more  # fmt: skip
    return [word for key, value in told.items() for word in
            (f"--{key}", *map(str, value if isinstance(value, list) else [value]))]  # fmt: skip
