"""Fine-tune a multimodal language model to say a face's coefficients from its picture.

    accelerate launch recipes/sft.py                                     # the small model
    accelerate launch recipes/sft.py --config recipes/configs/nano.yaml --output_dir runs/mine
    accelerate launch recipes/sft.py --config recipes/configs/audioface_nano.yaml  # speech
    accelerate launch --config_file recipes/accelerate/fsdp2.yaml recipes/sft.py \
        --config recipes/configs/qwen3vl_4b_lora.yaml --data faces/manifest.yaml

Without data, synthetic faces are rendered once and kept. The same command goes on with a
run that was stopped, and refuses if its settings, data or prompt have changed since.
"""

from __future__ import annotations

import logging
from pathlib import Path

from semanticface.train.launching import as_script
from semanticface.train.parsing import Settings, parse


def main(settings: Settings) -> None:
    """Guard, model, data, trainer, train, probe, save, report."""
    from semanticface.train.adapters import apply
    from semanticface.train.loading import load
    from semanticface.train.places import model_place
    from semanticface.train.probe import at_its_end, finish
    from semanticface.train.runs import report
    from semanticface.train.start import begin, commit_of
    from semanticface.train.trainer import trainer_of

    base = model_place(settings.model.model, settings.data.cache, settings.data.speech)
    begun = begin(settings, base, commit_of(base, settings.model.revision))

    loaded = load(settings.model.source(base), settings.data.speech)
    model = apply(settings.model.plan, loaded.model)
    trainer = trainer_of(settings, loaded._replace(model=model), begun.sides, begun.run)
    if not at_its_end(begun.run, begun.checkpoint, settings.probe):
        trainer.train(resume_from_checkpoint=begun.checkpoint)
    result = finish(trainer, begun.run, begun.run.result_folder(settings.model.plan))
    logging.info("%s", report(begun.run, result))


if __name__ == "__main__":
    with as_script():
        main(parse(about=__doc__ or "", small=Path(__file__).parent / "configs" / "nano.yaml"))
