"""What is minimised when tokens do not all count the same.

Per learnt token t with weight w_t (mean 1 over a row) and number-token loss n_t:

    loss = sum_t (w_t * -log p(t) + number_loss * n_t) / learnt tokens

n is the number-token loss of Zausinger et al. (ICML 2025, package `ntloss`): the expected
distance of the predicted digit from the true one, digits counted 0 to 9. Value tokens
`<v12>` are numbers too, in tenths, so that 0 to 1 spans about what a digit does. Of speech in
shapes n is how far the expected mouth lies from the true one: the mean absolute difference of
their channels, in hundredths of a weight. It teaches what no single shape says: between two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from semanticface.errors import BadInput, need
from semanticface.speech.mouth_shapes import shapes

IGNORED = -100
_VALUE = re.compile(r"<v(-?\d+)>")


class Changed:
    """A model whose per-token losses TRL sees weighed and added to.

    TRL sums `-log_probs`; everything else of its loss (accumulation, several processes,
    metrics) stays its own.
    """

    def __init__(self, model: Any, head: Any, weights: Any, numbers: Any, share: float) -> None:
        self.model, self.head, self.weights = model, head, weights
        self.numbers, self.share = numbers, share

    def __call__(self, **inputs: Any) -> Any:
        """TRL's fused output with other log-probabilities."""
        out = self._scored(inputs) if self.share else self.model(**inputs)
        if self.weights is not None:
            out.log_probs = out.log_probs * self.weights[:, 1:]
        if self.share:
            out.log_probs = out.log_probs - self.share * out.number_loss
        return out

    def _scored(self, inputs: dict[str, Any]) -> Any:
        """The same fields from logits, which the number-token loss needs: those of the answers.

        What stands before the first learnt token of the batch has no part in them.
        """
        from torch.nn.functional import pad
        from trl.trainer.utils import FusedCausalLMOutput

        labels = inputs["labels"][:, 1:]
        rest = {k: v for k, v in inputs.items() if k not in ("labels", "fused_lm_head")}
        learnt = (labels != IGNORED).any(0).nonzero()
        before = int(learnt[0]) if len(learnt) else 0
        with only_from(self.head, before):
            logits = self.model(**rest).logits[:, :-1].float()
        labels = labels[:, before:]
        mask = labels != IGNORED
        logs = logits.log_softmax(-1)
        chosen = logs.gather(-1, labels.clamp(min=0)[..., None])[..., 0] * mask
        entropy = -(logs.exp() * logs).sum(-1).detach() * mask
        made = FusedCausalLMOutput(
            log_probs=pad(chosen, (before, 0)), entropy=pad(entropy, (before, 0)),
            is_top1=pad((logits.argmax(-1) == labels) & mask, (before, 0)),
            label_mask=pad(mask, (before, 0)),
        )  # fmt: skip
        made.number_loss = pad(self.numbers(logits, labels, reduction="none"), (before, 0))
        return made


@contextmanager
def only_from(head: Any, first: int) -> Iterator[None]:
    """Of every sequence [B, T, H] that comes to an output layer, the positions from `first` on."""
    hook = head.register_forward_pre_hook(lambda _, given: (given[0][:, first:], *given[1:]))
    try:
        yield
    finally:
        hook.remove()


def number_loss(tokenizer: Any, words: int, *, values: bool) -> Any:
    """The number-token loss over digits, or over value tokens; `words` is the logits' width."""
    library = need("ntloss", "train", "The number-token loss")
    if not values:
        return library.NTLoss(tokenizer, vocab_size=words)
    return _value_loss(library)(tokenizer, vocab_size=words, digit_level=False)


def mouth_loss(ids: Sequence[int], own: str = "") -> Any:
    """How far the mouth that is expected lies from the true one; `ids` are the shapes'."""
    import torch

    table = torch.tensor(100 * shapes(own), dtype=torch.float32)
    tokens = torch.tensor(list(ids))

    def loss(logits: Any, labels: Any, mouths: Any, drafts: Any = None) -> Any:
        """[B, T] of true mouths [B, T, 31]; 0 where nothing is learnt.

        `drafts` [B, T, 1 + 31]: the shape for which a draft stands, and draft less shape.
        """
        here, held = tokens.to(logits.device), table.to(logits.device)
        belief = logits[..., here].softmax(-1)
        expected = belief @ held
        if drafts is not None:
            sure = belief.gather(-1, drafts[..., :1].long())
            expected = expected + sure * 100 * drafts[..., 1:]
        return (expected - 100 * mouths).abs().mean(-1) * (labels != IGNORED)

    return loss


def _value_loss(library: Any) -> Any:
    import torch

    class ValueLoss(library.NTLoss):  # type: ignore[misc]
        """NTLoss whose numbers are value tokens."""

        def setup_number_tokens(self) -> None:
            held = self.tokenizer.get_vocab().items()
            found = {i: int(v[1]) / 10 for t, i in held if (v := _VALUE.fullmatch(t))}
            if not found:
                raise BadInput("a tokenizer without value tokens", "<v0>, <v1> ... as tokens")
            self.number_values = torch.full((self.vocab_size,), float("nan"))
            self.number_values[list(found)] = torch.tensor(list(found.values()))
            self.is_number_token = ~self.number_values.isnan()
            self.nan_id = int((~self.is_number_token).nonzero()[0])
            self.number_values_dense = self.number_values[self.is_number_token]
            self.number_token_ids = self.is_number_token.nonzero().squeeze(1)
            self._nt_ids_cache: dict[Any, Any] = {}

    return ValueLoss
