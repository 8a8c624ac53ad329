"""Let a fine-tuned model look for answers that a discriminator prefers to its own: GRPO by TRL.

    python recipes/discriminator.py --store faces.store --out judge
    accelerate launch recipes/grpo.py --discriminator judge --data faces

The faces' labels are not learnt from: those of the side 'train' are answered and judged, those
of 'val' are the probes. The result is a run like its start. A judge that is looked up to for
long is pleased rather than followed (see `semanticface rounds`): watch `wins`, which is by
truth, beside the reward.
"""

from __future__ import annotations

from pathlib import Path

from semanticface.preference.align.rewarded import Settings, parse
from semanticface.train.launching import as_script


def main(settings: Settings) -> None:
    """Guard, start, faces, trainer, probe, train, save, report."""
    from semanticface.preference.align.rewarded import rewarded

    rewarded(settings)


if __name__ == "__main__":
    with as_script():
        main(parse(about=__doc__ or "", small=Path(__file__).parent / "configs/grpo/nano.yaml"))
