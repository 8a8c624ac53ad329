"""Answers to pictures: greedy, held to the answer format's grammar, in few passes.

    decoder = Decoder.of(model, processor, task)
    for answer in decoder.answers([picture, ...]): answer.text

Plain generation runs the model once a token. Two things save passes and change nothing:

* Forced tokens. After the digits of one channel comes the name of the next. They need no
  decision and are put in together with the token before them.
* Guesses. What followed the last few tokens in an answer of rest is put in as well, and kept
  as far as it is what the model would have said. Most channels of a face are near rest.

Rows of a batch go on by different numbers of tokens. Shorter ones are filled up on the
right; filling and wrong guesses are masked, so the cache has holes that nothing looks into.
What no row keeps is cut off again, and guesses are as long as the last ones were good for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.language.describe import describe
from semanticface.rig import COUNT
from semanticface.train.grammar import Grammar, Matcher

MOST_TOKENS = 2048
_LEAST_GUESSED, _MOST_GUESSED = 3, 20
"""Tokens guessed after a wrong guess, and at best."""
Pick = Callable[[Any, Matcher], int]
"""Decides for a token, from its scores and what may come next."""


class Completion(NamedTuple):
    """One answer."""

    text: str
    tokens: int
    whole: bool
    """False where it was cut off at the most tokens allowed."""
    passes: int
    """How often the model was run, the prompt's own pass included."""


class Guesses:
    """What came next in an example, by the tokens before."""

    def __init__(self, example: list[int], back: int = 4) -> None:
        self.example, self.back = example, back
        self.after = {tuple(example[i - back : i]): i for i in range(len(example), back - 1, -1)}

    def of(self, told: list[int], matcher: Matcher, reach: int) -> list[int]:
        """Up to `reach` tokens that may come next and did in the example."""
        start = self.after.get(tuple(told[-self.back :]))
        if start is None or matcher.done:
            return []
        found = self.example[start : start + reach]
        return found[: matcher.valid(found)]


@dataclass
class _Row:
    matcher: Matcher
    guesses: Guesses
    pick: Pick
    told: list[int] = field(default_factory=list)
    """Tokens of the answer so far."""
    fresh: list[int] = field(default_factory=list)
    """Of these, the ones that the model has not seen."""
    guess: list[int] = field(default_factory=list)
    reach: int = _MOST_GUESSED
    passes: int = 0
    done: bool = False

    def go_on(self, token: int | None, most: int) -> list[int]:
        """Take a decided token and whatever is forced after it; what was added."""
        added = []
        if token is not None:
            self.matcher.take(token)
            added.append(token)
        if not self.matcher.done:
            added += self.matcher.forced()
        self.told += added
        self.done = self.matcher.done or len(self.told) >= most
        return added

    def read(self, scores: Any, most: int) -> int:
        """Decide by the scores after the last fresh token and after each guess.

        Returns how many of the block's tokens stand; what was added beyond is fresh.
        """
        seen, self.passes = 0, self.passes + 1
        stand = len(self.fresh)
        while True:
            added = self.go_on(self.pick(scores[seen], self.matcher), most)
            same = _common(added, self.guess[seen:])
            seen += same
            if same < len(added) or self.done:
                self.fresh = added[same:]
                self.reach = min(max(2 * seen, _LEAST_GUESSED), _MOST_GUESSED)
                return stand + seen

    def next_block(self) -> list[int]:
        """What goes through the model next."""
        self.guess = [] if self.done else self.guesses.of(self.told, self.matcher, self.reach)
        return [] if self.done else self.fresh + self.guess


def _common(some: list[int], other: list[int]) -> int:
    """How many tokens two lists begin with alike."""
    pairs = enumerate(zip(some, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(some), len(other)))


@dataclass
class Decoder:
    """Greedy decoding by one model of one task."""

    model: Any
    processor: Any
    grammar: Grammar
    request: str
    """The prompt as the model's chat template has it."""
    most: int = MOST_TOKENS
    guesses: Guesses = field(default_factory=lambda: Guesses([]))

    @classmethod
    def of(cls, model: Any, processor: Any, task: Task, most: int = MOST_TOKENS) -> Decoder:
        """A decoder of a task's answers."""
        words = model.get_output_embeddings().weight.shape[0]
        form = task.form if task.numbers else None
        request = processor.apply_chat_template(
            task.request(), tokenize=False, add_generation_prompt=True
        )
        grammar = Grammar.of(form, processor.tokenizer, words)
        rest = processor.tokenizer(_at_rest(task), add_special_tokens=False)["input_ids"]
        return cls(model, processor, grammar, request, most, Guesses(rest))

    def inputs(self, pictures: Sequence[Any]) -> Any:
        """The processor's tensors for some pictures, prompts flush right."""
        return self.processor(
            images=[[each] for each in pictures], text=[self.request] * len(pictures),
            padding=True, padding_side="left", return_tensors="pt", add_special_tokens=False,
        ).to(self.model.device)  # fmt: skip

    def answers(
        self, pictures: Sequence[Any], picks: Sequence[Pick] | None = None
    ) -> list[Completion]:
        """One answer to each picture, all decoded side by side; the likeliest token each time,
        unless a row's own `pick` decides otherwise."""
        import torch

        if not pictures:
            raise BadInput("no picture", "one at least")
        chosen = [_best] * len(pictures) if picks is None else list(picks)
        if len(chosen) != len(pictures):
            raise BadInput(f"{len(chosen)} picks for {len(pictures)} pictures", "one each")
        rows = [_Row(self.grammar.matcher(), self.guesses, pick) for pick in chosen]
        with torch.inference_mode():
            self._run(self.inputs(pictures), rows)
        return [self._completion(row) for row in rows]

    def _run(self, inputs: dict[str, Any], rows: list[_Row]) -> None:
        passes = _Passes(self.model, dict(inputs))
        for row in rows:
            row.fresh = row.go_on(None, self.most)
        scores = passes.prompt(rows[0].fresh)
        for row in rows:
            row.fresh = []  # seen with the prompt
        while True:
            standing = [0 if row.done else row.read(scores[i], self.most)
                        for i, row in enumerate(rows)]  # fmt: skip
            if all(row.done for row in rows):
                return
            passes.keep(standing)
            blocks = [row.next_block() for row in rows]
            scores = passes.more(blocks, [max(len(row.fresh) - 1, 0) for row in rows])

    def _completion(self, row: _Row) -> Completion:
        told = [token for token in row.told if token not in self.grammar.ends][: self.most]
        text = self.processor.tokenizer.decode(told, skip_special_tokens=True,
                                               clean_up_tokenization_spaces=False)  # fmt: skip
        return Completion(text, len(told), row.matcher.done, row.passes)


