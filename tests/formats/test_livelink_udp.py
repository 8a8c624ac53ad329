"""Live Link over UDP: no datagram is fatal, and every good one says what it said."""

import gzip
import socket
import struct
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from semanticface.errors import BadInput
from semanticface.formats import livelink_csv, livelink_stream, livelink_udp
from semanticface.formats.livelink_udp import (
    Packet,
    Receiver,
    decode,
    encode,
    read,
    read_packets,
    send,
    write,
)
from semanticface.rig import COUNT, INDEX
from semanticface.rig.clip import FaceClip
from tests.formats import takes

FOLDER = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
FACE = np.linspace(0, 1, COUNT).astype(np.float32)
PHONE = "DEADC0DE-1337-1337-1337-CAFEBABE0000"
GOOD = Packet(PHONE, "Ann", 1337, 0.25, 60, 1, FACE)

faces = hnp.arrays(np.float32, COUNT, elements=st.floats(-2, 2, width=32))
names = st.text(max_size=40)
packets = st.builds(
    Packet, names, names, st.integers(0, 2**31 - 1), st.floats(0, 1, width=32),
    st.integers(1, 240), st.sampled_from([0, 1]), st.none() | faces,
)  # fmt: skip


# -- one datagram ----------------------------------------------------------------------


@given(packets)
def test_a_packet_reads_back(packet):
    assert decode(encode(packet)) == packet


def test_bytes_stand_where_unreal_expects_them():
    data = encode(GOOD)
    assert data[0] == 6
    assert struct.unpack(">i", data[1:5]) == (36,)
    assert data[5:41].decode() == PHONE
    assert struct.unpack(">i3s", data[41:48]) == (3, b"Ann")
    assert struct.unpack(">ifii", data[48:64]) == (1337, 0.25, 60, 1)
    assert data[64] == 61
    values = np.frombuffer(data[65:], ">f4")
    assert len(data) == 65 + 244
    assert values[21] == FACE[INDEX["mouthLeft"]]
    assert values[52] == FACE[INDEX["headYaw"]]


@pytest.mark.parametrize("name", ["", "Ann", "x" * 300, "Ännchen", "顔", "😀"])
def test_names_of_any_length_are_counted_in_bytes(name):
    again = decode(encode(Packet(name, name, 1, 0.0, 60, 1, FACE)))
    assert (again.device, again.subject) == (name, name)


def test_a_packet_without_count_is_a_frame_without_a_face():
    assert decode(encode(GOOD)[:64]).values is None
    assert decode(encode(GOOD)[:64] + b"\0").values is None


def test_denominator_0_of_a_common_library_counts_as_1():
    packet = decode(encode(Packet(PHONE, "Ann", 60, 0.5, 30, 0, FACE)))
    assert packet.denominator == 0
    assert (packet.rate, packet.seconds) == (30, 2 + 0.5 / 30)


def put(data, at, kind, *values):
    out = bytearray(data)
    struct.pack_into(kind, out, at, *values)
    return bytes(out)


RAW = encode(GOOD)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "empty datagram"),
        (b"\x05" + RAW[1:], "version 5, expected 6"),
        (b"\0\0\0\x06" + RAW[1:], "four bytes, big-endian"),
        (RAW[:1], "length of the device id"),
        (put(RAW, 1, ">i", -1), "device id of -1 bytes"),
        (put(RAW, 1, ">i", 2**31 - 1), "device id of 2147483647 bytes"),
        (put(RAW, 41, ">i", 10**9), "subject name of 1000000000 bytes"),
        (RAW[:5] + b"\xff" + RAW[6:], "not UTF-8"),
        (RAW[:50], "frame number and rate"),
        (put(RAW, 48, ">i", -5), "frame number -5"),
        (put(RAW, 52, ">f", float("nan")), "subframe nan"),
        (put(RAW, 52, ">f", -0.5), "subframe -0.5"),
        (put(RAW, 52, ">f", 1e30), "at most 16"),
        (put(RAW, 56, ">i", 0), "frame rate 0/1"),
        (put(RAW, 60, ">i", -1), "frame rate 60/-1"),
        (put(RAW, 64, ">B", 62), "count of 62"),
        (put(RAW, 64, ">B", 0), "count of 0"),
        (RAW[:-1], "243 bytes"),
        (RAW + b"\0", "245 bytes"),
        (put(RAW, 65 + 17 * 4, ">f", float("nan")), "jawOpen.*nan"),
        (put(RAW, 65 + 17 * 4, ">f", float("inf")), "jawOpen.*inf"),
        (RAW * 300, "at most 65507"),
    ],
)
def test_each_way_to_be_bad_has_its_reason(data, told):
    with pytest.raises(BadInput, match=told):
        decode(data)


