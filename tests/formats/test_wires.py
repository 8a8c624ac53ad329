"""VMC and iFacialMocap: datagrams both ways, real sockets on this machine, no way to die."""

import math
import socket
import struct
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semanticface.errors import BadInput, SemanticFaceError
from semanticface.formats import ifacialmocap, pace, recording, rotation, vmc
from semanticface.formats.frames import SHAPES
from semanticface.rig import COUNT, INDEX, NAMES, ROTATIONS, FaceClip

pytest.importorskip("pythonosc")

FEW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TURNS = [each.index for each in ROTATIONS]
ROW = np.linspace(0, 1, COUNT).astype(np.float32)
ROW[TURNS] = np.linspace(-0.6, 0.7, 9)


@st.composite
def clips(draw, percent=False):
    """Clips with lost frames, lost values, and all of a part's angles or none."""
    frames = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.random((frames, COUNT), dtype=np.float32)
    if percent:
        values = np.round(values.astype(np.float64) * 100).astype(np.float32) / np.float32(100)
        values = (np.round(values.astype(np.float64), 2)).astype(np.float32)
    values[:, TURNS] = rng.uniform(-1.4, 1.4, (frames, 9))
    values[rng.random((frames, COUNT)) < 0.2] = np.nan
    for part in rotation.PARTS:
        columns = [INDEX[name] for name in rotation.names(part)]
        values[:, columns] = np.where(
            np.isnan(values[:, columns]).any(axis=1, keepdims=True), np.nan, values[:, columns]
        )
    if draw(st.booleans()):
        values[draw(st.integers(0, frames - 1))] = np.nan
    times = draw(st.sampled_from([0.0, 50000.25])) + np.cumsum(rng.random(frames) + 0.001)
    return FaceClip.of(values, times)


def same(one, other, turns):
    shapes = [INDEX[name] for name in SHAPES]
    assert one.times.tolist() == other.times.tolist()
    assert np.array_equal(one.present, other.present)
    assert np.array_equal(one.values[:, shapes], other.values[:, shapes], equal_nan=True)
    np.testing.assert_allclose(one.values[:, TURNS], other.values[:, TURNS], atol=turns)


@FEW
@given(clip=clips(), case=st.sampled_from(["pascal", "camel"]))
def test_vmc_recordings_come_back(tmp_path, clip, case):
    vmc.write(clip, tmp_path / "a.vmc", case=case)
    same(vmc.read(tmp_path / "a.vmc"), clip, 5e-6)


@FEW
@given(clip=clips(percent=True), version=st.sampled_from([1, 2]))
def test_ifacialmocap_recordings_come_back(tmp_path, clip, version):
    ifacialmocap.write(clip, tmp_path / "a.ifm", version=version)
    same(ifacialmocap.read(tmp_path / "a.ifm"), clip, 1e-7)


@given(
    angles=st.tuples(st.floats(-1.5, 1.5), st.floats(-3, 3), st.floats(-3, 3)),
    part=st.sampled_from(rotation.PARTS),
)
def test_quaternions_come_back(angles, part):
    turned = rotation.Turn(*angles)
    assert rotation.from_unity(rotation.to_unity(turned)) == pytest.approx(turned, abs=1e-6)
    named = rotation.angles(part, turned)
    assert rotation.turn(part, *named.values()) == pytest.approx(turned)


def unity_forward(quaternion):
    """Where Unity's rotation sends the nose (0, 0, 1) and the right ear (1, 0, 0)."""
    x, y, z, w = quaternion
    nose = (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y))
    ear = (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y))
    return nose, ear


def test_unity_signs():
    def look(**angles):
        row = {"headYaw": 0.0, "headPitch": 0.0, "headRoll": 0.0} | angles
        return unity_forward(rotation.to_unity(rotation.turn("head", *row.values())))

    assert look(headYaw=0.3)[0][0] < -0.2  # Unity's x is the subject's right
    assert look(headPitch=0.3)[0][1] > 0.2
    assert look(headRoll=0.3)[1][1] < -0.2  # leaning right lowers the right ear


