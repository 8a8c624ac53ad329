"""A small random model for a real vLLM.

The environment is made by scripts/install_vllm_cpu.sh (`make test` runs it), in `.vllm`
beside the checkout or where SEMANTICFACE_VLLM says. Without it these tests are left out, or fail
where SEMANTICFACE_VLLM_REQUIRED is set, as `make test` does. Weights are random: what is tested
is the way of a picture to numbers, not what a model has learnt.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY
from pictures import png
from real_server import LIKELIEST, SHOWN

PLACE = Path(os.environ.get("SEMANTICFACE_VLLM", REPOSITORY / ".vllm"))


@pytest.fixture(scope="session")
def vllm() -> Path:
    """The interpreter of the environment with vLLM."""
    if not (PLACE / ".ready").is_file():
        told = f"no vLLM in {PLACE}: make it with scripts/install_vllm_cpu.sh"
        if os.environ.get("SEMANTICFACE_VLLM_REQUIRED"):
            pytest.fail(told)
        pytest.skip(told)
    return PLACE / "bin" / "python"


@pytest.fixture(scope="session")
def models(vllm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the small model and its adapters."""
    folder = tmp_path_factory.mktemp("models")
    builder = Path(__file__).with_name("build_model.py")
    subprocess.run([str(vllm), "-W", "ignore", str(builder), str(folder)], check=True,
                   env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def reference(vllm, models, tmp_path_factory):
    """Values and confidences by transformers, of the model or of a run on it."""
    folder = tmp_path_factory.mktemp("pictures")
    files = []
    for n in range(SHOWN):
        files.append(folder / f"{n}.png")
        files[-1].write_bytes(png(n))
    script = Path(__file__).with_name("one_pass_reference.py")

    def of(name: str):
        out = folder / f"{name}.npz"
        told = [str(vllm), "-W", "ignore", str(script), str(models / name), str(out),
                str(LIKELIEST)]  # fmt: skip
        subprocess.run([*told, *map(str, files)], check=True,
                       env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
        return np.load(out)

    return of
