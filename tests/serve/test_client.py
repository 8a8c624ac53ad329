"""Many pictures through a client: in order, nothing lost, nothing asked twice."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from pictures import png
from stand_in import face_of, standing_in

from semanticface.data.tasks import Task
from semanticface.errors import BadInput
from semanticface.rig import COUNT
from semanticface.serve.client import FaceClient, Frame, Settings, predict
from semanticface.serve.identity import Served, identity_of, to_json
from semanticface.serve.journal import Answered, Journal

TASK = Task.of("two-key")
QUICK = Settings(concurrency=4, timeout=60.0, deadline=90.0, pause=0.01)


def frames(count: int = 12) -> list[Frame]:
    return [Frame(n / 30, png(n, (16, 16))) for n in range(count)]


def run(server, shown, journal=None, **told):
    server.know([frame.picture for frame in shown])

    async def all_of_them():
        async with FaceClient(server.url, **({"settings": QUICK} | told)) as client:
            return client, await predict(client, shown, journal)

    return asyncio.run(all_of_them())


def exactly(found, shown):
    expected = np.stack([face_of(frame.picture) for frame in shown])
    np.testing.assert_allclose(found.clip.values, expected, atol=1e-6)
    np.testing.assert_allclose(found.clip.times, [frame.time for frame in shown])


def test_the_server_says_how_it_wants_to_be_asked():
    with standing_in(TASK) as server:
        client, found = run(server, frames())
        exactly(found, frames())
        assert client.task.form.key == "two-key"
        first = found.results[0]
        assert first.report.outcome == "strict" and first.description is not None
        assert (first.asked, first.written, first.tries, first.error) == (500, 61, 1, "")
        assert first.seconds > 0
        assert server.busiest <= 4
        assert set(server.asked.values()) == {1}


def test_faults_that_pass_are_mended_and_order_is_kept():
    faults = {0: "503", 3: "drop", 5: "429", 7: "500"}
    with standing_in(TASK) as server:
        server.fault = lambda number, before: faults.get(number, "") if before < 2 else ""
        client, found = run(server, frames())
        exactly(found, frames())
        assert client.repeats == 8
        assert {each.tries for each in found.results} == {1, 3}


def test_faults_that_stay_cost_their_picture_alone():
    with standing_in(TASK) as server:
        server.fault = lambda number, before: {2: "400", 4: "503", 6: "nonsense", 8: "cut"}.get(
            number, ""
        )
        _, found = run(server, frames(), settings=Settings(concurrency=4, deadline=4.0, pause=0.2))
    bad = [n for n, each in enumerate(found.results) if each.error]
    assert bad == [2, 4]
    assert "HTTP 400" in found.results[2].error and "tries" in found.results[4].error
    assert np.isnan(found.clip.values[[2, 4, 6]]).all()
    assert found.results[6].report.outcome == "failed"
    assert found.results[8].finish == "length"
    assert "cut off at max_tokens" in found.results[8].report.notes
    assert np.isfinite(found.clip.values[[0, 1, 3, 5, 7, 9]]).all()


def test_a_journal_survives_and_asks_only_what_is_missing(tmp_path):
    journal = tmp_path / "answers.jsonl"
    with standing_in(TASK) as server:
        run(server, frames(7), journal)
        with journal.open("ab") as stream:
            stream.write(b'{"key": "cut sho')  # as a killed process leaves it
        _, found = run(server, frames(12), journal)
        exactly(found, frames(12))
        assert set(server.asked.values()) == {1} and len(server.asked) == 12
        assert [each.tries for each in found.results] == [0] * 7 + [1] * 5
    with Journal(journal) as kept:
        assert kept.unreadable == 1


def test_a_server_that_comes_back_is_waited_for():
    with standing_in(TASK) as server:
        port, shown = server.server_port, frames(30)

        async def across_a_restart():
            async with FaceClient(server.url, settings=QUICK) as client:
                results = []
                async for each in client.stream(shown):
                    results.append(each)
                    if len(results) == 5:
                        server.shutdown()
                        server.server_close()
                        revived.append(standing_in(TASK, port=port))
                        asyncio.get_running_loop().call_later(0.3, revived[0].__enter__)
                await asyncio.sleep(0.3)  # where all was answered before the server had gone
                return results

        revived: list = []
        results = asyncio.run(across_a_restart())
        revived[0].__exit__(None, None, None)
    assert [each.time for each in results] == [frame.time for frame in shown]
    for each, frame in zip(results, shown, strict=True):
        np.testing.assert_allclose(each.values, face_of(frame.picture), atol=1e-6)


def test_a_server_that_says_at_once_is_not_stormed():
    with standing_in(TASK) as server:
        server.fault = lambda number, before: "429"  # with Retry-After: 0
        impatient = Settings(concurrency=1, deadline=3.0, pause=0.3)
        _, found = run(server, frames(1), settings=impatient)
        assert found.results[0].error and not found.results[0].lasting
        assert sum(server.asked.values()) < 25


def test_no_pictures_are_an_empty_clip():
    with standing_in(TASK) as server:
        _, found = run(server, [])
        assert len(found.clip) == 0 and not found.results


def test_another_models_answers_are_not_taken_for_this_ones(tmp_path):
    journal = tmp_path / "answers.jsonl"
    with standing_in(TASK) as server:
        told = identity_of(TASK)
        for weights, asked in (("a", 3), ("a", 3), ("b", 6)):
            server.identity = to_json(Served({"face": told._replace(weights=weights)}))
            run(server, frames(3), journal)
            assert sum(server.asked.values()) == asked


def test_a_journal_reads_only_what_is_new(tmp_path):
    path = tmp_path / "answers.jsonl"
    kept = Journal(path)
    with kept:
        kept.add("one", Answered("1"))
    with Journal(path) as other:
        other.add("two", Answered("2"))
    with path.open("ab") as stream:
        stream.write(b"half a li")
    seen = []
    kept._take = lambda line, at: seen.append(line) or type(kept)._take(kept, line, at)
    with kept:
        kept.add("three", Answered("3"))
    with kept:
        assert [kept.get(each).text for each in ("one", "two", "three")] == ["1", "2", "3"]
        kept._held["one"], kept._held["two"] = kept._held["two"], kept._held["one"] + 1
        assert (kept.get("one"), kept.get("two")) == (None, None)  # no other line is taken for it
    assert len(seen) == 4 and kept.unreadable == 1  # one, two, the half; then three


def test_nobody_there_is_said_soon():
    with standing_in(TASK) as server:
        server.fault = lambda number, before: "503"
        hasty = Settings(concurrency=2, deadline=0.5, pause=0.1, patience=3)
        with pytest.raises(BadInput, match="3 pictures in a row"):
            run(server, frames(), settings=hasty)
        assert len(server.asked) < 12


def test_a_wrong_key_ends_it_and_is_not_repeated():
    with standing_in(TASK, key="right") as server:
        with pytest.raises(BadInput) as fault:
            run(server, frames(), key="a secret one")
        assert "401" in str(fault.value) and "secret" not in str(fault.value)
        _, found = run(server, frames(2), key="right")
        exactly(found, frames(2))


def test_a_model_of_another_question_is_not_asked():
    with standing_in(TASK) as server:
        with pytest.raises(BadInput, match="another request"):
            run(server, frames(1), task=Task.of("codes", "coefficients"))
        with pytest.raises(BadInput, match="no model 'smile'"):
            run(server, frames(1), model="smile")
        server.identity = server.identity.replace("arkit61/1", "arkit61/9")
        with pytest.raises(BadInput, match="arkit61/9"):
            run(server, frames(1))
        server.identity = ""
        with pytest.raises(BadInput, match="does not say what it was trained on"):
            run(server, frames(1))
        assert not server.asked
        _, found = run(server, frames(2), task=TASK, check=False)
        exactly(found, frames(2))


OTHER_WEIGHTS, OTHER_REQUEST = {"weights": "b"}, {"request_sha256": "0" * 64}


def turning(server, **changes):
    """Becomes another model with its third answer; the connection stands."""
    after = to_json(Served({"face": identity_of(server.task)._replace(**changes)}))

    def fault(number, before):
        if number == 2:
            server.identity = after
        return ""

    server.fault = fault


@pytest.mark.parametrize(("how", "journal", "changes", "why"), [
    (Settings(1), None, OTHER_REQUEST, "another request"),
    (Settings(1, same=True), None, OTHER_WEIGHTS, "weights changed"),
    (Settings(1), "answers.jsonl", OTHER_WEIGHTS, "weights changed"),
    (Settings(1), None, OTHER_WEIGHTS, ""),
])  # fmt: skip
def test_a_model_that_changes_on_a_standing_connection_is_seen(
    tmp_path, how, journal, changes, why
):
    """An adapter that was loaded in its place, or another server behind a proxy."""
    kept = None if journal is None else tmp_path / journal
    with standing_in(TASK) as server:
        turning(server, **changes)
        if why:
            with pytest.raises(BadInput, match=why):
                run(server, frames(5), kept, settings=how)
            assert len(server.asked) == 3
            assert kept is None or len(kept.read_text().splitlines()) == 2
        else:
            client, found = run(server, frames(5), kept, settings=how)
            exactly(found, frames(5))
            assert client.identity.weights == "b" and client.repeats == 0


def test_what_changes_beside_a_model_disturbs_nobody():
    with standing_in(TASK) as server:
        alone = identity_of(TASK)
        server.fault = lambda number, before: (
            setattr(server, "identity", to_json(Served({"face": alone, f"late{number}": alone})))
            or ""
        )
        client, found = run(server, frames(5), settings=Settings(1, same=True))
        exactly(found, frames(5))
        assert client.repeats == 0


def test_an_answer_of_which_nobody_knows_whose_it_is_is_asked_for_again():
    """Two servers in turn behind one address, and the other one says what is served."""
    with standing_in(TASK) as server:
        one, told = server.identity, identity_of(TASK)
        other = to_json(Served({"face": told, "late": told}))
        swaps = iter([other])  # answers as the other once, and is the first when asked who it is
        sent = server.RequestHandlerClass._send

        def swapped(handler, status, body, **headers):
            if handler.command == "POST":
                server.identity = next(swaps, one)
            sent(handler, status, body, **headers)
            server.identity = one

        server.RequestHandlerClass = type("Swapped", (server.RequestHandlerClass,),
                                          {"_send": swapped})  # fmt: skip
        client, found = run(server, frames(3), settings=Settings(1, same=True, pause=0.01))
        exactly(found, frames(3))
        assert client.repeats == 1 and [each.tries for each in found.results] == [2, 1, 1]


def test_one_pass_is_taken_where_it_is_served():
    task = Task.of("tokens", "coefficients")
    with standing_in(task, one_pass=True) as server:
        server.fault = lambda number, before: "cached" if number == 1 else ""
        _, found = run(server, frames(3))
        exactly(found, frames(3))
        assert [each.tries for each in found.results] == [1, 2, 1]
        for each in found.results:
            assert each.confidence.shape == (COUNT,) and each.written == 0


def test_memory_holds_a_few_pictures_however_many_there_are():
    with standing_in(TASK) as server:
        taken = 0

        def shown():
            nonlocal taken
            for frame in frames(40):
                taken += 1
                yield frame

        async def look():
            async with FaceClient(server.url, settings=QUICK) as client:
                stream = client.stream(shown())
                await anext(stream)
                seen = taken
                await stream.aclose()
                return seen

        assert asyncio.run(look()) <= 2 * QUICK.concurrency + 1
