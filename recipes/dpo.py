"""Align a fine-tuned model with preferences between regions of faces.

    semanticface rank preferences faces.store -o preferences.jsonl
    accelerate launch recipes/dpo.py --preferences preferences.jsonl --media faces.store/media
    accelerate launch recipes/dpo.py --config recipes/configs/dpo/qwen3vl_4b_lora.yaml \
        --start runs/qwen3vl_4b_lora --preferences preferences.jsonl --media faces.store/media
    accelerate launch recipes/dpo.py --config recipes/configs/dpo/audioface_nano.yaml \
        --preferences preferences.jsonl --media speech.store/media --data corpus

The start is a finished run of recipes/sft.py, of pictures or of speech; its own adapter is the
reference, so no second model is held. The same command goes on with a run that was stopped, and
refuses if settings, preferences or start have changed since. The result is a run like its start.
"""

from __future__ import annotations

from pathlib import Path

from semanticface.preference.align.run import Settings, parse
from semanticface.train.launching import as_script


def main(settings: Settings) -> None:
    """Guard, start, preferences, trainer, probe, train, save, report."""
    from semanticface.preference.align.whole import aligned

    aligned(settings)


if __name__ == "__main__":
    with as_script():
        main(parse(about=__doc__ or "", small=Path(__file__).parent / "configs/dpo/nano.yaml"))