def _best(scores: Any, matcher: Matcher) -> int:
    """The likeliest of the allowed tokens."""
    allowed = matcher.allowed()
    return int(np.where(allowed, scores, -np.inf).argmax())


def _at_rest(task: Task) -> str:
    """The answer of a task to a face at rest."""
    still = np.zeros(COUNT, np.float32)
    words = describe(still, language=task.language)
    if not task.numbers:
        return json.dumps(words.as_analysis(), ensure_ascii=False)
    return task.form.write(still, words if task.described else None)


class _Passes:
    """Runs the model over blocks of tokens, rows of different lengths, with one cache."""

    def __init__(self, model: Any, inputs: dict[str, Any]) -> None:
        self.model, self.inputs = model, inputs
        self.mask = inputs["attention_mask"]
        self.cache: Any = None
        self.width = 0

    def prompt(self, forced: list[int]) -> list[Any]:
        """The prompt and what is forced after it in every row; scores [1, words] of each."""
        import torch

        held = self.inputs
        ids, mask = self._block([forced] * len(self.mask))
        held["input_ids"] = torch.cat([held["input_ids"], ids], 1)
        held["attention_mask"] = self.mask = torch.cat([self.mask, mask], 1)
        for key in ("mm_token_type_ids", "token_type_ids"):
            if key in held:
                held[key] = torch.cat([held[key], torch.zeros_like(ids)], 1)
        out = self.model(**held, **self._places(None), use_cache=True, logits_to_keep=1)
        self.cache = out.past_key_values
        return list(out.logits.float().cpu().numpy())

    def more(self, blocks: list[list[int]], first: list[int]) -> list[Any]:
        """Some tokens more; scores [tokens, words] from each row's `first` on.

        What is before the first of all rows is forced, so its scores are not asked for.
        """
        import torch

        ids, mask = self._block(blocks)
        self.mask, self.width = torch.cat([self.mask, mask], 1), ids.shape[1]
        unread = min(first)
        out = self.model(input_ids=ids, attention_mask=self.mask, past_key_values=self.cache,
                         use_cache=True, logits_to_keep=self.width - unread,
                         **self._places(mask))  # fmt: skip
        scores = out.logits.float().cpu().numpy()
        return [scores[row, start - unread :] for row, start in enumerate(first)]

    def keep(self, standing: list[int]) -> None:
        """Forget what did not stand of the last block."""
        start = self.mask.shape[1] - self.width
        for row, count in enumerate(standing if self.width else []):
            self.mask[row, start + count :] = 0
        lost = self.width - max(standing) if self.width else 0
        if lost and self._cuts:
            self.cache.crop(-lost)
            self.mask = self.mask[:, :-lost]

    @property
    def _cuts(self) -> bool:
        """Whether the cache gives its last tokens back: a sliding window has lost older ones."""
        return {type(layer).__name__ for layer in self.cache.layers} == {"DynamicLayer"}

    def _block(self, blocks: list[list[int]]) -> tuple[Any, Any]:
        import torch

        width, device = max(map(len, blocks)), self.mask.device
        ids = torch.tensor([row + [0] * (width - len(row)) for row in blocks], device=device)
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in blocks],
                            device=device, dtype=self.mask.dtype)  # fmt: skip
        return ids.long(), mask

    def _places(self, block: Any) -> dict[str, Any]:
        """Positions of the tokens: counted without filling, and beyond the picture's own."""
        base = self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model
        core = base.model
        turned = hasattr(core, "rope_deltas")
        if block is None and turned:
            return {}  # the model works them out with the picture's rows and columns
        counted = (self.mask.cumsum(1) - 1).clamp(min=0)
        if block is None:
            return {"position_ids": counted}
        counted = counted[:, -block.shape[1] :]
        if not turned:
            return {"position_ids": counted}
        return {"position_ids": (counted + core.rope_deltas)[None].expand(3, -1, -1)}
