"""Label a folder of Parquet files of pictures by Ray Data's vLLM stage.

    python scripts/label_with_ray.py smile-merged frames/ answers/ [--format two-key] [--copies 8]

Rows have `id` and `picture` (a file's bytes); answers have `id`, `text` and how it could be read.
The model is a merged one (`semanticface merge`); ray[llm] and vLLM lie in one environment.
"""

from __future__ import annotations

import argparse
from typing import Any

from semanticface.data.tasks import Task
from semanticface.serve.request import chat_messages, data_url


def asked(row: dict[str, Any], task: Task) -> dict[str, Any]:
    """What the vLLM stage takes."""
    return {
        "messages": chat_messages(task, data_url(row["picture"])),
        "sampling_params": {"temperature": 0.0, "max_tokens": 2048},
    }


def answered(row: dict[str, Any], task: Task) -> dict[str, Any]:
    """No grammar goes along, so it is told how each answer could be read."""
    text = row["generated_text"]
    return {"id": row["id"], "text": text, "outcome": task.read(text).outcome}


def main(options: argparse.Namespace) -> None:
    import ray
    from ray.data.llm import build_processor, vLLMEngineProcessorConfig

    task = Task.of(options.format)  # as the run was trained
    config = vLLMEngineProcessorConfig(
        model_source=options.model,
        concurrency=options.copies,
        batch_size=64,
        prepare_multimodal_stage={"enabled": True, "chat_template_content_format": "openai"},
        engine_kwargs={"max_model_len": 4096, "limit_mm_per_prompt": {"image": 1}},
    )
    label = build_processor(
        config,
        preprocess=lambda row: asked(row, task),
        postprocess=lambda row: answered(row, task),
    )
    label(ray.data.read_parquet(options.frames)).write_parquet(options.answers)


def told() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("frames")
    parser.add_argument("answers")
    parser.add_argument("--format", default="two-key")
    parser.add_argument("--copies", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main(told())
