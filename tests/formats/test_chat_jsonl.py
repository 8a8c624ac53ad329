"""Chat records: there and back without loss, one line in memory, faults by row."""

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semanticface.errors import BadInput, SemanticFaceError
from semanticface.formats import chat_jsonl
from semanticface.formats.chat_jsonl import OpenAIRecord, SwiftRecord, to_openai, to_swift

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "released_answers"
TEXT = st.text(min_size=1, max_size=10).filter(lambda text: "<" not in text and ">" not in text)
ROLE = st.sampled_from(["system", "user", "assistant", "tool"])
URL = st.sampled_from(["a.jpg", "https://x.org/b.png", "data:image/png;base64,AAAA"])
EXTRA = st.dictionaries(
    st.sampled_from(["labels", "logprobs", "rejected_response"]), st.none() | TEXT | st.integers()
)
IMAGE = st.fixed_dictionaries(
    {"url": URL}, optional={"detail": st.sampled_from(["low", "high"])}
).map(lambda held: {"type": "image_url", "image_url": held})
AUDIO = st.sampled_from(["wav", "mp3"]).map(
    lambda kind: {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": kind}}
)


@st.composite
def openai_records(draw):
    """Records in the one spelling: no neighbouring texts, no list of text only."""
    messages = []
    for role in draw(st.lists(ROLE, min_size=1, max_size=4)):
        content = draw(TEXT | st.none())
        if draw(st.booleans()):
            content = []
            for medium in draw(st.lists(IMAGE | AUDIO, min_size=1, max_size=3)):
                if draw(st.booleans()):
                    content.append({"type": "text", "text": draw(TEXT)})
                content.append(medium)
            if draw(st.booleans()):
                content.append({"type": "text", "text": draw(TEXT)})
        messages.append({"role": role, "content": content, **draw(EXTRA)})
    return {"messages": messages, **draw(EXTRA)}


@settings(max_examples=100, deadline=None)
@given(held=openai_records())
def test_openai_there_and_back(held):
    swift = to_swift(OpenAIRecord.model_validate(held))
    chat_jsonl.check_tags(swift)
    assert to_openai(SwiftRecord.model_validate(swift.as_record())).as_record() == held
    assert to_swift(to_openai(swift)) == swift


def lines(path, *records):
    path.write_text("".join(json.dumps(each) + "\n" for each in records))
    return path


SWIFT = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "<image>One and <image> two, <audio>said.", "loss": None},
        {"role": "assistant", "content": "Two faces."},
    ],
    "images": ["a.jpg", {"path": "b.jpg", "detail": "high"}],
    "audios": ["data:audio/wav;base64,UklGRg=="],
    "labels": None,
}


def test_swift_to_openai_in_its_own_shape(tmp_path):
    (record,) = chat_jsonl.read_swift(lines(tmp_path / "s.jsonl", SWIFT))
    assert record.as_record() == SWIFT
    openai = to_openai(record).as_record()
    assert openai["messages"][1]["content"] == [
        {"type": "image_url", "image_url": {"url": "a.jpg"}},
        {"type": "text", "text": "One and "},
        {"type": "image_url", "image_url": {"url": "b.jpg", "detail": "high"}},
        {"type": "text", "text": " two, "},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        {"type": "text", "text": "said."},
    ]
    assert openai["messages"][0]["content"] == "Be brief."
    assert "images" not in openai and openai["labels"] is None
    assert to_swift(OpenAIRecord.model_validate(openai)).as_record() == SWIFT
    assert chat_jsonl.write([record], tmp_path / "again.jsonl") == 1
    assert list(chat_jsonl.read_swift(tmp_path / "again.jsonl")) == [record]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({**SWIFT, "images": ["a.jpg"]}, "column images: found 2 <image> tags for 1 images"),
        ({**SWIFT, "videos": ["v.mp4"]}, "column videos: found 0 <video> tags for 1 videos"),
        ({"messages": []}, "column messages"),
        ({"messages": [{"content": "x"}]}, "column messages.0.role"),
        ({"messages": [{"role": "user", "content": 3}]}, "column messages.0.content"),
        ({"query": "x"}, "column messages"),
    ],
)
def test_swift_faults_have_a_row(tmp_path, record, words):
    good = {"messages": [{"role": "user", "content": "x"}]}
    with pytest.raises(BadInput) as fault:
        list(chat_jsonl.read_swift(lines(tmp_path / "s.jsonl", good, record)))
    assert "row 2" in str(fault.value) and words in str(fault.value)


@pytest.mark.parametrize(
    "content",
    [
        "say <image> to me",
        [{"type": "text", "text": "<audio>"}],
        [{"type": "refusal", "refusal": "no"}],
        [{"type": "image_url", "image_url": "a.jpg"}],
        [{"type": "image_url", "image_url": {"detail": "high"}}],
        [{"type": "image_url", "image_url": {"url": "a.jpg"}, "cache": 1}],
        [{"type": "input_audio", "input_audio": {"data": "AA"}}],
        [{"type": ["text"]}],
    ],
)
def test_what_cannot_be_said_is_an_error(content):
    record = OpenAIRecord.model_validate({"messages": [{"role": "user", "content": content}]})
    with pytest.raises(BadInput):
        to_swift(record)


def test_inline_bytes_are_refused_and_empty_ones_are_nothing():
    def record(image):
        held = {"messages": [{"role": "user", "content": "<image>"}], "images": [image]}
        return SwiftRecord.model_validate(held)

    with pytest.raises(BadInput, match="a path, URL or data URI"):
        to_openai(record({"bytes": "AAAA", "path": "a.jpg"}))
    part = to_openai(record({"bytes": None, "path": "a.jpg"})).messages[0].content[0]
    assert part["image_url"] == {"url": "a.jpg"}


def test_one_line_in_memory_at_a_time(tmp_path):
    line = json.dumps({"messages": [{"role": "user", "content": "x" * 100_000}]}) + "\n"
    (tmp_path / "big.jsonl").write_text(line * 200)
    tracemalloc.start()
    count = sum(1 for _ in chat_jsonl.read_swift(tmp_path / "big.jsonl"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 200 and peak < 3_000_000


def test_a_line_without_end_is_refused(tmp_path):
    (tmp_path / "s.jsonl").write_text("x" * 5000)
    with pytest.raises(BadInput, match="row 1: found a longer line"):
        next(chat_jsonl.read_swift(tmp_path / "s.jsonl", max_line=1000))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["messages", "role", "content", "images", "type", "text", "url"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(held=JSON)
def test_any_json_is_read_or_refused(tmp_path_factory, held):
    path = lines(tmp_path_factory.mktemp("c") / "s.jsonl", held)
    for read, other in (
        (chat_jsonl.read_swift, to_openai),
        (chat_jsonl.read_openai, to_swift),
    ):
        try:
            for record in read(path):
                other(record)
        except SemanticFaceError:
            continue


@pytest.mark.skipif(
    not REAL.is_dir(), reason="released answers are not beside the checkout (../shared/data)"
)
def test_released_records_are_chats():
    path = REAL / "semanticface_example_result.jsonl"
    records = list(chat_jsonl.read_swift(path))
    assert len(records) == 8
    first = to_openai(records[0])
    assert first.messages[1].content[0]["image_url"]["url"].endswith(".jpg")
    again = to_swift(first).as_record()
    assert again["messages"] == records[0].as_record()["messages"]
    assert again["response"] == records[0].as_record()["response"]
