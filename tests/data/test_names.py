"""Names of a folder, streamed in the order of paths."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.data.names import found, in_order

FILES = ("b.png", "a.png", "a/z.png", "a/b/c.jpg", "a-b/x.png", "A.PNG", ".hidden.png", "f10.png",
         "f9.png", "a/front.png", "b/front.png", "odd[1].png", "line\nbreak.png",
         "Ünï/é.png")  # fmt: skip
PATTERNS = ("**/*", "*", "*.png", "**/*.png", "*/front.png", "a/*", "a/**/*.jpg", "f[0-9].png",
            "f?.png", "[!a].png", "**/f*", "nothing/*", "./a/*", "odd[[]1].png")  # fmt: skip


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in FILES:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "in"


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_same_files_in_the_same_order_as_a_sorted_glob(folder, pattern):
    wanted = sorted(each for each in folder.glob(pattern) if each.is_file())
    assert list(found(folder, pattern)) == wanted


def test_links_are_followed_where_the_pattern_names_the_level(folder):
    (folder / "round").symlink_to(folder, target_is_directory=True)
    assert not [each for each in found(folder, "**/*") if "round" in each.parts]
    assert folder / "round" / "b.png" in set(found(folder, "*/*.png"))


@given(st.lists(st.text(max_size=4)), st.integers(1, 5))
def test_pieces_on_disk_are_merged_in_order(names, piece):
    assert list(in_order(names, piece)) == sorted(names)


def test_what_is_left_unread_leaves_nothing_behind():
    rows = in_order((str(n) for n in range(100)), piece=7)
    assert next(rows) == "0"
    rows.close()
