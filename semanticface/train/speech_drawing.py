"""Windows of speech answered by chance instead of by the likeliest tokens.

    drawing = Drawing.of(speaker, temperature=1.0, seed=3)
    drawing.windows(spoken, samples, windows)[0].text

    P(token) = softmax(scores / temperature)

of the shapes alone where a window is read in one pass, frame by frame by itself; of the whole
vocabulary where it is written. A window's chance is its own: the same whatever is asked beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semanticface.errors import BadInput
from semanticface.speech.cues import Window
from semanticface.speech.mouth_shapes import Shaped
from semanticface.train.speaking import Answered, Speaker


@dataclass
class Drawing(Speaker):
    """A speaker whose answers are drawn."""

    temperature: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.temperature <= 0:
            raise BadInput(f"a temperature of {self.temperature:g}", "one above 0")
        super().__post_init__()

    @classmethod
    def of(cls, speaker: Speaker, *, temperature: float, seed: int) -> Drawing:
        """One that draws what a speaker believes."""
        return cls(speaker.model, speaker.processor, speaker.task, speaker.batch, speaker.most,
                   temperature, seed)  # fmt: skip

    def _shaped(self, form: Shaped, belief: NDArray[np.float64], window: Window) -> Answered:
        """A shape for each frame by Gumbel's maximum: argmax of log p / T + noise."""
        rng = np.random.default_rng([self.seed, window.first])
        with np.errstate(divide="ignore"):
            logs = np.log(belief) / self.temperature
        drawn = (logs + rng.gumbel(size=belief.shape)).argmax(1)
        text = "".join(f"<m{k}>" for k in drawn)
        return Answered(text, form.read(text, window.frames), 0)

    def _written(self, asked: dict[str, Any], window: Window) -> Any:
        import torch

        device = self.model.device
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed((self.seed << 20) + window.first)
            return self.model.generate(**asked, do_sample=True, temperature=self.temperature,
                                       top_k=0, top_p=1.0)  # fmt: skip
