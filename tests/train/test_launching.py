"""How a recipe ends."""

from __future__ import annotations

import errno
import logging
import os

import pytest

from semanticface.errors import BadInput
from semanticface.train.launching import as_script
from semanticface.train.parsing import read_config


def test_an_interrupt_is_a_line_that_says_what_to_do(caplog):
    with caplog.at_level(logging.ERROR), pytest.raises(SystemExit) as ended, as_script():
        raise KeyboardInterrupt
    assert ended.value.code == 130
    again = "the same command goes on from the last checkpoint, if one was saved"
    assert caplog.messages == [f"interrupted: {again}"]


def test_what_the_system_refuses_is_a_line(tmp_path):
    with pytest.raises(SystemExit, match=r"nanoo\.yaml: No such file"), as_script():
        read_config(tmp_path / "nanoo.yaml")
    with pytest.raises(SystemExit, match="No space left on device"), as_script():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_fault_is_a_line_and_another_error_is_left_alone():
    with pytest.raises(SystemExit, match="no such thing"), as_script():
        raise BadInput("no such thing", "another")
    with pytest.raises(ZeroDivisionError), as_script():
        raise ZeroDivisionError
