"""Whether a server gives the numbers that training gave.

Each picture goes to the server and, as the same bytes, to transformers and peft here:

* tokens: the prompt's ids must be equal, the places of the picture included, which they
  are only if both scaled it to the same size;
* log-probabilities: of each token of a free answer, in both (a grammar changes those that a
  server tells); one that ignores a part of the adapter is far off here;
* coefficients: the numbers of an answer held to the grammar, against those decoded here.

`eyes shut` repeats the second comparison with the adapter's part for the picture switched
off. Where that fits and the whole adapter does not, the server has ignored it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semanticface.data.channel_sets import set_name
from semanticface.data.images import ImageRef, Pictures
from semanticface.data.tasks import Task
from semanticface.errors import BadInput, SemanticFaceError, need
from semanticface.serve.adapter import JOINING, SEEING
from semanticface.serve.request import chat_body, data_url

TOLERANCE = 0.01
"""Of log-probabilities; float32 agrees a thousand times closer."""
FREE_TOKENS = 128
"""Of a free answer, at most: an untrained model never comes to an end."""
_SEEN = re.compile(f"{SEEING.pattern}|{JOINING.pattern}")


class Served(NamedTuple):
    """One answer as a server gave it."""

    prompt: list[int]
    tokens: list[int]
    logprobs: NDArray[np.float64]
    text: str


class PictureParity(NamedTuple):
    """One picture in both."""

    same_prompt: bool
    tokens: int
    logprob: float
    """max |log p - log p'| over the answer's tokens."""
    coefficient: float
    """max |v - v'| over the coefficients; NaN where either answer has none."""
    eyes_shut: float
    """Like `logprob`, the adapter's part for the picture switched off; NaN without one."""


@dataclass(frozen=True)
class Parity:
    """All pictures."""

    pictures: tuple[PictureParity, ...]
    tolerance: float

    @property
    def logprob(self) -> float:
        """The largest difference of log-probabilities; NaN if one is no number."""
        return float(np.max([each.logprob for each in self.pictures]))

    @property
    def coefficient(self) -> float:
        """The largest difference of coefficients; NaN where no picture had numbers in both."""
        known = [each.coefficient for each in self.pictures if not np.isnan(each.coefficient)]
        return max(known, default=float("nan"))

    @property
    def holds(self) -> bool:
        """Whether the server says what training said."""
        prompts = all(each.same_prompt for each in self.pictures)
        return prompts and self.logprob <= self.tolerance

    def verdict(self) -> str:
        """In words, with what to do."""
        if self.holds:
            return "the server gives the same numbers"
        if not all(each.same_prompt for each in self.pictures):
            return ("the prompts differ: another prompt, chat template, or size of picture; "
                    "serve the run's own folder with the version that trained it")  # fmt: skip
        shut = [each.eyes_shut for each in self.pictures]
        if not np.isnan(shut).any() and max(shut) <= self.tolerance:
            return ("the server ignores what the adapter changes in the vision tower: start it "
                    "with --enable-tower-connector-lora, as `semanticface serve` does")  # fmt: skip
        return ("the log-probabilities differ: other weights, another adapter, or another "
                "number format (compare in float32, or raise the tolerance)")  # fmt: skip


def compare(
    url: str, model: str, predictor: Any, pictures: Sequence[bytes], *, tolerance: float,
    key: str = "", max_tokens: int = 2048,
) -> Parity:  # fmt: skip
    """A server's `model` against a `train.predictor.Predictor` of the same run."""
    if not pictures:
        raise BadInput("no picture", "one at least to compare by")
    found = []
    for picture in pictures:
        bodies = [
            chat_body(predictor.task, model, data_url(picture), max_tokens=most, constrained=held)
            for held, most in ((False, min(max_tokens, FREE_TOKENS)), (True, max_tokens))
        ]
        free, held_to = (_served(url, body, key) for body in bodies)
        found.append(_compared(free, held_to.text, predictor, picture))
    return Parity(tuple(found), tolerance)


