import json
import re
import shutil

import pytest
import yaml

from semanticface.data.stage_one import rewrite_messages
from semanticface.errors import BadInput
from semanticface.language import prompts
from semanticface.language.answers import FORMATS, answer_format
from semanticface.language.description import Description
from semanticface.language.prompts import (
    image_messages,
    keyframe_messages,
    load_prompt,
    ordinal,
    prompt_folder,
    skeleton,
)
from semanticface.rig import COUNT, ORDERS, region_indices

SPEECH = {
    "audio": True, "cued": True, "form": "codes", "names": ["jawOpen", "mouthClose"],
    "codes": "jo jawOpen, mc mouthClose", "count": 15, "rate": "30",
    "section": "words: *Bob*\nphones: 0-4 B | 5-9 AA1 | 10-14 B",
}  # fmt: skip
SCRIPT = (["Lips part.", "A smile."], "A stage.", "Calm.")


def test_every_prompt_file_is_in_the_index_with_its_hash():
    found = {
        path.relative_to(prompt_folder()).with_suffix("").as_posix()
        for path in prompt_folder().rglob("*.jinja")
    }
    assert found == set(prompts.prompts())


def test_a_changed_prompt_is_refused_until_its_version_is_raised(tmp_path, monkeypatch):
    folder = tmp_path / "prompts"
    shutil.copytree(prompt_folder(), folder)
    path = folder / "image" / "semanticface.jinja"
    path.write_text(path.read_text() + "\n")
    monkeypatch.setattr(prompts, "prompt_folder", lambda: folder)
    prompts.prompts.cache_clear()
    with pytest.raises(BadInput, match="needs a new version"):
        prompts.prompts()
    prompts.prompts.cache_clear()


def test_a_prompt_for_another_rig_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "prompts"
    shutil.copytree(prompt_folder(), folder)
    index = folder / "index.yaml"
    entries = yaml.safe_load(index.read_text())
    entries[0]["rig"] = "arkit61/0"
    index.write_text(yaml.safe_dump(entries))
    monkeypatch.setattr(prompts, "prompt_folder", lambda: folder)
    prompts.prompts.cache_clear()
    with pytest.raises(BadInput, match="arkit61/0"):
        prompts.prompts()
    prompts.prompts.cache_clear()


def test_nothing_may_be_undefined():
    with pytest.raises(BadInput, match="prompt variable missing"):
        load_prompt("image/semanticface").messages(format=answer_format())
    with pytest.raises(BadInput, match="Did you mean 'image/semanticface'"):
        load_prompt("image/semanticfaces")


@pytest.mark.parametrize("key", list(FORMATS))
def test_every_format_has_a_request_that_shows_its_form(key):
    form = answer_format(key)
    system, user = image_messages(form)
    assert (system["role"], user["role"]) == ("system", "user")
    assert user["content"].endswith("<image>")
    assert skeleton(form) in user["content"]
    assert form.legend() in user["content"]
    assert ("expression_category" in user["content"]) == form.described


def test_a_skeleton_that_is_not_cut_is_a_legal_answer():
    for key in ("sparse", "regions", "codes", "tokens"):
        form = answer_format(key)
        assert re.fullmatch(form.regex(), skeleton(form))


def test_the_golden_requests_have_not_moved(golden):
    for key, prompt in prompts.prompts().items():
        task, _, name = key.partition("/")
        if task == "rewrite":
            messages = rewrite_messages(Description("a smile", "Mouth: a smile.", "joy", "even"))
        elif task == "script":
            messages = keyframe_messages(*SCRIPT, 2)
        elif task == "speech":
            messages = load_prompt(key).messages(**SPEECH)
        else:
            messages = image_messages(answer_format(*prompt.formats[:1]), key)
        golden(f"prompts/{task}_{name}.json", json.dumps(messages, indent=1) + "\n")


def test_semanticfaces_request_has_the_released_shape(shared):
    text = (shared / "released_answers/semanticface_example_result.jsonl").read_text()
    released = json.loads(text.partition("\n")[0])["messages"]
    mine = image_messages(answer_format("two-key", 3), "image/semanticface_released")
    assert [m["role"] for m in mine] == [m["role"] for m in released[:2]]
    theirs, ours = released[1]["content"], mine[1]["content"]
    assert theirs.startswith("<image>")
    assert ours.startswith("<image>")
    names = re.search(r"\[\"EyeBlinkLeft\".*?\]", theirs)[0]
    assert names in ours
    assert json.loads(names) == list(ORDERS["livelink-csv"].labels)
    form = theirs[theirs.index("Expected output format:") :]
    assert ours.endswith(form)
    listed = re.compile(r"^- (\w+): ", re.MULTILINE)
    assert listed.findall(ours) == listed.findall(theirs)[:4]


def test_keyframefaces_request_is_reproduced(shared):
    text = (shared / "released_answers/keyframeface_example.jsonl").read_text()
    for asked, line in enumerate(filter(None, map(str.strip, text.split("\n"))), 1):
        released = json.loads(line)["messages"]
        body = released[1]["content"]
        keyframes = re.findall(r"^- Keyframe \w+: (.*)$", body, re.MULTILINE)
        background = re.search(r"^Background: (.*)$", body, re.MULTILINE)[1]
        emotion = re.search(r"^Emotion: (.*)$", body, re.MULTILINE)[1]
        mine = keyframe_messages(keyframes, background, emotion, asked)
        assert [m["role"] for m in mine] == [m["role"] for m in released]
        assert mine[1]["content"] == body
        for part in ("61 ARKit", '{"Keyframe_x":{...}}', "[0,1]", "[-1,1]"):
            assert part in released[0]["content"]
            assert part in mine[0]["content"]


def test_keyframe_numbers_are_spelt():
    assert [ordinal(n) for n in (1, 12, 20, 42, 99, 100)] == [
        "One", "Twelve", "Twenty", "Forty-two", "Ninety-nine", "100",
    ]  # fmt: skip
    with pytest.raises(BadInput, match="from 1 to 2"):
        keyframe_messages(*SCRIPT, 3)


def test_the_label_list_is_the_whole_table():
    assert len(json.loads(answer_format("flat").legend())) == COUNT


def test_a_prompt_with_its_own_form_refuses_other_formats():
    with pytest.raises(BadInput, match="format 'codes' for the prompt"):
        image_messages(answer_format("codes"), "image/semanticface_released")


def test_a_request_for_the_mouth_alone_speaks_of_the_mouth_alone():
    mouth = tuple(region_indices("mouth", "jaw"))
    text = image_messages(answer_format("two-key", 2, mouth))[1]["content"]
    assert "(mouth, jaw)" in text
    assert "rotations" not in text
    assert "EyeBlink" not in text


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_skeleton_of_few_channels_is_a_legal_answer(count):
    form = answer_format("flat", 3, tuple(range(count)))
    assert re.fullmatch(form.regex(), skeleton(form))
