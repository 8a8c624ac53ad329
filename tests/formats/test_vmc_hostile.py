"""VMC datagrams of ill will: bounded, silent, and nothing good beside them is lost."""

import numpy as np
import pytest

pytest.importorskip("pythonosc")

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder

from semanticface.errors import BadInput
from semanticface.formats import pace, recording, vmc


def val(name, value=0.5):
    return vmc._message(vmc._VAL, ("s", name), ("f", value))


APPLY = vmc._message(vmc._APPLY)


def bundle(*messages):
    builder = OscBundleBuilder(IMMEDIATELY)
    for message in messages:
        builder.add_content(message)
    return builder.build().dgram


def test_odd_datagrams_say_nothing_in_the_log(caplog):
    vmc.Assembler().feed(b"/a\0\0,ZZZ\0\0\0\0")
    vmc.Assembler().feed(bundle() + b"\0\0\0\x04abcd")
    assert not caplog.records


def test_names_before_an_apply_are_bounded():
    assembler = vmc.Assembler()
    with pytest.raises(BadInput, match="at most 512"):
        for i in range(600):
            assembler.feed(val(f"n{i}").dgram)
    assert assembler.unfinished == 512
    with pytest.raises(BadInput, match="characters"):
        assembler.feed(val("x" * 2_000).dgram)


def test_a_fault_keeps_the_frames_beside_it():
    with pytest.raises(pace.PartlyBad) as fault:
        vmc.Assembler().feed(bundle(val("JawOpen"), APPLY, val("JawOpen", float("nan")), APPLY))
    assert fault.value.frames == [{"jawOpen": 0.5}, {}]


def test_values_that_no_apply_ends_are_counted(tmp_path):
    packets = [(0.0, bundle(val("JawOpen"), APPLY, val("JawOpen", np.inf))),
               (0.1, val("JawLeft").dgram)]  # fmt: skip
    recording.save(packets, tmp_path / "a.vmc", "vmc")
    clip = vmc.read(tmp_path / "a.vmc")
    assert clip.column("jawOpen").tolist() == [0.5]
    assert clip.meta.notes["unfinished_values"] == 1
    assert clip.meta.notes["bad_datagrams"] == 1