@settings(max_examples=300)
@given(st.data())
def test_mutated_and_random_datagrams_raise_nothing_but_bad_input(data):
    raw = bytearray(data.draw(st.sampled_from([RAW, RAW[:64], encode(Packet("", "", 0, 0.0))])))
    for _ in range(data.draw(st.integers(0, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))] + data.draw(st.binary(max_size=8))
    for each in (bytes(raw), data.draw(st.binary(max_size=400))):
        try:
            packet = decode(each)
        except BadInput:
            continue
        if packet.values is not None:
            assert packet.values.astype(">f4").tobytes() in each
        assert encode(packet) == each or packet.values is None
        assert packet.seconds >= 0


@pytest.mark.parametrize(
    "packet",
    [
        Packet("", "", -1, 0.0), Packet("", "", 2**31, 0.0), Packet("", "", 0, 17.0),
        Packet("", "", 0, 0.0, 0), Packet("", "", 0, 0.0, values=FACE[:60]),
        Packet("", "", 0, 0.0, values=FACE * np.float32(np.nan)), Packet("\ud800", "", 0, 0.0),
        Packet("x" * 70_000, "", 0, 0.0),
    ],
)  # fmt: skip
def test_nothing_bad_is_sent(packet):
    with pytest.raises(BadInput):
        encode(packet)


# -- recordings --------------------------------------------------------------------------


def test_the_real_recording(shared, tmp_path):
    source = shared / "livelink_udp" / "debug-all-blendshapes.gesichter"
    clip, all_ = read(source), read_packets(source)
    assert (len(clip), len(all_), clip.meta.base, clip.meta.clock) == (3660, 3660, 60, "timecode")
    assert clip.meta.subject == "LLV Default Device"
    assert clip.meta.notes["device"] == "DEADC0DE-1337-1337-1337-CAFEBABE"
    assert clip.tracked.all()
    assert (np.diff(clip.times) > 0).all()
    assert ((np.abs(clip.values) > 0.9).any(axis=0)).all(), "it exercises every channel"
    write(clip, tmp_path / "x.gesichter")
    again = read(tmp_path / "x.gesichter")
    assert np.array_equal(again.values, clip.values)
    assert np.abs(again.times - clip.times).max() < 1e-9


def test_the_recordings_own_bytes_come_back(shared):
    source = shared / "livelink_udp" / "debug-all-blendshapes.gesichter"
    raw = gzip.decompress(source.read_bytes())
    told = [struct.pack(">BI", 6, 3660)]
    for packet in read_packets(source):
        data = encode(packet)
        told += [struct.pack(">I", len(data)), data]
    assert b"".join(told) == raw


@pytest.mark.parametrize("name", ["S07-001.csv", "alex_rom_3.csv", "apfel.csv"])
def test_csv_to_packets_to_csv_is_the_same_to_the_byte(shared, tmp_path, name):
    source = shared / "livelink" / name
    clip = livelink_csv.read(source)
    write(clip, tmp_path / "x.gesichter")
    back = read(tmp_path / "x.gesichter")
    assert back.same_motion(clip)
    livelink_csv.write(back, tmp_path / "x.csv", untracked="row")
    real = source.read_bytes().split(b"\n", 1)[1]
    assert (tmp_path / "x.csv").read_bytes().split(b"\n", 1)[1] == real


@FOLDER
@given(st.data())
def test_any_timecode_and_numbers_read_back_exactly(tmp_path, data):
    base = data.draw(st.sampled_from([24, 30, 60, 120]))
    ticks = data.draw(st.lists(st.integers(0, 30 * 3600), min_size=1, max_size=6))
    rest = data.draw(st.integers(0, base * 1000 - 1))
    stamps = np.sort(ticks) + rest / 1000 / base
    values = np.stack([data.draw(faces) for _ in ticks])
    values[data.draw(st.lists(st.integers(0, len(ticks) - 1), max_size=2))] = np.nan
    clip = FaceClip(values, stamps, np.ones(COUNT, bool)).with_meta(base=base, clock="timecode")
    write(clip, tmp_path / "x.gesichter")
    back = read(tmp_path / "x.gesichter")
    assert np.array_equal(back.values, clip.values, equal_nan=True)
    assert np.array_equal(back.times, clip.times)


