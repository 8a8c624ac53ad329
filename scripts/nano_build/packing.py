"""A finished run as the package's asset: half the bytes, no places of the machine, sealed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from semanticface.data.shards import digest_of
from semanticface.train.manifest import prompt_json, read_manifest, task_json, task_of
from semanticface.train.runs import Run
from semanticface.train.seal import check_seal, seal

CARD = "README.md"
_KEPT = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
         "chat_template.jinja", "preprocessor_config.json", "video_preprocessor_config.json",
         "processor_config.json")  # fmt: skip


def pack_run(folder: Path, work: Path, to: Path, written: Path | None = None) -> int:
    """Copy manifest, journal of probes and model of the run `folder`; bytes in all. Its weights
    are those of `written`, where it was taught to write after the run."""
    manifest = read_manifest(Run(folder).manifest) | {"warm_up": _warm_up(work)}
    if written is not None:
        manifest = _taught(manifest, written)
    return pack(folder, to, manifest, written)


def pack(folder: Path, to: Path, manifest: dict[str, Any], weights: Path | None = None) -> int:
    """The same of any run of whole weights, with the manifest that is to stand there; the weights
    are those of the folder `weights`, or the run's own."""
    run = Run(folder)
    result = run.result()
    check_seal(result)
    card = (to / CARD).read_bytes() if (to / CARD).is_file() else None
    shutil.rmtree(to, ignore_errors=True)  # not before all is there that takes its place
    (to / "model").mkdir(parents=True)
    if card is not None:  # written by hand, without figures: it holds for other weights too
        (to / CARD).write_bytes(card)
    manifest["base"]["path"], manifest["data"]["path"] = "WORK/tower", "WORK/faces"
    manifest["weights"] = {"stored": "float16", "used": "float32"}
    (to / "config.yaml").write_text(_without_places(run.folder / "config.yaml"), encoding="utf-8")
    shutil.copy(run.probes, to / "probes.jsonl")
    for name in _KEPT:
        if (result / name).is_file():
            shutil.copyfile(result / name, to / "model" / name)
    _halve((weights or result) / "model.safetensors", to / "model" / "model.safetensors")
    manifest["weights"]["sha256"] = digest_of(to / "model" / "model.safetensors")
    (to / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    seal(to / "model")
    return sum(file.stat().st_size for file in to.rglob("*") if file.is_file())


def _taught(manifest: dict[str, Any], written: Path) -> dict[str, Any]:
    """The manifest with what was taught after the run beside what the run learnt."""
    from nano_build.writing import forms

    lesson = json.loads((written / "lesson.json").read_text(encoding="utf-8"))
    del lesson["losses"]
    learnt = [task_of({"task": each}) for each in manifest["also"]]
    more = [form.task for form in forms()]
    return manifest | {
        "also": [task_json(each) for each in [*learnt, *more]],
        "also_prompts": [prompt_json(each) for each in [*learnt, *more]], "writing": lesson,
    }  # fmt: skip


def _without_places(config: Path) -> str:
    """The recipe's settings with the folders that `make_nano.py` names for them."""
    import yaml

    held = yaml.safe_load(config.read_text(encoding="utf-8"))
    places = {"model": "WORK/tower", "data": "WORK/faces", "output_dir": "WORK/run"}
    places |= {"cache": "WORK/cache"} if "cache" in held else {}
    return yaml.safe_dump(held | places, sort_keys=False)


def _halve(weights: Path, to: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    half = {name: each.to(torch.float16) for name, each in load_file(weights).items()}
    if any(not torch.isfinite(each).all() for each in half.values()):
        raise ValueError("weights beyond what float16 holds")
    save_file(half, to, metadata={"format": "pt"})


def _warm_up(work: Path) -> dict[str, Any]:
    """What the tower had seen before the recipe, and how well it did then."""
    looks = json.loads((work / "warm" / "looks.json").read_text(encoding="utf-8"))
    return {"faces_shown": looks[-1]["shown"], "seconds": looks[-1]["seconds"],
            "chunks": looks[-1]["held"], "last_look": looks[-1]}  # fmt: skip
