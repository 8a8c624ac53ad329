"""Run by vLLM's own interpreter: the one-pass read-out by transformers alone.

    python one_pass_reference.py MODEL OUT.npz PICTURE...

Writes values and confidences [N, 61] each, by the formulas of `serve.one_pass`.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main(model: Path, out: Path, pictures: list[Path]) -> None:
    import numpy as np
    import torch
    from PIL import Image

    from semanticface.data.tasks import Task
    from semanticface.serve import one_pass
    from semanticface.train.loading import Source, load

    loaded = load(Source(str(model), "float32"))
    words = loaded.processor.tokenizer
    request = loaded.processor.apply_chat_template(
        Task.of("tokens", "coefficients").request(), tokenize=False, add_generation_prompt=True
    )
    ids = words.convert_tokens_to_ids(list(one_pass.vocabulary()))
    slots = words.convert_tokens_to_ids(list(one_pass.slots()))
    found = []
    for picture in pictures:
        text = request + "".join(one_pass.slots())
        held = loaded.processor(images=[Image.open(picture).convert("RGB")], text=[text],
                                return_tensors="pt")  # fmt: skip
        assert held["input_ids"][0, -len(slots) :].tolist() == slots
        with torch.inference_mode():
            logits = loaded.model.eval()(**held).logits[0, -len(slots) :]
        found.append(one_pass.read_out(torch.log_softmax(logits, -1)[:, ids].double().numpy()))
    np.savez(out, values=np.stack([each.values for each in found]),
             confidence=np.stack([each.confidence for each in found]))  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), [Path(each) for each in sys.argv[3:]])
