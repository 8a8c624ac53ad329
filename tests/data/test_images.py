"""Pictures by place: decoded upright, within limits, or an error that names the record."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from PIL import Image
from samples import as_bytes, picture

from semanticface.data.collate import DecodeImages
from semanticface.data.images import ImageRef, Limits, Pictures, image_of
from semanticface.errors import BadInput


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image)


def test_the_same_picture_from_a_file_a_shard_and_bytes(tmp_path):
    data = as_bytes(picture())
    (tmp_path / "a.png").write_bytes(data)
    (tmp_path / "s.bin").write_bytes(b"x" * 700 + data + b"y" * 9)
    shard = ImageRef(shard=str(tmp_path / "s.bin"), offset=700, size=len(data))
    refs = [ImageRef(path=str(tmp_path / "a.png")), shard, ImageRef(data=data),
            image_of({"bytes": data, "path": None}), image_of({"bytes": data, "path": "a.png"}),
            image_of({"bytes": None, "path": str(tmp_path / "a.png")})]  # fmt: skip
    for ref in refs:
        assert np.array_equal(pixels(Pictures().decode(ref)), pixels(picture()))
        assert Pictures().size(ref) == (32, 24)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_cameras_orientation_is_obeyed(orientation):
    upright = picture(32, 24)
    inverse = {1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
               4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
               6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
               8: Image.Transpose.ROTATE_270}[orientation]  # fmt: skip
    stored = upright if inverse is None else upright.transpose(inverse)
    tag = Image.Exif()
    tag[0x0112] = orientation
    ref = ImageRef(data=as_bytes(stored, "PNG", exif=tag.tobytes()))
    assert np.array_equal(pixels(Pictures().decode(ref)), pixels(upright))
    assert Pictures().size(ref) == upright.size


def test_turned_and_then_mirrored():
    ref = ImageRef(data=as_bytes(picture()), turn=90, flip=True)
    expected = np.rot90(pixels(picture()))[:, ::-1]
    assert np.array_equal(pixels(Pictures().decode(ref)), expected)
    assert Pictures().size(ref) == (24, 32)
    assert ref.mirrored().mirrored() == ref


def test_what_is_see_through_shows_white_and_grey_becomes_rgb():
    clear = Image.new("RGBA", (4, 4), (200, 0, 0, 0))
    assert pixels(Pictures().decode(ImageRef(data=as_bytes(clear)))).min() == 255
    grey = Image.new("L", (4, 4), 77)
    assert Pictures().decode(ImageRef(data=as_bytes(grey))).getpixel((0, 0)) == (77, 77, 77)


def test_sixteen_bits_are_refused_not_clipped():
    deep = Image.fromarray(np.full((4, 4), 3000, np.uint16))
    with pytest.raises(BadInput, match="8 bits a channel"):
        Pictures().decode(ImageRef(data=as_bytes(deep)))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_broken_picture_names_its_record(kind, tmp_path):
    data = as_bytes(picture(200, 200), kind)
    path = tmp_path / "broken"
    for cut in (0, 1, 20, len(data) // 2, len(data) - 30):
        path.write_bytes(data[:cut])
        with pytest.raises(BadInput, match=r"record anna/7, picture .*broken"):
            Pictures().decode(ImageRef(path=str(path)), "anna/7")
    rng = np.random.default_rng(0)
    for _ in range(60):
        spoilt = bytearray(data)
        for place in rng.integers(0, len(data), 4):
            spoilt[place] = int(rng.integers(256))
        try:
            Pictures(Limits(pixels=100_000)).decode(ImageRef(data=bytes(spoilt)), "anna/7")
        except BadInput as fault:
            assert "anna/7" in str(fault)


def test_what_is_no_picture_is_told_by_its_first_bytes():
    with pytest.raises(BadInput, match=r"no picture \(it begins with b'GIF89a\.\.'\)") as caught:
        Pictures().decode(ImageRef(data=b"GIF89a..and more"), "r")
    assert "BytesIO" not in str(caught.value)


def test_what_is_no_picture_is_refused(tmp_path):
    (tmp_path / "a.svg").write_text("<svg/>")
    with pytest.raises(BadInput, match="no picture"):
        Pictures().decode(ImageRef(path=str(tmp_path / "a.svg")))
    with pytest.raises(BadInput, match="No such file"):
        Pictures().decode(ImageRef(path=str(tmp_path / "b.png")), "x")
    gif = as_bytes(picture(), "GIF")
    with pytest.raises(BadInput, match="one of PNG"):
        Pictures().decode(ImageRef(data=gif))
    with pytest.raises(BadInput, match="path, bytes or an object"):
        image_of(5)


def test_bombs_are_refused_before_they_unfold(tmp_path):
    bomb = as_bytes(Image.new("L", (20_000, 10_000)), "PNG")  # 200 million pixels in 200 kB
    with pytest.raises(BadInput, match="pixels"):
        Pictures().decode(ImageRef(data=bomb), "b")
    middling = as_bytes(Image.new("L", (9_000, 10_000)), "PNG")
    with pytest.raises(BadInput, match="at most 50,000,000 pixels"):
        Pictures().size(ImageRef(data=middling), "b")
    with pytest.raises(BadInput, match="at most 100 bytes"):
        Pictures(Limits(bytes=100)).decode(ImageRef(data=bomb))
    (tmp_path / "s").write_bytes(b"1234")
    with pytest.raises(BadInput, match="is the shard cut off"):
        Pictures().decode(ImageRef(shard=str(tmp_path / "s"), offset=2, size=10))


def test_the_collator_decodes_and_nothing_else_does(tmp_path):
    path = tmp_path / "a.png"
    row = {"images": [{"path": str(path), "data": None}], "record": "r1",
           "prompt": [{"role": "user", "content": [{"type": "image", "text": None}]}],
           "completion": [{"role": "assistant", "content": "=."}]}  # fmt: skip
    batch = DecodeImages(lambda rows: rows)
    with pytest.raises(BadInput, match="record r1"):
        batch([row])
    picture().save(path)
    (done,) = batch([row])
    assert np.array_equal(pixels(done["images"][0]), pixels(picture()))
    assert done["prompt"] == [{"role": "user", "content": [{"type": "image"}]}]
    assert "record" not in done
    assert isinstance(row["images"][0], dict)  # the row itself is as it was


def test_it_travels_to_a_worker():
    assert pickle.loads(pickle.dumps(Pictures(Limits(pixels=7)))).limits.pixels == 7