def _compared(served: Served, text: str, predictor: Any, picture: bytes) -> PictureParity:
    image = opened_picture(picture)
    ours, logprobs = _scored(predictor, image, served.tokens)
    speaking = _decoder(predictor)
    here = predictor.task.read(speaking.answers([image])[0].text).values
    there = predictor.task.read(text).values
    both = np.isfinite(here) & np.isfinite(there)
    shut = float("nan")
    if ours == served.prompt and changes_seeing(predictor.model):
        with eyes_shut(predictor.model):
            shut = _farthest(served.logprobs, _scored(predictor, image, served.tokens)[1])
    return PictureParity(
        ours == served.prompt, len(served.tokens), _farthest(served.logprobs, logprobs),
        float(np.abs(here - there)[both].max()) if both.any() else float("nan"), shut,
    )  # fmt: skip


def _farthest(some: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.abs(some - other).max())


def _served(url: str, body: dict[str, Any], key: str) -> Served:
    library = need("httpx", "serve", "Comparing with a server")
    body = body | {"logprobs": True, "top_logprobs": 0, "return_token_ids": True}
    place = f"{url.rstrip('/').removesuffix('/v1')}/v1/chat/completions"
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        reply = library.post(place, json=body, headers=headers, timeout=300, trust_env=False)
    except library.HTTPError as fault:
        raise SemanticFaceError(f"{place}: no answer ({type(fault).__name__}: {fault})") from None
    if reply.status_code != 200:
        raise BadInput(f"HTTP {reply.status_code}: {reply.text[:200]}", "an answer", file=place)
    held, choice = reply.json(), reply.json()["choices"][0]
    if not held.get("prompt_token_ids") or not choice.get("token_ids"):
        raise BadInput(
            "a reply without token ids", "a server that is vLLM 0.10 or newer", file=place
        )
    told = [each["logprob"] for each in choice["logprobs"]["content"]]
    return Served(
        held["prompt_token_ids"], choice["token_ids"], np.array(told), choice["message"]["content"]
    )


def opened_picture(picture: bytes) -> Any:
    """The pixels of a picture's file as training has them, and vLLM: upright, on white."""
    return Pictures().decode(ImageRef(data=picture))


def _scored(predictor: Any, image: Any, answer: list[int]) -> tuple[list[int], NDArray[np.float64]]:
    """The prompt's ids, and the log-probability of each of the answer's tokens after it."""
    import torch

    held = dict(_decoder(predictor).inputs([image]))
    prompt = held["input_ids"]
    more = torch.tensor([answer], device=prompt.device)
    held["input_ids"] = torch.cat([prompt, more], 1)
    held["attention_mask"] = torch.ones_like(held["input_ids"])
    for name in ("mm_token_type_ids", "token_type_ids"):
        if name in held:
            held[name] = torch.cat([held[name], torch.zeros_like(more)], 1)
    with torch.inference_mode():
        logits = predictor.model(**held).logits[0, prompt.shape[1] - 1 : -1].float()
    chosen = torch.log_softmax(logits, -1).gather(1, more[0][:, None])[:, 0]
    return prompt[0].tolist(), chosen.double().cpu().numpy()


def _decoder(predictor: Any) -> Any:
    """What prepares the prompt of a decoded answer, also for a run that is read in one pass."""
    from semanticface.train.decoding import Decoder
    from semanticface.train.one_pass import Slots

    task = predictor.task
    if isinstance(task.form, Slots):
        task = Task.of("tokens", "coefficients", prompt=task.prompt, decimals=task.form.decimals,
                       channels=set_name(task.form.channels))  # fmt: skip
    return Decoder.of(predictor.model, predictor.processor, task, predictor.most)


def changes_seeing(model: Any) -> bool:
    """Whether a model has an adapter that changes how the picture is seen."""
    return any("lora_B" in name and _SEEN.search(name) for name, _ in model.named_parameters())


@contextlib.contextmanager
def eyes_shut(model: Any) -> Iterator[None]:
    """LoRA's second matrices at zero wherever the picture is seen, and back."""
    kept = [(each, each.data.clone()) for name, each in model.named_parameters()
            if "lora_B" in name and _SEEN.search(name)]  # fmt: skip
    for each, _ in kept:
        each.data.zero_()
    try:
        yield
    finally:
        for each, before in kept:
            each.data.copy_(before)
