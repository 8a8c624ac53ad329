"""The commands as a user runs them: results on stdout, one message and code 2 for a bad file."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from semanticface import formats
from semanticface.cli import main as cli
from semanticface.formats import livelink_csv
from semanticface.motion.rehearsal import perform
from semanticface.rig import INDEX


class Run(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def command(*arguments: object) -> Run:
        monkeypatch.setattr(sys, "argv", ["semanticface", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return Run(code, captured.out, captured.err)

    return command


@pytest.fixture
def take(tmp_path) -> Path:
    path = tmp_path / "scene_1_anna.csv"
    livelink_csv.write(perform(), path, untracked="row")
    return path


COMMANDS = ("inspect", "describe", "convert", "validate", "tokens", "demo", "doctor")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches_under_help(command, run):
    shown = run(command, "--help")
    assert shown.code == 0
    assert "Usage" in shown.out
    if command not in ("demo", "doctor"):
        assert "Examples" in shown.out
        assert f"semanticface {command}" in shown.out


def test_help_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['semanticface', '--help']\n"
        "from semanticface.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "sys.exit(any(m in sys.modules for m in ('numpy', 'pydantic', 'yaml', 'jinja2')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_core_imports_without_any_extra():
    extras = ("torch", "transformers", "pyarrow", "pythonosc", "praatio", "pygltflib", "tokenizers")
    code = (
        "import sys\n"
        f"for name in {extras}: sys.modules[name] = None\n"
        "import semanticface.rig, semanticface.formats, semanticface.language.describe\n"
        "import semanticface.language.consistency, semanticface.language.prompts\n"
        "from semanticface.formats import CATALOGUE\n"
        "from importlib import import_module\n"
        "[import_module(each.module) for each in CATALOGUE]\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr


def test_inspect_shows_rate_gaps_conventions_and_curves(run, take):
    shown = run("inspect", take)
    assert shown.code == 0
    assert "30.00 fps in a 60 base" in shown.out
    assert "mouth pair exchanged" in shown.out
    assert "face lost" in shown.out
    assert re.search(r"mouth\s+mouthClose.*[▁▂▃▄▅▆▇█]{20}", shown.out)
    assert "mouthSmileLeft" not in run("inspect", take, "--no-channels").out


def test_inspect_of_the_real_take_says_what_is_known_of_it(run, shared):
    shown = run("inspect", shared / "livelink" / "alex_rom_3.csv").out
    assert "29.98 fps in a 60 base" in shown
    assert "3, 3 frames missing" in shown
    assert "13:13:" in shown
    assert "mouth pair exchanged" in shown
    assert re.search(r"head\s+all zero", shown)


def test_describe_says_the_clip_and_its_peak(run, take):
    shown = run("describe", take)
    assert shown.code == 0
    assert "The clip" in shown.out
    assert "expression category" in shown.out
    at = run("describe", take, "--at", 1.8, "--facs")
    assert "AU12" in at.out
    assert "smil" in at.out.lower()
    assert "at 1.800 s" in at.out
    assert "face was lost" in run("describe", take, "--at", 8.7).out
    chinese = run("describe", take, "--at", 1.8, "--language", "zh").out
    assert re.search(r"[\u4e00-\u9fff]{4}", chinese)


def test_describing_every_frame_writes_json_lines_of_the_same_words(run, take, tmp_path):
    assert run("describe", take, "-o", tmp_path / "told.jsonl").code == 0
    lines = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text().splitlines()]
    clip = formats.read(take)
    assert len(lines) == len(clip)
    assert (
        lines[54]["analysis"]["muscle_movements"]
        in run("describe", take, "--at", 1.8).out.replace("\n", " ").replace("  ", " ")
        or lines[54]["tracked"]
    )
    lost = [line["frame"] for line in lines if not line["tracked"]]
    assert lost == np.flatnonzero(~clip.tracked).tolist()
    assert all(lines[i]["analysis"] is None for i in lost)


def test_describe_refuses_a_moment_outside_the_clip(run, take):
    shown = run("describe", take, "--at", 99)
    assert shown.code == 2
    assert "seconds from 0 to" in shown.err


def test_converting_from_tool_to_tool_and_back_loses_nothing(run, take, tmp_path):
    way = ["take.gesichter", "take.npz", "again.csv", "a2f.csv", "last.csv"]
    before = take
    for name in way:
        options = ["--to", "audio2face"] if name == "a2f.csv" else []
        options += ["--untracked", "row"] if name in ("again.csv", "last.csv") else []
        assert run("convert", before, tmp_path / name, *options).code == 0
        before = tmp_path / name
    first, last = formats.read(take), formats.read(before)
    np.testing.assert_array_equal(first.values, last.values)
    np.testing.assert_array_equal(first.times, last.times)


def test_the_real_take_survives_the_whole_way(run, shared, tmp_path):
    take = shared / "livelink" / "alex_rom_3.csv"
    before = take
    for name, options in (
        ("t.gesichter", []), ("t.npz", []), ("t.csv", []), ("a2f.csv", ["--to", "audio2face"]),
        ("last.csv", []),
    ):  # fmt: skip
        assert run("convert", before, tmp_path / name, *options).code == 0
        before = tmp_path / name
    first, last = formats.read(take), formats.read(before)
    np.testing.assert_array_equal(first.values, last.values)
    np.testing.assert_array_equal(first.times, last.times)


def test_missing_channels_are_only_filled_on_request(run, take, tmp_path):
    assert run("convert", take, tmp_path / "mp.json", "--to", "mediapipe").code == 0
    refused = run("convert", tmp_path / "mp.json", tmp_path / "face.csv")
    assert refused.code == 2
    assert "tongueOut" in refused.err
    assert "--fill 0" in refused.err
    assert not (tmp_path / "face.csv").exists()
    filled = run("convert", tmp_path / "mp.json", tmp_path / "face.csv", "--fill", 0)
    assert filled.code == 0
    assert "filled with 0" in filled.err
    assert formats.read(tmp_path / "face.csv").column("tongueOut").max() == 0


def test_many_files_at_once_and_one_of_them_broken(run, take, tmp_path):
    (tmp_path / "broken.csv").write_text("Timecode,BlendshapeCount\nnonsense,61\n")
    other = tmp_path / "scene_2_anna.csv"
    livelink_csv.write(perform(seed=2), other)
    shown = run("convert", take, tmp_path / "broken.csv", other, tmp_path / "npz", "--to", "npz")
    assert shown.code == 2
    assert "broken.csv" in shown.err
    assert "1 of 3 files" in shown.err
    assert {path.name for path in (tmp_path / "npz").iterdir()} == {
        "scene_1_anna.npz", "scene_2_anna.npz",
    }  # fmt: skip


def test_mirroring_on_the_way(run, take, tmp_path):
    assert run("convert", take, tmp_path / "m.npz", "--mirror").code == 0
    clip = formats.read(tmp_path / "m.npz")
    assert "mirrored" in clip.meta.conventions
    np.testing.assert_array_equal(
        clip.column("eyeBlinkLeft"), formats.read(take).column("eyeBlinkRight")
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("inspect", "nowhere.csv"), "no such file"),
        (("inspect", "dance.bvh"), "BVH holds a tree of joints"),
        (("inspect", "take.xyz"), "suffix '.xyz'"),
        (("convert", "scene_1_anna.csv", "dance.bvh"), "BVH holds a tree of joints"),
        (("convert", "scene_1_anna.csv", "scene_1_anna.csv"), "another file"),
        (("convert", "scene_1_anna.csv", "x.npz", "--to", "nzp"), "Did you mean 'npz'"),
        (("convert", "scene_1_anna.csv", "x.npz", "--rate", "30"), "the option 'rate'"),
        (("convert", "scene_1_anna.csv", "nowhere/x.npz"), "nowhere"),
        (("tokens", "-t", "nothing.json"), "a tokenizer.json"),
    ],
)
def test_a_wrong_path_or_option_is_one_message_and_code_2(arguments, message, run, take):
    (take.parent / "take.xyz").write_text("?")
    shown = run(*arguments)
    assert shown.code == 2
    assert message in shown.err
    assert "Traceback" not in shown.err
    assert not (take.parent / "x.npz").exists()


def test_validate_lists_every_fault_with_its_place(run, take):
    lines = take.read_text().splitlines()
    row = lines[10].split(",")
    row[2 + 17] = "abc"
    lines[10] = ",".join(row)
    lines[20] = lines[20].rsplit(",", 3)[0]
    take.write_text("\n".join(lines) + "\n")
    shown = run("validate", take)
    assert shown.code == 2
    assert re.search(r"row 11, column JawOpen: found 'abc'", shown.out)
    assert "row 21" in shown.out
    as_json = run("validate", take, "--json")
    faults = [json.loads(line) for line in as_json.out.splitlines()]
    assert {fault["row"] for fault in faults if fault["severity"] == "error"} == {11, 21}


def test_validate_warns_of_the_implausible_and_passes(run, tmp_path):
    clip = perform()
    values = clip.values.copy()
    values[5, INDEX["jawOpen"]] = 1.08
    values[6, [INDEX["eyeLookInLeft"], INDEX["eyeLookOutLeft"]]] = 0.5
    values[7, INDEX["mouthClose"]] = 0.5
    formats.write(clip.with_values(values), tmp_path / "odd.npz")
    shown = run("validate", tmp_path / "odd.npz")
    assert shown.code == 0
    for words in ("values up to 1.080", "eyeLookInLeft and eyeLookOutLeft", "more than jawOpen"):
        assert words in shown.out
    fine = perform()
    formats.write(fine, tmp_path / "fine.npz")
    assert "nothing wrong" in run("validate", tmp_path / "fine.npz").out


def test_validate_reads_answers_row_by_row(run, tmp_path):
    from semanticface.language.answers import answer_format

    good = answer_format("flat").write(np.zeros(61))
    rows = [good, good.replace('"JawOpen":0.000,', ""), "I cannot see a face."]
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps({"response": each, "messages": []}) + "\n" for each in rows))
    shown = run("validate", path)
    assert shown.code == 2
    assert re.search(r"row 2, column jawOpen: found no value", shown.out)
    assert re.search(r"error.*row 3.*unreadable answer", shown.out)


def test_tokens_counts_every_format(run, tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    shown = run("tokens", "-t", tmp_path, "--frames", 5)
    assert shown.code == 0
    cost = {line.split()[0]: float(line.split()[2]) for line in shown.out.splitlines()[1:] if line}
    assert cost["tokens"] == 61
    assert cost["two-key"] > cost["flat"] > cost["sparse"]


def test_doctor_reports_core_and_extras(run):
    shown = run("doctor")
    assert shown.code == 0
    assert "arkit61/1" in shown.out
    assert "image/semanticface v" in shown.out
    assert "hypothesis" in shown.out


def test_the_demo_makes_a_page_that_needs_nothing_else(run, tmp_path):
    shown = run("demo", "--out", tmp_path / "demo")
    assert shown.code == 0, shown.err
    assert "DIFFERENT" not in shown.out
    page = (tmp_path / "demo" / "index.html").read_text()
    assert "every value identical" in page
    assert page.count("<polyline") > 20
    assert not re.search(r"(?:src|href)=|url\(|<script|@import", page)
    assert len(page) < 1_000_000


def test_interrupting_a_long_conversion_leaves_no_file(tmp_path):
    from semanticface.rig import concatenate

    long = concatenate([perform(seed=i) for i in range(40)], pause=0.1)
    formats.write(long, tmp_path / "long.npz")
    target = tmp_path / "long.csv"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "semanticface.cli.main", "describe", "long.npz", "-o", str(target)],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".long.csv*")) and time.monotonic() < deadline:
        time.sleep(0.002)
        if process.poll() is not None:
            break
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    code = process.returncode
    assert (code == 130) == ("interrupted" in said.splitlines()[-1:])
    assert "Traceback" not in said
    left = {path.name for path in tmp_path.iterdir()}
    assert left in ({"long.npz"}, {"long.npz", "long.csv"} if code == 0 else {"long.npz"})


def test_output_cut_short_by_the_reader_is_no_error(tmp_path, take):
    done = subprocess.run(
        f"{sys.executable} -m semanticface.cli.main inspect {take} | head -n 1",
        shell=True, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.stdout.startswith("source")


def test_converting_a_folder_onto_itself_is_refused(run, take):
    other = take.parent / "b.csv"
    livelink_csv.write(perform(seed=2), other)
    before = take.read_bytes()
    shown = run("convert", take.name, "b.csv", ".", "--to", "livelink-csv")
    assert shown.code == 2
    assert "over each other" in shown.err
    assert take.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("convert", "scene_1_anna.csv", "b.csv", "out", "--to", "take"), "2 sources"),
        (("describe", "scene_1_anna.csv", "--at", "1", "--every", "1"), "--at and --every"),
        (("describe", "scene_1_anna.csv", "--at", "-1", "--at", "2"), "--at -1"),
        (("validate", "scene_1_anna.csv", "--from", "livelnk"), "livelink-csv"),
        (("validate", "x.npz", "--unreal"), "a Live Link CSV"),
    ],
)
def test_options_that_make_no_sense_together_are_not_ignored(arguments, message, run, take):
    formats.write(perform(), take.parent / "x.npz")
    shown = run(*arguments)
    assert shown.code == 2
    assert message in shown.err + shown.out


def test_a_fill_that_is_not_needed_says_so(run, take, tmp_path):
    assert "does nothing" in run("convert", take, tmp_path / "f.npz", "--fill", 0).err


def test_validate_reads_keyframes(run, tmp_path):
    from semanticface.language.answers import answer_format

    face = answer_format("flat").write(np.zeros(61))
    line = {"response": f'{{"Keyframe_one":{face},"Keyframe_two":{face[:300]}'}
    (tmp_path / "k.jsonl").write_text(json.dumps(line) + "\n")
    shown = run("validate", tmp_path / "k.jsonl", "--most", 200)
    assert "repaired reading" in shown.out
    assert "tongueOut: found no value" in shown.out
    assert len(formats.read(tmp_path / "k.jsonl")) == 2


def test_describing_often_over_a_long_clip_needs_little_memory(run, tmp_path):
    clip = perform()
    formats.write(clip[:3].with_values(clip.values[:3]), tmp_path / "s.npz")
    assert run("describe", tmp_path / "s.npz", "--every", "0.001").out.count("Frame") == 3
