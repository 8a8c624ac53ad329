"""The language model of the small model while it learns to read the tower's tokens.

The request ends with the 61 coefficients' names, each one token. The distribution at each
name is taught to be that of the coefficient's value: one pass, 61 at a time. Late in the
run, half of the faces show the names once more where the answer stands (what a server
reads in one pass), and the other half the answer itself, a value token a coefficient.

What is minimised at a name, with p over the whole vocabulary, q over the coefficient's
legal values alone and z in deviations of the coefficient:

    0.25 * cross-entropy of p and a bell of 0.02 around the truth + bent |z(E q) - z(truth)|
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from nano_build.tower import Sight
from torch import Tensor, nn
from torch.nn import functional

from semanticface.data.tasks import Task
from semanticface.language.answers import ValueTokens
from semanticface.language.numerals import limit
from semanticface.rig import CHANNELS, COUNT
from semanticface.train.nano import PIXELS
from semanticface.train.nano_tokenizer import END, IMAGE, tokenizer, value_ids

PROMPT = "image/slots"
_BELL = 0.02
_ENTROPY = 0.25
_BEND = 0.5


class Told(NamedTuple):
    """Of a batch: loss, and the values read at the names [B, 61]."""

    loss: Tensor
    values: Tensor


class Speaker(nn.Module):
    """The model's language half with a fixed request."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.language, self.words = model.model.language_model, model.lm_head
        text = tokenizer()
        request, after = _request(text)
        names = text.convert_tokens_to_ids([each.label for each in CHANNELS])
        longest = [*request, *after, *names, text.convert_tokens_to_ids(END)]
        picture = text.convert_tokens_to_ids(IMAGE)
        steps = np.arange(-_most(), _most() + 1)
        places = _positions(model, longest, picture)
        held = {
            "request": torch.tensor(request), "after": torch.tensor(after),
            "names": torch.tensor(names), "values": torch.tensor(value_ids(text)),
            "end": torch.tensor(text.convert_tokens_to_ids(END)), "places": places,
            "grid": torch.from_numpy(steps / 100).float(), "legal": torch.from_numpy(_legal(steps)),
        }  # fmt: skip
        for name, each in held.items():
            self.register_buffer(name, each, persistent=False)
        self.seen = torch.tensor(longest) == picture
        self.first = len(request) - COUNT

    def forward(self, sight: Sight, truth: Tensor, spread: Tensor, late: bool) -> Told:
        """Loss against the truth [B, 61]; `late` adds what stands in the answer's place."""
        if not late:
            hidden = self._through(sight, self.request.expand(len(truth), -1))
            return self._at_names(hidden[:, self.first :], truth, spread)
        half = len(truth) // 2
        some, rest = (Sight(*(each[part] for each in sight))
                      for part in (slice(half), slice(half, None)))  # fmt: skip
        again = self._again(some, truth[:half], spread)
        answered = self._answered(rest, truth[half:], spread)
        return Told((again.loss + answered.loss) / 2, torch.cat([again.values, answered.values]))

    def read(self, sight: Sight) -> Tensor:
        """[B, 61] expected values at the request's own names."""
        hidden = self._through(sight, self.request.expand(len(sight.tokens), -1))
        return self._expected(self.words(hidden[:, self.first :]))

    def read_again(self, sight: Sight) -> Tensor:
        """[B, 61] expected values at names that stand in the answer's place."""
        ids = torch.cat([self.request, self.after, self.names]).expand(len(sight.tokens), -1)
        return self._expected(self.words(self._through(sight, ids)[:, -COUNT:]))

    def beliefs(self, sight: Sight, values: Tensor) -> Tensor:
        """[B, 122, words] log-probabilities where `values` [B, 61] are read: at the request's
        names, and of half of the faces at the names in the answer's place, of the others where
        each value of the answer comes next."""
        half = len(values) // 2
        some, rest = (Sight(*(each[part] for each in sight))
                      for part in (slice(half), slice(half, None)))  # fmt: skip
        steps = (values[half:] * 100).round().long() + len(self.grid) // 2
        again = torch.cat([self.request, self.after, self.names]).expand(half, -1)
        asked = torch.cat([self.request, self.after]).expand(len(steps), -1)
        answered = torch.cat([asked, self.values[steps]], 1)
        at = slice(self.first, len(self.request))
        held = []
        for part, ids, last in ((some, again, slice(-COUNT, None)),
                                (rest, answered, slice(-COUNT - 1, -1))):  # fmt: skip
            hidden = self._through(part, ids)
            held.append(torch.cat([hidden[:, at], hidden[:, last]], 1))
        logs: Tensor = self.words(torch.cat(held)).log_softmax(-1)
        return logs

    def expected(self, beliefs: Tensor) -> Tensor:
        """[B, 122] expected values of `beliefs`."""
        return self._expected(beliefs.unflatten(1, (-1, COUNT))).flatten(1)

    def _again(self, sight: Sight, truth: Tensor, spread: Tensor) -> Told:
        ids = torch.cat([self.request, self.after, self.names]).expand(len(truth), -1)
        hidden = self._through(sight, ids)
        first = self._at_names(hidden[:, self.first : len(self.request)], truth, spread)
        second = self._at_names(hidden[:, -COUNT:], truth, spread)
        return Told(first.loss + second.loss, second.values)

    def _answered(self, sight: Sight, truth: Tensor, spread: Tensor) -> Told:
        steps = (truth * 100).round().long() + len(self.grid) // 2
        asked = torch.cat([self.request, self.after]).expand(len(truth), -1)
        hidden = self._through(sight, torch.cat([asked, self.values[steps]], 1))
        first = self._at_names(hidden[:, self.first : len(self.request)], truth, spread)
        second = self._at_names(hidden[:, -COUNT - 1 : -1], truth, spread)
        ends = functional.cross_entropy(self.words(hidden[:, -1]), self.end.expand(len(truth)))
        return Told(first.loss + second.loss + 0.02 * ends, first.values)

    def _through(self, sight: Sight, ids: Tensor) -> Tensor:
        width = ids.shape[1]
        seen = self.seen[:width]
        held = self.language.embed_tokens(ids)
        before, after = int(seen.nonzero()[0]), int(seen.nonzero()[-1]) + 1
        held = torch.cat([held[:, :before], sight.tokens, held[:, after:]], 1)
        return self.language(
            inputs_embeds=held, position_ids=self.places[:, :, :width].expand(-1, len(ids), -1),
            visual_pos_masks=seen.expand(len(ids), -1),
            deepstack_visual_embeds=[sight.deep.flatten(0, 1)], use_cache=False,
        ).last_hidden_state  # fmt: skip

    def _at_names(self, hidden: Tensor, truth: Tensor, spread: Tensor) -> Told:
        logits = self.words(hidden)
        bell = -0.5 * ((self.grid - truth[..., None]) / _BELL) ** 2
        wanted = bell.masked_fill(~self.legal, -torch.inf).softmax(-1)
        logs = logits.log_softmax(-1)[..., self.values]
        entropy = -(wanted * logs).sum(-1).mean()
        told = self._expected(logits)
        off = functional.smooth_l1_loss(told / spread, truth / spread, beta=_BEND)
        return Told(_ENTROPY * entropy + off, told)

    def _expected(self, logits: Tensor) -> Tensor:
        held = logits[..., self.values].masked_fill(~self.legal, -torch.inf)
        return held.softmax(-1) @ self.grid