def test_vmc_in_the_protocols_own_shape():
    builder = pytest.importorskip("pythonosc.osc_message_builder")

    def message(address, *arguments):
        made = builder.OscMessageBuilder(address)
        for value in arguments:
            made.add_arg(value)
        return made.build().dgram

    frames = vmc.decode(
        message("/VMC/Ext/OK", 1),
        message("/VMC/Ext/Blend/Val", "EyeBlinkLeft", 0.25),
        message("/VMC/Ext/Blend/Val", "Joy", 0.5),
        message("/VMC/Ext/Bone/Pos", "Hips", 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0),
        message("/VMC/Ext/Blend/Apply"),
        message("/VMC/Ext/Blend/Val", "jawOpen", 1.0),
    )
    assert frames == [{"eyeBlinkLeft": 0.25, "Joy": 0.5}]


def test_vmc_datagrams_fit_a_network():
    bundles = vmc.encode(ROW)
    assert max(map(len, bundles)) <= 1400
    assert len(vmc.encode(ROW, bundle=False)) == 52 + 3 + 1
    assert vmc.decode(*bundles)[0].keys() == set(NAMES)
    assert vmc.decode(*vmc.encode(ROW, bones=False))[0].keys() == set(SHAPES)
    assert vmc.decode(*vmc.encode(np.full(COUNT, np.nan))) == [{}]


PACKET = (
    b"trackingStatus-1|eyeLookDown_L-25|eyeLookIn_L-25|eyeLookOut_R-13|jawOpen-60|hapihapi-0|"
    b"=head#-16.5,4.25,0.25,0.03,-0.08,-0.4|rightEye#9,-4.5,-0.75|leftEye#8.8,-9,-1.5|"
)


@pytest.mark.parametrize("packet", [PACKET, PACKET.replace(b"=head", b"=|head")])
def test_ifacialmocap_in_the_apps_own_shape(packet):
    frame = ifacialmocap.decode(packet)
    assert frame["jawOpen"] == 0.6 and frame["eyeLookOutRight"] == 0.13
    assert frame["hapihapi"] == 0 and "trackingStatus" not in frame
    # eyes down and to the subject's right: both positive in the rig
    assert frame["leftEyePitch"] == pytest.approx(math.radians(8.8))
    assert frame["rightEyeYaw"] == pytest.approx(math.radians(4.5))
    assert frame["headPitch"] == pytest.approx(math.radians(16.5))
    assert frame["headPositionZ"] == -0.4


def test_ifacialmocap_versions_and_lost_faces():
    two = ifacialmocap.encode(ROW, version=2, position=(1, 2, 3))
    assert b"jawOpen&28|" in two and b"1.000000,2.000000,3.000000|" in two
    assert ifacialmocap.decode(two)["headPositionY"] == 2
    assert ifacialmocap.decode(b"jawOpen--3|browDown_L&4.5|=|")["jawOpen"] == -0.03
    assert ifacialmocap.decode(PACKET.replace(b"Status-1", b"Status-0")) == {}
    assert ifacialmocap.decode(ifacialmocap.encode(np.full(COUNT, np.nan))) == {}


@pytest.mark.parametrize(
    "packet",
    [
        b"", b"hello", b"jawOpen-5", b"jawOpen-5|jawOpen-6|", b"jawOpen-x|", b"\xff|",
        b"headYaw-3|",
        b"=head#1,2|", b"=head#1,2,nan|", b"=head#1,2,1e999|", b"leftEye#1,2,3,4,5,6|",
        b"jawOpen-1|eyeBlink_L&2|eyeBlinkLeft-3|", b"x" * 70_000,
    ],
)  # fmt: skip
def test_bad_text_is_refused(packet):
    with pytest.raises(BadInput):
        ifacialmocap.decode(packet)


def osc_like(draw):
    parts = [b"#bundle\0", b"\0" * 8, b"/VMC/Ext/Blend/Val\0\0", b",sf\0", b"JawOpen\0",
             struct.pack(">f", math.nan), struct.pack(">i", 20), b"/VMC/Ext/Bone/Pos\0\0\0",
             b",sfffffff\0\0\0", b"Head\0\0\0\0", b",[[[", b"[]\0", b"\xff\xfe"]  # fmt: skip
    return b"".join(draw(st.lists(st.sampled_from(parts) | st.binary(max_size=8), max_size=12)))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_datagram_is_read_or_refused(data):
    packet = osc_like(data.draw)
    for assembler in (vmc.Assembler(), ifacialmocap.Assembler()):
        try:
            frames = assembler.feed(packet)
        except SemanticFaceError:
            continue
        assert all(math.isfinite(value) for frame in frames for value in frame.values())


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 600), put=st.binary(max_size=4))
def test_a_damaged_datagram_is_read_or_refused(at, put):
    for packet, assembler in (
        (vmc.encode(ROW)[0], vmc.Assembler()),
        (ifacialmocap.encode(ROW), ifacialmocap.Assembler()),
    ):
        try:
            assembler.feed(packet[:at] + put + packet[at + len(put) :])
        except SemanticFaceError:
            continue


