"""The library's own generation, held to the same grammar: a pass through the model a token."""

from __future__ import annotations

import numpy as np
import torch
from transformers import LogitsProcessor, LogitsProcessorList


class OneByOne(LogitsProcessor):
    """The same grammar, a token a pass: a forced token is the only one allowed."""

    def __init__(self, decoder, rows):
        self.decoder = decoder
        self.matchers = [decoder.grammar.matcher() for _ in range(rows)]
        self.forced = [[] for _ in range(rows)]
        self.free = [False] * rows

    def __call__(self, ids, scores):
        for row, matcher in enumerate(self.matchers):
            if self.free[row] and not matcher.done:
                matcher.take(int(ids[row, -1]))
            if not self.forced[row] and not matcher.done:
                self.forced[row] = matcher.forced()
            allowed = np.zeros(scores.shape[1], bool)
            self.free[row] = not self.forced[row] and not matcher.done
            if self.forced[row]:
                allowed[self.forced[row].pop(0)] = True
            elif matcher.done:
                allowed[self.decoder.grammar.ends[0]] = True
            else:
                allowed = matcher.allowed()
            scores[row][torch.from_numpy(~allowed)] = -torch.inf
        return scores


def plain(decoder, shown):
    inputs = decoder.inputs(shown)
    prompt = inputs["input_ids"].shape[1]
    told = decoder.model.generate(
        **inputs, do_sample=False, max_new_tokens=decoder.most,
        logits_processor=LogitsProcessorList([OneByOne(decoder, len(shown))]),
    )  # fmt: skip
    return [decoder.processor.tokenizer.decode(row[prompt:], skip_special_tokens=True)
            for row in told]  # fmt: skip
