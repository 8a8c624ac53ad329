"""Run by vLLM's own interpreter: the one-pass read-out by transformers alone.

    python one_pass_reference.py MODEL OUT.npz LIKELIEST PICTURE...

MODEL may be a run's folder. Writes values and confidences [N, 61] each, by the formulas of
`serve.one_pass`, and the same (`few_values`, `few_confidence`) as they come out where only the
LIKELIEST tokens are known.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main(model: Path, out: Path, likeliest: int, pictures: list[Path]) -> None:
    import numpy as np
    import torch
    from PIL import Image

    from semanticface.data.tasks import Task
    from semanticface.serve import one_pass
    from semanticface.train.loading import Source, load
    from semanticface.train.predictor import load_run

    a_run = (model / "manifest.json").is_file()
    loaded = load_run(model) if a_run else load(Source(str(model), "float32"))
    words = loaded.processor.tokenizer
    request = loaded.processor.apply_chat_template(
        Task.of("tokens", "coefficients").request(), tokenize=False, add_generation_prompt=True
    )
    ids = words.convert_tokens_to_ids(list(one_pass.vocabulary()))
    slots = words.convert_tokens_to_ids(list(one_pass.slots()))
    found, few = [], []
    for picture in pictures:
        text = request + "".join(one_pass.slots())
        held = loaded.processor(images=[Image.open(picture).convert("RGB")], text=[text],
                                return_tensors="pt")  # fmt: skip
        assert held["input_ids"][0, -len(slots) :].tolist() == slots
        with torch.inference_mode():
            logits = loaded.model.eval()(**held).logits[0, -len(slots) :]
        odds = torch.log_softmax(logits, -1).double()
        least = odds.topk(likeliest, dim=-1).values[:, -1:]
        found.append(one_pass.read_out(odds[:, ids].numpy()))
        few.append(one_pass.read_out(torch.where(odds >= least, odds, -torch.inf)[:, ids].numpy()))
    np.savez(out, values=np.stack([each.values for each in found]),
             confidence=np.stack([each.confidence for each in found]),
             few_values=np.stack([each.values for each in few]),
             few_confidence=np.stack([each.confidence for each in few]))  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), list(map(Path, sys.argv[4:])))
