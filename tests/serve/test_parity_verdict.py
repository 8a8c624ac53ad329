"""What parity concludes from the differences it found, and how it opens pictures."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from semanticface.serve.parity import Parity, PictureParity, opened_picture
from semanticface.serve.parity_one_pass import OnePassParity, ReadParity

NAN = float("nan")
SAME = PictureParity(True, 5, 0.0, 0.0, NAN)


@pytest.mark.parametrize("place", [0, 1])
def test_a_difference_that_is_no_number_is_a_difference(place):
    several = [SAME, SAME]
    several[place] = SAME._replace(logprob=NAN)
    assert not Parity(tuple(several), 0.01).holds
    assert Parity((SAME, SAME), 0.01).holds
    read = ReadParity(True, 0.0, 0.0, NAN)
    assert OnePassParity((read,), 0.01).holds
    for name in ("value", "confidence"):
        assert not OnePassParity((read, read._replace(**{name: NAN})), 0.01).holds


def test_a_picture_is_opened_as_the_server_opens_it():
    """Turned upright by its tag, and white where it is see-through."""
    buffer = io.BytesIO()
    tag = Image.Exif()
    tag[0x0112] = 6
    Image.new("RGB", (40, 20)).save(buffer, "JPEG", exif=tag)
    assert opened_picture(buffer.getvalue()).size == (20, 40)
    buffer = io.BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(buffer, "PNG")
    assert np.asarray(opened_picture(buffer.getvalue())).min() == 255