@FOLDER
@given(st.lists(st.floats(0, 90_000), min_size=1, max_size=6))
def test_other_times_move_by_less_than_a_microsecond(tmp_path, stamps):
    values = np.tile(FACE, (len(stamps), 1))
    clip = FaceClip.of(values, np.sort(stamps))
    write(clip, tmp_path / "x.gesichter")
    assert np.abs(read(tmp_path / "x.gesichter").times - clip.times).max() < 1e-6


def test_an_ntsc_rate_keeps_true_seconds(tmp_path):
    many = [Packet("", "", 1000 + i, 0.0, 30_000, 1001, FACE) for i in range(3)]
    clip = read(record_file(tmp_path, many))
    assert clip.times.tolist() == pytest.approx([(1000 + i) * 1001 / 30_000 for i in range(3)])
    assert clip.meta.base == 30


def record_file(folder, many, head=None):
    raw = [struct.pack(">BI", 6, len(many)) if head is None else head]
    for packet in many:
        data = packet if isinstance(packet, bytes) else encode(packet)
        raw += [struct.pack(">I", len(data)), data]
    path = folder / "made.gesichter"
    path.write_bytes(gzip.compress(b"".join(raw)))
    return path


def test_frames_without_a_face_are_nan(tmp_path):
    many = [Packet("", "", i, 0.0, 60, 1, FACE if i != 2 else None) for i in range(5)]
    clip = read(record_file(tmp_path, many))
    assert np.flatnonzero(~clip.tracked).tolist() == [2]
    assert clip.present.all()
    write(clip, tmp_path / "x.gesichter")
    assert read(tmp_path / "x.gesichter").same_motion(clip)


def test_late_and_repeated_packets_are_put_in_order_and_counted(tmp_path):
    many = [Packet("", "", i, 0.0, 60, 1, FACE) for i in (5, 6, 8, 7, 9, 9)]
    clip = read(record_file(tmp_path, many))
    assert np.round(clip.times * 60).tolist() == [5, 6, 7, 8, 9, 9]
    assert clip.meta.notes["late packets"] == 1
    assert clip.meta.notes["repeated times"] == 1


def test_a_recording_goes_on_past_midnight(tmp_path):
    day = 86_400 * 60
    many = [Packet("", "", i % day, 0.0, 60, 1, FACE) for i in range(day - 2, day + 2)]
    clip = read(record_file(tmp_path, many))
    assert np.allclose(np.diff(clip.times), 1 / 60)
    assert "late packets" not in clip.meta.notes


def test_several_subjects_need_a_choice(tmp_path):
    many = [Packet("", name, i, 0.0, 60, 1, FACE) for i in range(3) for name in ("Ann", "Bob")]
    path = record_file(tmp_path, many)
    with pytest.raises(BadInput, match=r"Ann, Bob.*--subject"):
        read(path)
    assert len(read(path, subject="Bob")) == 3
    with pytest.raises(BadInput, match=r"no packet of 'Cem'.*Ann, Bob"):
        read(path, subject="Cem")


def test_mixed_rates_are_refused(tmp_path):
    path = record_file(tmp_path, [Packet("", "", i, 0.0, rate) for i, rate in enumerate((30, 60))])
    with pytest.raises(BadInput, match="30 and 60 frames a second"):
        read(path)


@pytest.mark.parametrize(
    ("many", "head", "told"),
    [
        ([], None, "no packets"),
        ([GOOD], b"", "recording version 0"),
        ([GOOD], b"\x07\0\0\0\x01", "recording version 7"),
        ([GOOD], b"\x06\0\0\0\x02", "1 packets, expected 2"),
        ([GOOD], b"\x06\xff\xff\xff\xff", "1 packets, expected 4294967295"),
        ([GOOD, b"\x05"], None, "row 1.*version 5"),
        ([], b"\x06\0\0", "3 bytes"),
        ([], b"\x06\0\0\0\x01\0", "packet's size"),
        ([], b"\x06\0\0\0\x01\xff\xff\xff\xff", "packet of 4294967295 bytes"),
    ],
)
def test_damaged_recordings_are_refused(tmp_path, many, head, told):
    path = record_file(tmp_path, many, head)
    with pytest.raises(BadInput, match=told):
        read(path)


@pytest.mark.parametrize("content", [b"", b"plain text", gzip.compress(RAW)[:-9], b"\x1f\x8b\x08"])
def test_files_that_are_no_gzip_are_refused(tmp_path, content):
    path = takes.save(tmp_path, content, "x.gesichter")
    with pytest.raises(BadInput, match=r"x\.gesichter"):
        read(path)


def test_a_gzip_bomb_is_stopped(tmp_path):
    path = takes.save(tmp_path, gzip.compress(bytes(8 << 20)), "x.gesichter")
    with pytest.raises(BadInput, match=r"more than 1048576 bytes once unpacked.*limit="):
        read(path, limit=1 << 20)


