"""Frames at their moments, whatever the one who makes them does meanwhile."""

import time

import numpy as np
import pytest

from semanticface.rig import COUNT
from semanticface.serve.live.paced import Paced
from semanticface.serve.live.senders import Sender


class Kept(Sender):
    def __init__(self, breaks_at=None):
        self.sent, self.breaks_at = [], breaks_at

    def send(self, out):
        if len(self.sent) == self.breaks_at:
            raise OSError("the wire is gone")
        self.sent.append((time.monotonic(), out.time, out.values))

    def close(self): ...


def face(level):
    values = np.full(COUNT, np.nan, np.float32)
    values[0] = level
    return values


def test_frames_wait_for_their_moment_and_come_in_order():
    sender, zero = Kept(), time.monotonic() + 0.05
    with Paced(sender, zero) as out:
        for i in range(5):
            out.put(i / 30, face(i / 10))
    assert [at for _, at, _ in sender.sent] == pytest.approx([i / 30 for i in range(5)])
    assert all(when >= zero + at for when, at, _ in sender.sent)
    assert [values[0] for _, _, values in sender.sent] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert not np.isnan(sender.sent[0][2]).any()
    assert out.late == 0


def test_what_is_there_too_late_is_counted_and_sent_all_the_same():
    sender = Kept()
    with Paced(sender, time.monotonic() - 10) as out:
        out.put(0.0, face(0))
        out.put(20.0 - 10.5, face(1))
    assert out.late == 2
    assert len(sender.sent) == 2


def test_unpaced_frames_go_out_at_once():
    sender = Kept()
    with Paced(sender, None) as out:
        out.put(3600.0, face(0))
    assert len(sender.sent) == 1
    assert out.late == 0


def test_a_broken_wire_ends_it():
    with pytest.raises(OSError, match="the wire is gone"), Paced(Kept(breaks_at=1), None) as out:
        for _ in range(1000):
            out.put(0.0, face(0))
            time.sleep(0.001)


def test_whoever_is_stopped_sends_no_more():
    sender = Kept()
    with pytest.raises(KeyboardInterrupt), Paced(sender, time.monotonic() + 100) as out:
        out.put(0.0, face(0))
        raise KeyboardInterrupt
    assert len(sender.sent) <= 1
