"""Where there is no vLLM these tests are left out, and fail where they must run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from conftest import REPOSITORY


@pytest.mark.slow
@pytest.mark.parametrize(("required", "code", "told"), [("", 0, "skipped"), ("1", 1, "no vLLM in")])
def test_without_vllm(tmp_path, required, code, told):
    name = "tests/e2e/test_answers.py::test_text_alone_is_answered"
    environment = {**os.environ, "SEMANTICFACE_VLLM": str(tmp_path),
                   "SEMANTICFACE_VLLM_REQUIRED": required}  # fmt: skip
    done = subprocess.run([sys.executable, "-m", "pytest", name, "-p", "no:cacheprovider"],
                          cwd=REPOSITORY, env=environment, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert (done.returncode, told in done.stdout) == (code, True), done.stdout
