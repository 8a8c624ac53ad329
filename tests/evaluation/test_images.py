"""Pictures and their times: what a source is shown is what the reference says, when it says it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semanticface.errors import BadInput
from semanticface.evaluation.images import Shot, movie_start, picture_facts, shows
from semanticface.evaluation.items import Item
from semanticface.evaluation.specs import PictureSpec
from semanticface.formats import timecode
from semanticface.render.picture import Renderer
from semanticface.rig import COUNT, INDEX, FaceClip

av = pytest.importorskip("av")

TICKS = (0, 40, 80, 200, 240, 281)  # thousandths of a second: a gap and an uneven step
START = 12 * 3600 + 5.5


def truth(frames: int = 6, start: float = START) -> FaceClip:
    values = np.zeros((frames, COUNT), np.float32)
    values[:, INDEX["jawOpen"]] = np.linspace(0, 1, frames)
    clip = FaceClip.of(values, start + np.arange(frames) / 30)
    return clip.with_meta(clock="timecode", base=60, subject="ann")


def drawn(clip: FaceClip, size: int = 64) -> list[np.ndarray]:
    renderer = Renderer(identity=0, size=size)
    return [renderer.render(row) for row in clip.values]


def movie(path: Path, pictures: list[np.ndarray], ticks=TICKS, turn=None) -> Path:
    """A movie without loss, its pictures at given thousandths of a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264rgb", rate=30, options={"crf": "0"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.codec_context.time_base = "rgb24", Fraction(1, 1000)
        if turn is not None:
            stream.set_display_rotation(turn[0], hflip=turn[1])
        for tick, picture in zip(ticks, pictures, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = tick, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def shots(item: Item, **options: object) -> list[Shot]:
    (show,) = shows(PictureSpec(name="x", **options), item)
    return list(show.shots())


def test_a_movie_gives_its_pictures_at_their_own_times(tmp_path):
    clip = truth()
    pictures = drawn(clip)
    item = Item("t", "ann", clip, movie=movie(tmp_path / "m.mp4", pictures))
    (show,) = shows(PictureSpec(name="x", on="movie"), item)
    found = list(show.shots())
    assert show.total == 6 and not show.mirrored
    np.testing.assert_allclose([each.time for each in found], START + np.array(TICKS) / 1000)
    for each, picture in zip(found, pictures, strict=True):
        np.testing.assert_array_equal(each.picture, picture)
    some = shots(item, on="movie", every=4)
    assert [round((each.time - START) * 1000) for each in some] == [0, 240]
    np.testing.assert_array_equal(some[1].picture, pictures[4])


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("flip", [False, True])
def test_a_movie_is_shown_upright(tmp_path, quarters, flip):
    picture = np.random.default_rng(0).integers(0, 255, (32, 48, 3), np.uint8)
    path = movie(tmp_path / "m.mp4", [picture] * 2, (0, 40), (90 * quarters, flip))
    seen = shots(Item("t", None, None, movie=path), on="movie")[0].picture
    wanted = np.rot90(picture, quarters)  # counter-clockwise, then the flip
    np.testing.assert_array_equal(seen, wanted[:, ::-1] if flip else wanted)


def log(folder: Path, video: float, rows: str = "VB") -> None:
    """A frame log whose blendshapes begin at the reference's first timecode."""
    stamp = timecode.format_times([START], 60)[0]
    lines = {
        "V": f"V,0,{round((100 + video) * 1000)},1000,{stamp},false\n",
        "B": f"B,0,100000,1000,{stamp},false\n",
    }
    first = "V,7,1,1000,00:00:00:00.000,true\n"  # a dropped frame is not in the movie
    (folder / "frame_log.csv").write_text(first + "".join(lines[row] for row in rows))


def test_the_frame_log_says_when_the_movie_begins(tmp_path):
    clip = truth()
    path = tmp_path / "m.mp4"
    log(tmp_path, 0.25)
    assert movie_start(path, clip).seconds == pytest.approx(START + 0.25)
    cut = clip[2:]  # the reference begins later than the log
    assert movie_start(path, cut).seconds == pytest.approx(START + 0.25)
    assert movie_start(path, clip.from_zero()).seconds == pytest.approx(0.25)
    assert movie_start(path, clip.shifted(86400)).seconds == pytest.approx(86400 + START + 0.25)
    log(tmp_path, 0.25, "V")
    assert movie_start(path, clip).seconds == START
    assert movie_start(path, None).seconds == 0


def test_a_longer_side_can_be_bounded(tmp_path):
    path = movie(tmp_path / "m.mp4", [np.zeros((32, 64, 3), np.uint8)] * 2, (0, 40))
    (first, _) = shots(Item("t", None, None, movie=path), on="movie", longest=16)
    assert first.picture.shape == (8, 16, 3)


def test_what_is_no_movie_is_an_error(tmp_path):
    (tmp_path / "m.mov").write_bytes(b"no movie at all")
    with pytest.raises(BadInput, match="cannot be read as a movie"):
        shots(Item("t", None, None, movie=tmp_path / "m.mov"), on="movie")
    with pytest.raises(BadInput, match="no movie"):
        shots(Item("t", None, None), on="movie")


def test_renders_are_the_reference_drawn(tmp_path):
    clip = truth()
    values = clip.values.copy()
    values[2] = np.nan
    clip = clip.with_values(values)
    found = shots(Item("t", None, clip), size=64)
    np.testing.assert_array_equal([each.time for each in found], clip.times)
    assert [each.picture is None for each in found] == [False, False, True, False, False, False]
    np.testing.assert_array_equal(found[3].picture, drawn(clip[3:4])[0])
    thin = shots(Item("t", None, clip), size=64, every=3)
    np.testing.assert_array_equal([each.time for each in thin], clip.times[::3])


def test_renders_say_what_they_draw_at_rest():
    clip = truth(2).select("jawOpen")
    one, two = shows(PictureSpec(name="x", identities=(0, 3)), Item("t", None, clip))
    assert len(one.notes["drawn at rest"]) == 60
    assert (one.notes["identity"], two.notes["identity"]) == (0, 3)
    with pytest.raises(BadInput, match="without a reference"):
        shows(PictureSpec(name="x"), Item("t", None, None))


def stills(folder: Path, count: int) -> list[np.ndarray]:
    folder.mkdir(parents=True)
    made = [np.full((4, 4, 3), 20 * n, np.uint8) for n in range(count)]
    for number, picture in enumerate(made):
        Image.fromarray(picture).save(folder / f"f{number}.png")
    return made


def test_files_are_taken_in_the_order_of_their_numbers(tmp_path):
    made = stills(tmp_path / "t", 12)
    item = Item("t", None, truth(12))
    found = shots(item, on="frames", frames=str(tmp_path / "{take}"))
    assert [int(each.picture[0, 0, 0]) for each in found] == [20 * n for n in range(len(made))]
    np.testing.assert_array_equal([each.time for each in found], item.truth.times)
    thin = shots(item, on="frames", frames=str(tmp_path / "{take}" / "*.png"), every=5)
    np.testing.assert_array_equal([each.time for each in thin], item.truth.times[::5])


def test_a_take_is_no_pattern(tmp_path):
    stills(tmp_path / "t1", 2)
    for take in ("a[1]", "a1"):
        for number in range(2):
            name = f"{take}-{number}.png"
            (tmp_path / name).write_bytes((tmp_path / "t1" / f"f{number}.png").read_bytes())
    item = Item("a[1]", None, truth(2))
    (show,) = shows(PictureSpec(name="x", on="frames", frames=str(tmp_path / "{take}-*.png")), item)
    assert show.total == 2


def test_files_without_a_frame_each_need_a_rate(tmp_path):
    stills(tmp_path / "t", 5)
    pattern = str(tmp_path / "{take}")
    with pytest.raises(BadInput, match="5 pictures and 6 reference frames"):
        shots(Item("t", None, truth()), on="frames", frames=pattern)
    found = shots(Item("t", None, truth()), on="frames", frames=pattern, rate=10)
    np.testing.assert_allclose([each.time for each in found], START + np.arange(5) / 10)
    (tmp_path / "t" / "f3.png").write_bytes(b"nothing")
    with pytest.raises(BadInput, match=r"f3\.png: found a file that is no picture"):
        shots(Item("t", None, truth()), on="frames", frames=pattern, rate=10)


def test_facts_follow_what_is_shown(tmp_path):
    clip = truth()
    path = movie(tmp_path / "m.mp4", drawn(clip))
    item, spec = Item("t", "ann", clip, movie=path), PictureSpec(name="x", on="movie")
    facts = picture_facts(spec, item)
    assert picture_facts(spec, item._replace(take="other", sha256="x")) == facts
    assert picture_facts(spec, item._replace(truth=clip[1:])) != facts
    assert picture_facts(spec, item._replace(mirrored_movie=True)) != facts
    log(tmp_path, 0.1)
    assert picture_facts(spec, item) != facts


@pytest.mark.parametrize("wrong", [
    {"on": "frames"}, {"frames": "x"}, {"identities": ()}, {"identities": (1, 1)},
    {"identities": (-1,)}, {"every": 0}, {"unknown": 1}, {"look": "oil"},
])  # fmt: skip
def test_a_spec_that_cannot_be_meant(wrong):
    with pytest.raises(ValueError, match="validation error"):
        PictureSpec(name="x", **wrong)
