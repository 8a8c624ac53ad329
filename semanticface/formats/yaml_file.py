"""YAML files, read strictly: one document, no objects, and each key of a mapping once.

PyYAML keeps the last of two equal keys; in a manifest that could be another subject or
consent than the one its author reads.
"""

from __future__ import annotations

from typing import Any

from semanticface.errors import BadInput
from semanticface.formats import json_lines

MAX_BYTES = 4 * 2**20
"""The largest file read, unless the caller says otherwise."""


def load_yaml(path: json_lines.PathLike, expected: str, *, max_bytes: int = MAX_BYTES) -> Any:
    """What a file says; a fault is told with its row, beside what was `expected`."""
    import yaml

    text = json_lines.read_text(path, max_bytes=max_bytes)
    try:
        _check_keys(yaml.compose(text, Loader=yaml.SafeLoader), path)
        return yaml.safe_load(text)
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        told = getattr(fault, "problem", None) or str(fault)
        raise BadInput(f"no YAML ({str(told)[:120]})", expected, file=path,
                       row=None if mark is None else mark.line + 1) from None  # fmt: skip
    except RecursionError:
        raise BadInput("YAML nested too deep", expected, file=path) from None


def _check_keys(top: Any, path: json_lines.PathLike) -> None:
    """An error at the second of two equal keys; what an alias repeats is looked at once."""
    from yaml import MappingNode, ScalarNode, SequenceNode

    waiting, seen = [top], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, SequenceNode):
            waiting += node.value
        elif isinstance(node, MappingNode):
            waiting += [value for _, value in node.value]
            keys = set[str]()
            for key in (key for key, _ in node.value if isinstance(key, ScalarNode)):
                if key.value in keys:
                    raise BadInput(f"the key '{key.value[:60]}' twice", "each key once", file=path,
                                   row=key.start_mark.line + 1)  # fmt: skip
                keys.add(key.value)
