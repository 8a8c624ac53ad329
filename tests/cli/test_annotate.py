"""`semanticface annotate`: every record described, rewrites checked, kept and not bought twice."""

from __future__ import annotations

import json
import sys

import pytest
from samples import faces, record
from writer_server import asked_words, served, truthfully

from semanticface.cli import main as cli
from semanticface.data.records import write_records


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    write_records(
        tmp_path / "faces.jsonl",
        [
            record(each, id=f"r{i}", image=str(tmp_path / "face.png"))
            for i, each in enumerate(faces(6))
        ],
    )
    return tmp_path / "faces.jsonl"


@pytest.fixture
def run(monkeypatch, capsys):
    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["semanticface", "annotate", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_rules_describe_every_record(data, run, tmp_path):
    code, out, err = run(data, "-o", "words.jsonl")
    assert (code, out) == (0, "") and "6 records" in err
    held = lines(tmp_path / "words.jsonl")
    assert [each["id"] for each in held] == [f"r{i}" for i in range(6)]
    assert all(each["words"]["muscle_movements"] for each in held)
    code, _, err = run(data, "-o", "few.jsonl", "--rows", 2, "--language", "zh")
    assert code == 0 and len(lines(tmp_path / "few.jsonl")) == 2


def test_a_model_rewords_and_is_asked_once(data, run, tmp_path):
    with served(truthfully) as (server, url):
        told = run(data, "-o", "words.jsonl", "--endpoint", url, "--model", "writer-1")
        assert told[0] == 0 and told[1].split()[:3] == ["kept", "6", "100.0%"]
        asked = len(server.requests)
        again = run(data, "-o", "other.jsonl", "--endpoint", url, "--model", "writer-1",
                    "--journal", "words.jsonl.rewrites")  # fmt: skip
        assert again[0] == 0 and len(server.requests) == asked
        assert "asked 0, known before 6" in again[2]
    held = lines(tmp_path / "words.jsonl")
    assert held == lines(tmp_path / "other.jsonl")
    assert all(each["words"]["by"] == "writer-1" for each in held)
    assert all(each["words"]["expression_category"].startswith("One sees") for each in held)


def test_a_lie_is_counted_and_the_rules_words_stay(data, run, tmp_path):
    def lying(handler, body):
        words = asked_words(body)
        words["muscle_movements"] = "Jaw: the jaw is opened to the maximum. The tongue is out."
        handler.say(json.dumps(words))

    with served(lying) as (_, url):
        code, out, _ = run(data, "-o", "words.jsonl", "--endpoint", url, "--model", "m")
    assert code == 0 and "kept" not in out
    assert all(
        each["words"].get("by", "rules") == "rules" for each in lines(tmp_path / "words.jsonl")
    )


def test_an_endpoint_that_fails_is_told_and_asked_again(data, run, tmp_path):
    with served(lambda handler, body: handler.send({}, 400)) as (_, url):
        code, out, err = run(data, "-o", "words.jsonl", "--endpoint", url, "--model", "m")
        assert code == 1 and "failed" in out and "400" in err
        assert len(lines(tmp_path / "words.jsonl")) == 6
    with served(truthfully) as (server, url):
        code, out, _ = run(data, "-o", "words.jsonl", "--endpoint", url, "--model", "m")
        assert code == 0 and "kept" in out and server.requests


@pytest.mark.parametrize("told", [["--endpoint", "http://127.0.0.1:9/v1"], ["--model", "m"],
                                  ["--language", "fr"]])  # fmt: skip
def test_what_cannot_be_meant_is_refused(data, run, told, tmp_path):
    code, _, err = run(data, "-o", "words.jsonl", *told)
    assert code == 2 and "error" in err
    assert not (tmp_path / "words.jsonl").exists()


def test_the_source_is_not_written_over(data, run):
    before = data.read_bytes()
    code, _, err = run(data, "-o", data)
    assert code == 2 and "another file" in err
    assert data.read_bytes() == before


def test_pictures_without_numbers_are_told(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("anna.png", "ben.png"):
        (tmp_path / name).write_bytes(b"opened by nobody here")
    held = {"targets": [0.1] * 61, "consent": "given"}
    (tmp_path / "anna.json").write_text(json.dumps(held))
    (tmp_path / "data.yaml").write_text(
        "sources: [{kind: folder, path: ., name: mine, subject_from: stem}]"
    )
    code, _, err = run("data.yaml", "-o", "words.jsonl")
    assert code == 0 and "mine: pictures without a .json: 1 passed over" in err