def test_missing_channels_need_fill(tmp_path):
    clip = takes.clip().select("mouth")
    with pytest.raises(BadInput, match=r"a Live Link packet cannot leave any out.*--fill 0"):
        write(clip, tmp_path / "x.gesichter")
    (told,) = write(clip, tmp_path / "x.gesichter", fill=0)
    assert "filled with 0" in told
    assert (read(tmp_path / "x.gesichter").column("jawOpen") == 0).all()


def test_a_clip_whose_mouth_was_kept_as_labelled_is_told(tmp_path):
    source = takes.save(tmp_path, takes.text(takes.values()))
    (told,) = write(livelink_csv.read(source, exchange_mouth=False), tmp_path / "x.gesichter")
    assert "wrong way round" in told


# -- the wire ----------------------------------------------------------------------------


def hostile():
    return [b"", b"\x06", b"\x05" + RAW[1:], RAW[:-1], put(RAW, 1, ">i", 2**31 - 1), b"x" * 2000,
            put(RAW, 101, ">f", float("nan"))]  # fmt: skip


def local():
    return Receiver("127.0.0.1", 0, subject=None)


def talk(port, datagrams):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for data in datagrams:
            sock.sendto(data, ("127.0.0.1", port))
            time.sleep(0.001)


def test_a_sent_clip_is_received_the_same_between_hostile_datagrams():
    clip = takes.clip(30)
    with local() as receiver:
        noise = threading.Thread(target=talk, args=(receiver.address[1], hostile() * 3))
        sender = threading.Thread(
            target=send, args=(clip, *receiver.address), kwargs={"subject": "Ann", "device": PHONE}
        )
        noise.start()
        sender.start()
        heard = receiver.record(frames=30, seconds=20)
        sender.join()
        noise.join()
        while receiver.receive(0.05):
            pass
    assert np.array_equal(heard.values, clip.values)
    assert np.abs(heard.times - clip.times).max() < 1e-5
    assert (heard.meta.subject, heard.meta.base) == ("Ann", 60)
    assert receiver.traffic.bad == 3 * len(hostile())
    assert receiver.traffic.packets == 30
    assert sum(receiver.traffic.reasons.values()) == receiver.traffic.bad


def test_each_frame_is_sent_when_it_is_due_also_in_later_rounds(monkeypatch):
    clip = FaceClip.of(takes.clip(4).values, [0, 0.1, 0.2, 0.5])
    asked = []

    def at_once(moments):
        for i, moment in enumerate(moments):
            asked.append(moment)
            yield i, 0.0

    monkeypatch.setattr(livelink_stream, "due", at_once)

    def stop(sent, total):
        if sent == 6:
            raise KeyboardInterrupt

    with local() as receiver, pytest.raises(KeyboardInterrupt):
        send(clip, *receiver.address, loop=True, progress=stop)
    assert asked == pytest.approx([0, 0.1, 0.2, 0.5, 0.6, 0.7])


def test_without_realtime_it_goes_at_once():
    clip = FaceClip.of(takes.clip(40).values, rate=1)
    started = time.monotonic()
    with local() as receiver:
        send(clip, *receiver.address, realtime=False)
    assert time.monotonic() - started < 30


def test_a_loop_goes_round_with_frame_numbers_going_on():
    clip = FaceClip.of(takes.clip(4).values, rate=60)

    class Enough(Exception):
        pass

    def progress(sent, _total):
        if sent == 10:
            raise Enough

    with local() as receiver:
        with pytest.raises(Enough):
            send(clip, *receiver.address, realtime=False, loop=True, progress=progress)
        heard = [receiver.receive(1.0) for _ in range(10)]
        assert [packet.frame for packet in heard] == list(range(10))
        assert receiver.traffic.late == receiver.traffic.repeated == 0


def test_order_is_kept_per_device_and_counted():
    frames = [("a", 5), ("a", 7), ("a", 6), ("a", 7), ("b", 1), ("a", 8)]
    with local() as receiver:
        talk(receiver.address[1], [encode(Packet(d, "", i, 0.0, 60, 1, FACE)) for d, i in frames])
        heard = [receiver.receive(1.0) for _ in frames]
    assert [(packet.device, packet.frame) for packet in heard] == frames
    assert (receiver.traffic.late, receiver.traffic.repeated) == (1, 1)


def test_a_flood_of_devices_fills_no_memory():
    with local() as receiver:
        for i in range(300):
            receiver._count(Packet(f"device {i}", "", 1, 0.0))
        assert len(receiver._newest) == 64
        assert receiver.traffic.packets == 300


