"""Words for every record, and a language model's rewrites of them, over a real socket."""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import ExitStack

import pytest
from samples import faces, record, smile
from writer_server import Reply, Server, asked_words, served, truthfully

from semanticface.data.chat_endpoint import Endpoint, EndpointError
from semanticface.data.records import Words
from semanticface.data.rewrites import Journal
from semanticface.data.stage_one import Report, described, judged, reworded, rewrite_messages
from semanticface.errors import BadInput
from semanticface.language.consistency import check
from semanticface.language.describe import describe
from semanticface.rig import INDEX


@pytest.fixture
def serve(monkeypatch):
    """Start a server that answers so; returns it and an endpoint."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ExitStack() as running:

        def start(reply: Reply, **options: object) -> tuple[Server, Endpoint]:
            server, url = running.enter_context(served(reply))
            settings = {"timeout": 5.0, "tries": 3, "pause": 0.0, **options}
            return server, Endpoint(url, "writer-1", **settings)

        yield start


def some(count: int) -> list:
    return [record(values, id=f"r{i}") for i, values in enumerate(faces(count))]


def test_the_rules_describe_every_record():
    told = list(described(some(20)))
    for each in told:
        assert each.words.by == "rules"
        assert check(each.words.description, each.values).holds
    assert list(described(some(20))) == told
    own = record(smile(), words=Words.of(describe(smile()), by="a-model"))
    assert list(described([own])) == [own]


def test_good_rewrites_are_kept_and_never_bought_twice(serve, tmp_path):
    server, endpoint = serve(truthfully)
    report, seen = Report(), []
    told = list(reworded(some(12), endpoint, tmp_path / "j.sqlite", report=report,
                         told=lambda each: seen.append(each.id)))  # fmt: skip
    assert [each.id for each in told] == seen == [f"r{i}" for i in range(12)]
    assert report.verdicts == {"kept": 12}
    for each in told:
        assert each.words.by == "writer-1"
        assert each.words.expression_category.startswith("One sees")
        assert check(each.words.description, each.values).holds
    again = Report()
    assert list(reworded(some(12), endpoint, tmp_path / "j.sqlite", report=again)) == told
    assert (again.asked, again.from_journal, len(server.requests)) == (0, 12, 12)


def test_another_seed_or_model_is_another_request(serve, tmp_path):
    server, endpoint = serve(truthfully)
    for options in ({}, {}, {"seed": 1}):
        list(reworded(some(1), endpoint, tmp_path / "j", **options))
    other = Endpoint(endpoint.url, "writer-2")
    list(reworded(some(1), other, tmp_path / "j"))
    assert [body["model"] for body in server.requests] == ["writer-1", "writer-1", "writer-2"]


@pytest.mark.parametrize(("change", "verdict"), [
    (lambda w: {**w, "muscle_movements": w["muscle_movements"] + " The tongue sticks out."},
     "contradicted"),
    (lambda w: {**w, "muscle_movements": "Nothing to add."}, "left out"),
    (lambda w: {**w, "emotional_implication": "deep sadness"}, "feeling changed"),
    (lambda w: {**w, "symmetry": " "}, "unreadable"),
    (lambda w: {"text": "a face"}, "unreadable"),
    (lambda w: {**w, "expression_category": "a " * 5000}, "too long"),
])  # fmt: skip
def test_a_wrong_rewrite_is_refused_and_counted(serve, tmp_path, change, verdict):
    values = smile(0, 0)
    values[INDEX["jawLeft"]] = 0.5  # no feeling shows in it
    server, endpoint = serve(lambda h, body: h.say(json.dumps(change(asked_words(body)))))
    for asked in (1, 0):  # refused for good: the verdict is in the journal
        report = Report()
        (told,) = reworded([record(values)], endpoint, tmp_path / "j", report=report)
        assert report.verdicts == {verdict: 1}
        assert report.asked == asked
        assert told.words.by == "rules"
        assert check(told.words.description, values).holds
    assert len(server.requests) == 1


def test_a_server_that_stumbles_is_asked_again(serve, tmp_path):
    turns = Counter()

    def reply(handler, body):
        turn = turns[body["messages"][-1]["content"]] = turns[body["messages"][-1]["content"]] + 1
        if turn == 1:
            handler.send({"error": "overloaded"}, 500)
        elif turn == 2:
            handler.send(b"<html>not JSON")
        else:
            truthfully(handler, body)

    server, endpoint = serve(reply)
    report = Report()
    list(reworded(some(4), endpoint, tmp_path / "j", report=report))
    assert report.verdicts == {"kept": 4}
    assert len(server.requests) == 12


def test_failures_are_counted_and_asked_anew_next_time(serve, tmp_path):
    broken = [True]

    def reply(handler, body):
        handler.send({}, 503) if broken[0] else truthfully(handler, body)

    server, endpoint = serve(reply)
    report = Report()
    told = list(reworded(some(3), endpoint, tmp_path / "j", report=report))
    assert report.verdicts == {"failed": 3}
    assert sum(report.faults.values()) == 3
    assert "HTTP 503" in next(iter(report.faults))
    assert {each.words.by for each in told} == {"rules"}
    assert len(server.requests) == 9
    broken[0] = False
    again = Report()
    list(reworded(some(3), endpoint, tmp_path / "j", report=again))
    assert again.verdicts == {"kept": 3}


def test_a_refusal_for_good_is_not_asked_again(serve, monkeypatch):
    server, endpoint = serve(lambda h, body: h.send({"error": "bad key"}, 401))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    with pytest.raises(EndpointError, match="HTTP 401"):
        endpoint.ask([{"role": "user", "content": "hello"}], 0)
    assert server.keys == ["Bearer sk-test"]


def test_the_key_goes_nowhere_else(serve, monkeypatch):
    other, _ = serve(truthfully)

    def elsewhere(handler, body):
        handler.send_response(307)
        handler.send_header("Location", f"http://127.0.0.1:{other.server_address[1]}/v1")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    _, endpoint = serve(elsewhere)
    with pytest.raises(EndpointError, match="HTTP 307"):
        endpoint.ask([], 0)
    assert other.requests == []


@pytest.mark.parametrize("body", [
    {}, {"choices": []}, {"choices": [{"message": {"content": None}}]}, [], "text",
    {"choices": [{"message": "text"}]},
])  # fmt: skip
def test_an_answer_of_another_shape_is_no_answer(serve, body):
    server, endpoint = serve(lambda h, asked: h.send(body))
    with pytest.raises(EndpointError, match="3 times"):
        endpoint.ask([], 0)
    assert len(server.requests) == 3


def test_a_server_that_hangs_or_trickles_is_left(serve):
    done = threading.Event()

    def trickle(handler, body):
        handler.send_response(200)
        handler.end_headers()
        while not done.wait(0.05):
            handler.wfile.write(b" ")

    try:
        for reply in (lambda handler, body: done.wait(20), trickle):
            _, endpoint = serve(reply, timeout=0.3, tries=2)
            with pytest.raises(EndpointError, match="2 times"):
                endpoint.ask([], 0)
    finally:
        done.set()


def test_nobody_there(tmp_path):
    endpoint = Endpoint("http://127.0.0.1:9/v1", "m", tries=2, pause=1.5)
    pauses = []
    with pytest.raises(EndpointError, match="no answer"):
        endpoint.ask([], 0, pauses.append)
    assert pauses == [1.5]
    with pytest.raises(BadInput, match="address"):
        Endpoint("file:///etc/passwd", "m")


def test_no_more_than_so_many_at_once_and_only_a_few_ahead(serve, tmp_path):
    ready = threading.Barrier(3, timeout=10)

    def reply(handler, body):
        ready.wait()
        truthfully(handler, body)

    server, endpoint = serve(reply)
    taken = []

    def watched():
        for each in some(30):
            taken.append(each.id)
            yield each

    rows = reworded(watched(), endpoint, tmp_path / "j", concurrency=3)
    next(rows)
    assert len(taken) == 6
    assert len(list(rows)) == 29
    assert server.most == 3


def test_alike_records_are_asked_about_once(serve, tmp_path):
    server, endpoint = serve(truthfully)
    report = Report()
    told = list(reworded([record(smile())] * 5, endpoint, tmp_path / "j", report=report))
    assert len(server.requests) == 1
    assert report.verdicts == {"kept": 5}
    assert len({each.words for each in told}) == 1


def test_stopped_in_the_middle_it_goes_on(serve, tmp_path):
    _, endpoint = serve(truthfully)
    rows = reworded(some(20), endpoint, tmp_path / "j", concurrency=2)
    for _ in range(7):
        next(rows)
    rows.close()
    report = Report()
    assert len(list(reworded(some(20), endpoint, tmp_path / "j", report=report))) == 20
    assert report.from_journal == 7
    assert report.verdicts == {"kept": 20}
    with pytest.raises(BadInput, match="no journal"):
        (tmp_path / "bad").write_bytes(b"x" * 5000)
        Journal(tmp_path / "bad")


def test_a_chinese_description_is_judged_in_chinese():
    words = describe(smile(), language="zh")
    one = record(smile())
    assert judged(json.dumps(words.as_analysis()), words, one, "zh").verdict == "kept"
    assert words.symmetry in rewrite_messages(words, "zh")[1]["content"]
