"""The script for Ray, as far as it goes without Ray."""

from __future__ import annotations

import runpy

import numpy as np
from conftest import REPOSITORY
from pictures import png

from semanticface.data.tasks import Task
from semanticface.rig import COUNT


def test_rows_go_to_the_model_and_back():
    script = runpy.run_path(str(REPOSITORY / "scripts" / "label_with_ray.py"))
    task = Task.of("flat", "coefficients")
    sent = script["asked"]({"id": "a", "picture": png(0, (8, 8))}, task)
    parts = [part for each in sent["messages"] if isinstance(each["content"], list)
             for part in each["content"]]  # fmt: skip
    assert any(part["type"] == "image_url" for part in parts)
    text = task.form.write(np.zeros(COUNT, np.float32))
    back = script["answered"]({"id": "a", "generated_text": text}, task)
    assert back == {"id": "a", "text": text, "outcome": "strict"}
    assert script["answered"]({"id": "a", "generated_text": "no"}, task)["outcome"] == "failed"
