import os
import pickle
import threading

import pytest

from semanticface.atomic import whole_file, write_text
from semanticface.errors import BadInput, MissingExtra, did_you_mean, need


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(KeyboardInterrupt), whole_file(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


def test_links_are_followed_and_modes_kept(tmp_path):
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    write_text(real, "old")
    real.chmod(0o640)
    link.symlink_to(real)
    write_text(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    write_text(pipe, "hello")
    reader.join(10)
    assert heard == ["hello"]
    assert pipe.is_fifo()


@pytest.mark.parametrize("place", ["nowhere/a.txt", "."])
def test_a_place_that_cannot_be_written_is_named(place, tmp_path):
    with pytest.raises(OSError, match=r"no such folder|is a folder"):
        write_text(tmp_path / place, "x")


def test_the_message_names_place_found_and_expected():
    error = BadInput("'abc'", "a number", file="take.csv", row=12, column="JawOpen", hint="See.")
    assert str(error) == "take.csv, row 12, column JawOpen: found 'abc', expected a number. See."
    assert str(error.at(file="b.csv", row=3)).startswith("b.csv, row 3, column JawOpen")


@pytest.mark.parametrize(
    "error",
    [BadInput("x", "y", file="f", row=1, column="c", hint="h"), MissingExtra("p", "e", "Doing")],
)
def test_errors_survive_the_way_from_a_worker(error):
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_missing_package_names_its_extra():
    with pytest.raises(MissingExtra, match=r"pip install 'semanticface\[formats\]'"):
        need("no_such_package_at_all", "formats", "Reading nothing")
    assert need("json", "formats", "x").loads("1") == 1


def test_near_names_are_suggested_and_far_ones_not():
    assert did_you_mean("JAWOPN", ["jawOpen", "mouthClose"]) == "Did you mean 'jawOpen'?"
    assert did_you_mean("zzz", ["jawOpen"]) == ""
