"""Token budgets, with a processor small enough to check by hand.

It splits text at every character, renders a message as `<role>text` and gives a picture
one token for each 8 x 8 pixels. The same with a real library's processor is in
`test_budget_transformers.py`.
"""

from __future__ import annotations

import pytest
from samples import as_bytes, faces, picture, record, smile

from semanticface.data.budget import measure
from semanticface.data.tasks import Task
from semanticface.errors import BadInput


class Letters:
    """A tokenizer of single characters; a picture's place is one token."""

    def __call__(self, text, add_special_tokens=True):
        assert not add_special_tokens
        texts = text if isinstance(text, list) else [text]
        ids = [[ord(c) for c in each.replace("<image>", "\0")] for each in texts]
        return {"input_ids": ids if isinstance(text, list) else ids[0]}


class Processor:
    """Text and pictures to tokens; counts how often it is asked."""

    def __init__(self) -> None:
        self.tokenizer, self.asked = Letters(), 0

    def apply_chat_template(self, messages, tokenize, add_generation_prompt):
        assert not tokenize
        text = "".join(
            f"<{m['role']}>" + "".join("<image>" if p["type"] == "image" else p["text"]
                                       for p in m["content"])
            for m in messages
        )  # fmt: skip
        return text + ("<assistant>" if add_generation_prompt else "")

    def __call__(self, images, text, add_special_tokens):
        self.asked += 1
        (image,) = images[0]
        patches = (image.width // 8) * (image.height // 8)
        (ids,) = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        at = ids.index(0)
        return {"input_ids": [ids[:at] + [0] * patches + ids[at + 1 :]]}


def rows(count: int = 6):
    return [record(values, id=f"r{i}", image=as_bytes(picture(32 + 8 * (i % 2), 24)))
            for i, values in enumerate(faces(count))]  # fmt: skip


def by_hand(task, one, patches):
    told = "".join(f"<{m['role']}>" + "".join(p.get("text", "") for p in m["content"])
                   for m in task.request())  # fmt: skip
    return len(told + "<assistant>") + patches + len(task.target(one))


def test_every_row_is_counted_as_it_is_built():
    task, records = Task.of("codes", "coefficients"), rows()
    processor = Processor()
    counted = measure(records, task, processor, longest=6)
    patches = [4 * 3, 5 * 3] * 3
    expected = {one.id: by_hand(task, one, p) for one, p in zip(records, patches, strict=True)}
    assert {row.record: row.tokens for row in counted.longest} == expected
    assert {row.record: row.image for row in counted.longest} == {
        one.id: p for one, p in zip(records, patches, strict=True)
    }
    assert counted.most == max(expected.values()) == counted.longest[0].tokens
    assert (
        counted.median == sorted(expected.values())[2:4][0] / 2 + sorted(expected.values())[3] / 2
    )
    assert processor.asked == 2  # once for each size of picture


def test_a_clipped_target_is_refused_with_its_row():
    task, records = Task.of(), rows()
    lengths = [by_hand(task, one, 12 if i % 2 == 0 else 15) for i, one in enumerate(records)]
    most = max(lengths)
    longest = lengths.index(most) + 1
    measure(records, task, Processor(), max_length=most).refuse_clipped()
    counted = measure(records, task, Processor(), max_length=most - 3)
    with pytest.raises(BadInput, match="lose its last 3") as caught:
        counted.refuse_clipped()
    assert caught.value.row == longest
    assert f"record r{longest - 1}" in str(caught.value)
    assert counted.clipped == sum(length > most - 3 for length in lengths)


def test_a_broken_picture_or_row_is_named():
    broken = record(smile(), id="b", image=b"no picture")
    with pytest.raises(BadInput, match="record b"):
        measure([broken], Task.of(), Processor())
    with pytest.raises(BadInput, match="no record"):
        measure([], Task.of(), Processor())
    with pytest.raises(BadInput, match="max_length 0"):
        measure(rows(1), Task.of(), Processor(), max_length=0)


def test_a_template_that_changes_its_mind_is_refused():
    class Changing(Processor):
        def apply_chat_template(self, messages, tokenize, add_generation_prompt):
            return f"{len(messages)}"

    with pytest.raises(BadInput, match="changes the prompt"):
        measure(rows(1), Task.of(), Changing())