@pytest.mark.parametrize("module", [vmc, ifacialmocap])
def test_over_a_socket(module):
    clip = FaceClip.of(np.round(np.tile(ROW, (4, 1)) * 100) / 100, rate=100)
    done = []
    with module.Receiver("127.0.0.1", 0) as receiver:
        stray = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with stray:
            stray.sendto(b"#bundle\0 nonsense", ("127.0.0.1", receiver.port))
            stray.sendto(b"\xff\xff", ("127.0.0.1", receiver.port))

        def run():
            options = {"progress": lambda now, of: done.append((now, of))}
            done.append(module.send(clip, "127.0.0.1", receiver.port, **options))

        sender = threading.Thread(target=run)
        sender.start()
        heard = receiver.record(seconds=60, most=4)
        sender.join()
        assert receiver.bad == 2 and receiver.last_fault
    assert done[:4] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert done[4].frames == 4
    np.testing.assert_allclose(heard.values, clip.values, atol=1e-5)
    assert (np.diff(heard.times) >= 0).all()


def test_receiver_ends_when_idle_and_says_a_taken_port():
    with ifacialmocap.Receiver("127.0.0.1", 0) as receiver:
        assert len(receiver.record(idle=0.05)) == 0
        with pytest.raises(BadInput, match="cannot be listened on"):
            ifacialmocap.Receiver("127.0.0.1", receiver.port)


def test_the_pace_does_not_drift():
    now = [0.0]

    def sleep(seconds):
        now[0] += seconds + 0.003  # every sleep is 3 ms too long

    times = 1000.0 + np.arange(200) / 50
    late = [each for _, each in pace.due(times, clock=lambda: now[0], sleep=sleep)]
    assert len(late) == 200 and max(late) < 0.0031
    assert now[0] == pytest.approx(199 / 50, abs=0.0031)


def test_a_slow_sender_drops_nothing():
    now = [0.0]

    def clock():
        now[0] += 0.1
        return now[0]

    seen = list(pace.due([0.0, 0.01, 0.02], clock=clock, sleep=lambda _: None))
    assert [i for i, _ in seen] == [0, 1, 2] and seen[2][1] > 0.1


def test_recordings_are_bounded(tmp_path):
    path = tmp_path / "a.vmc"
    recording.save([(0.0, b"abc"), (1.0, b"")], path, "vmc")
    assert recording.load(path, "vmc") == [(0.0, b"abc"), (1.0, b"")]
    whole = path.read_bytes()
    for data, words in (
        (whole[:-1], "row 2"),
        (whole[:20], "row 1"),
        (whole[:12] + struct.pack("<dI", 0, 2**31), "2147483648 bytes"),
        (whole[:12] + struct.pack("<dI", math.nan, 0), "the time nan"),
        (whole + struct.pack("<dI", 0.5, 0), "row 3: found the time 0.5 after 1"),
        (b"nothing", "begins"),
    ):
        path.write_bytes(data)
        with pytest.raises(BadInput) as fault:
            recording.load(path, "vmc")
        assert words in str(fault.value)
    with pytest.raises(BadInput):
        recording.load(path, "ifm")


def test_bad_datagrams_in_a_recording_are_counted(tmp_path):
    path = tmp_path / "a.ifm"
    recording.save([(0.0, PACKET), (0.1, b"junk"), (0.2, PACKET)], path, "ifm")
    clip = ifacialmocap.read(path)
    assert clip.times.tolist() == [0.0, 0.2]
    assert clip.meta.notes["bad_datagrams"] == 1 and "row 2" in clip.meta.notes["first_bad"]


def test_losses_are_said(tmp_path):
    values = np.full((1, COUNT), 0.123, np.float32)
    values[0, INDEX["headRoll"]] = np.nan
    values[0, INDEX["jawOpen"]] = 1.08
    notes = " ".join(ifacialmocap.write(FaceClip.of(values), tmp_path / "a.ifm"))
    assert "by at most 0.0030" in notes
    assert "1 values outside" in notes
    assert "left out: headYaw, headPitch" in notes
    assert "quaternions" in " ".join(vmc.write(FaceClip.of(values), tmp_path / "a.vmc"))