def set_words(model: Any, seed: int = 0) -> None:
    """Value tokens begin as waves of their value, so that near ones are alike."""
    rng = np.random.default_rng(seed)
    steps = np.arange(-_most(), _most() + 1)
    held = model.get_input_embeddings().weight
    lengths = np.exp(rng.uniform(np.log(6), np.log(600), held.shape[1] // 2))
    turns = 2 * np.pi * (steps[:, None] / lengths + rng.random(held.shape[1] // 2))
    waves = 0.028 * np.concatenate([np.cos(turns), np.sin(turns)], 1)
    with torch.no_grad():
        held[list(value_ids(tokenizer()))] = torch.from_numpy(waves).to(held.dtype)


def _request(text: Any) -> tuple[list[int], list[int]]:
    """Ids up to the last name with the picture's places in it, and from there to the answer."""
    asked = text.apply_chat_template(
        Task.of("tokens", "coefficients", prompt=PROMPT).request(),
        tokenize=False, add_generation_prompt=True,
    )  # fmt: skip
    from nano_build.tower import TOKENS

    before, label, after = asked.rpartition(CHANNELS[-1].label)
    whole = (before + label).replace(IMAGE, IMAGE * TOKENS)
    return text(whole)["input_ids"], text(after)["input_ids"]


def _positions(model: Any, ids: list[int], picture: int) -> Tensor:
    """[3, 1, T] turns of time, height and width, as the library counts them."""
    row = torch.tensor([ids])
    side = PIXELS // model.config.vision_config.patch_size
    return model.model.get_rope_index(
        row, (row == picture).int(), image_grid_thw=torch.tensor([[1, side, side]])
    )[0]


def _most() -> int:
    return (len(ValueTokens().vocabulary()) - 1) // 2


def _legal(steps: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """[61, V]: which values a channel may have."""
    high = np.array([limit(each, 2) for each in CHANNELS])[:, None]
    low = np.array([-limit(each, 2) if each.signed else 0 for each in CHANNELS])[:, None]
    return np.asarray((steps >= low) & (steps <= high))