def test_only_the_wanted_subject_is_heard():
    many = [encode(Packet("", name, i, 0.0, 60, 1, FACE)) for i in range(4) for name in ("A", "B")]
    with Receiver("127.0.0.1", 0, subject="B") as receiver:
        talk(receiver.address[1], many)
        clip = receiver.record(frames=4, seconds=5)
    assert (clip.meta.subject, len(clip)) == ("B", 4)
    assert clip.meta.notes["packets of other subjects"] == 4
    with local() as receiver:
        talk(receiver.address[1], many)
        assert receiver.record(frames=4, seconds=5).meta.subject == "A"


def test_iterating_gives_packets_as_they_come():
    with local() as receiver:
        talk(receiver.address[1], [b"bad", RAW])
        assert next(iter(receiver)) == GOOD


def test_silence_ends_with_advice_and_on_time():
    with local() as receiver:
        started = time.monotonic()
        assert receiver.receive(0.05) is None
        with pytest.raises(BadInput, match=r"no Live Link packet.*firewall"):
            receiver.record(seconds=0.05)
        assert time.monotonic() - started < 30
        with pytest.raises(BadInput, match=r"seconds=.*frames="):
            receiver.record()


def test_bad_datagrams_do_not_prolong_the_wait():
    stop = threading.Event()

    def flood(port):
        while not stop.is_set():
            talk(port, [b"bad"])

    with local() as receiver:
        thread = threading.Thread(target=flood, args=(receiver.address[1],))
        thread.start()
        started = time.monotonic()
        with pytest.raises(BadInput, match=r"but .* other datagrams"):
            receiver.record(seconds=0.2)
        took = time.monotonic() - started
        stop.set()
        thread.join()
    assert took < 30


def test_places_that_cannot_be_reached_are_named():
    with pytest.raises(BadInput, match="port 99999"):
        send(takes.clip(2), "127.0.0.1", 99_999)
    with local() as receiver, pytest.raises(BadInput, match="Another program"):
        Receiver(*receiver.address)
    with pytest.raises(BadInput, match="without frames"):
        send(takes.clip(2)[:0], "127.0.0.1", 1)
    assert livelink_udp.PORT == 11_111


FOREIGN = [
    replace(GOOD, numerator=30),
    replace(GOOD, frame=2**31 - 1),
    replace(GOOD, subject="Bob"),
    replace(GOOD, device="another phone"),
]


def test_a_well_formed_but_foreign_datagram_does_not_spoil_a_recording():
    steps = [replace(GOOD, frame=GOOD.frame + n) for n in range(6)]
    mixed = [steps[0], *FOREIGN, *steps[1:]]
    with local() as receiver:
        talk(receiver.address[1], [encode(packet) for packet in mixed])
        clip = receiver.record(frames=6, seconds=30)
    np.testing.assert_allclose(clip.times - clip.times[0], np.arange(6) / 60, atol=1e-6)
    assert receiver.traffic.implausible == 2
    assert receiver.traffic.other_subjects == 2
    assert clip.meta.notes["implausible packets"] == 2


def test_midnight_is_no_leap():
    day = 24 * 3600 * 60
    around = [replace(GOOD, frame=frame) for frame in (day - 2, day - 1, 0, 1)]
    with local() as receiver:
        talk(receiver.address[1], [encode(packet) for packet in around])
        clip = receiver.record(frames=4, seconds=30)
    np.testing.assert_allclose(np.diff(clip.times), 1 / 60, atol=1e-6)


def test_another_talker_does_not_stretch_the_patience():
    stop = threading.Event()

    def bob(port):
        while not stop.wait(0.02):
            talk(port, [encode(replace(GOOD, subject="Bob"))])

    with local() as receiver:
        talk(receiver.address[1], [RAW])
        thread = threading.Thread(target=bob, args=(receiver.address[1],))
        thread.start()
        try:
            clip = receiver.record(frames=1000, patience=0.3)
        finally:
            stop.set()
            thread.join()
    assert len(clip) == 1


def test_two_devices_of_one_subject_are_not_merged(tmp_path):
    path = tmp_path / "two.gesichter"
    stream = gzip.compress(
        struct.pack(">BI", 6, 2)
        + b"".join(
            struct.pack(">I", len(data)) + data
            for data in (RAW, encode(replace(GOOD, device="another phone")))
        )
    )
    path.write_bytes(stream)
    with pytest.raises(BadInput, match="from the devices"):
        livelink_udp.read(path)
    assert livelink_udp.read(path, device="another phone").meta.notes["device"] == "another phone"
