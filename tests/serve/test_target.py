"""What is served, and with which words vLLM is started."""

from __future__ import annotations

import asyncio
import json
import shutil
import struct
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from semanticface.data.tasks import Task
from semanticface.errors import BadInput, SemanticFaceError
from semanticface.rig import RIG_VERSION
from semanticface.serve.adapter import read_adapter, weight_names
from semanticface.serve.arguments import Options, arguments, environment
from semanticface.serve.identity import (
    MARK,
    VARIABLE,
    Served,
    check,
    from_json,
    identity_of,
    mark_of,
)
from semanticface.serve.server import vllm_python
from semanticface.serve.target import target_of
from semanticface.train.manifest import base_digest, prompt_json, task_json
from semanticface.train.seal import seal

TASK = Task.of("tokens", "coefficients")
LANGUAGE = "base_model.model.model.language_model.layers.0.mlp.up_proj.lora_A.weight"
TOWER = "base_model.model.model.visual.blocks.0.attn.qkv.lora_A.weight"
JOINT = "base_model.model.model.visual.merger.linear_fc1.lora_A.weight"


def adapter(folder: Path, *names: str, **config: object) -> Path:
    """Files of an adapter with these tensors, one number each."""
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"r": 16} | config))
    header = {name: {"dtype": "F32", "shape": [1], "data_offsets": [4 * n, 4 * n + 4]}
              for n, name in enumerate(names)}  # fmt: skip
    told = json.dumps(header | {"__metadata__": {"format": "pt"}}).encode()
    blob = struct.pack("<Q", len(told)) + told + bytes(4 * len(names))
    (folder / "adapter_model.safetensors").write_bytes(blob)
    return folder


def base_at(folder: Path, contents: str = "{}") -> dict[str, str]:
    """A base model, as far as its hash goes, as a manifest tells of it."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(contents)
    return {"path": str(folder), "sha256": base_digest(str(folder), None)}


def run(folder: Path, task: Task = TASK, **changes: object) -> Path:
    """A finished run's folder, as far as a server reads it; its base lies beside it."""
    adapter(folder / "adapter", LANGUAGE)
    seal(folder / "adapter")
    held = {
        "semanticface": "run/1", "rig": RIG_VERSION, "task": task_json(task),
        "prompt": prompt_json(task), "base": base_at(folder.parent / "base"),
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(held | changes))
    return folder


def after(told: list[str], flag: str) -> str:
    return told[told.index(flag) + 1]


def test_a_run_is_served_with_another_answer_that_it_has_learnt(tmp_path):
    flat = Task.of("flat", "coefficients", prompt="image/names", decimals=2)
    folder = run(tmp_path / "run", also=[task_json(flat)], also_prompts=[prompt_json(flat)])
    told = target_of(str(folder), answer="flat").models["face"]
    usual = target_of(str(folder)).models["face"]
    assert told == identity_of(flat)._replace(weights=told.weights)
    assert usual == identity_of(TASK)._replace(weights=usual.weights)
    assert told.prompt == "image/names" and told.weights == usual.weights != ""
    with pytest.raises(BadInput, match="coefficients/tokens, coefficients/flat"):
        target_of(str(folder), answer="two-key")
    other = prompt_json(flat) | {"request_sha256": "0" * 64}
    with pytest.raises(BadInput, match="version 1 of the prompt 'image/names'"):
        target_of(str(run(tmp_path / "old", also=[task_json(flat)], also_prompts=[other])),
                  answer="flat")  # fmt: skip


def test_a_run_needs_no_other_word(tmp_path):
    target = target_of(str(run(tmp_path / "run")), name="smile")
    assert (target.model, target.main) == (str(tmp_path / "base"), "smile")
    told = arguments(target, Options(port=8123))
    assert after(told, "--lora-modules") == f"smile={tmp_path / 'run' / 'adapter'}"
    assert after(told, "--max-lora-rank") == "16"
    assert after(told, "--port") == "8123"
    assert json.loads(after(told, "--limit-mm-per-prompt")) == {"image": 1, "video": 0}
    assert json.loads(after(told, "--structured-outputs-config"))["disable_any_whitespace"] is True
    assert "--enable-prefix-caching" in told
    assert "--enable-tower-connector-lora" not in told
    held = from_json(json.loads(environment(target, Options(), None)[VARIABLE]), "here")
    assert held.models["smile"].task() == TASK


@pytest.mark.parametrize("name", [TOWER, JOINT])
def test_an_adapter_that_changes_the_eye_is_served_whole(tmp_path, name):
    adapter(tmp_path / "eyes", LANGUAGE, name, r=12)
    target = target_of("org/model", adapters=[f"eyes={tmp_path / 'eyes'}"])
    told = arguments(target, Options())
    assert "--enable-tower-connector-lora" in told
    assert after(told, "--max-lora-rank") == "16"


@pytest.mark.parametrize("config", [{"use_dora": True}, {"modules_to_save": ["lm_head"]}, {"r": 0},
                                    {"r": None}, {"r": 1000}])  # fmt: skip
def test_what_vllm_cannot_carry_is_refused(tmp_path, config):
    with pytest.raises(BadInput, match=r"plain LoRA|rank"):
        read_adapter("x", adapter(tmp_path / "x", LANGUAGE, **config))


@pytest.mark.parametrize("blob", [b"", b"\xff" * 8, struct.pack("<Q", 4) + b"{,,}"])
def test_a_broken_weights_file_is_named(tmp_path, blob):
    (tmp_path / "w.safetensors").write_bytes(blob)
    with pytest.raises(BadInput, match=r"w\.safetensors"):
        weight_names(tmp_path / "w.safetensors")


def test_a_run_of_another_rig_or_prompt_is_refused(tmp_path):
    with pytest.raises(BadInput, match="arkit99"):
        target_of(str(run(tmp_path / "rig", rig="arkit99/1")))
    other = prompt_json(TASK) | {"request_sha256": "0" * 64}
    with pytest.raises(BadInput, match="version 1 of the prompt"):
        target_of(str(run(tmp_path / "prompt", prompt=other)))


def test_an_unfinished_run_is_refused(tmp_path):
    folder = run(tmp_path / "run")
    (folder / "adapter" / "hashes.json").unlink()
    with pytest.raises(BadInput, match="came to its end"):
        target_of(str(folder))


def test_names_and_folders_are_checked(tmp_path):
    run(tmp_path / "run")
    for told, found in (("x", "NAME=FOLDER"), ("a b=c", "NAME=FOLDER"), ("face=x", "two models")):
        with pytest.raises(BadInput, match=found):
            target_of("org/model", adapters=[told])
    with pytest.raises(BadInput, match="base model"):
        target_of(str(tmp_path / "run" / "adapter"))
    with pytest.raises(BadInput, match="no such folder"):
        target_of("./nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"config\.json"):
        target_of(str(tmp_path / "empty"))


def test_a_key_is_never_on_the_command_line():
    target = target_of("org/model")
    assert environment(target, Options(), "secret")["VLLM_API_KEY"] == "secret"
    assert "secret" not in " ".join(arguments(target, Options()))


def test_every_question_wants_the_key_also_where_vllm_asks_for_none(monkeypatch):
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from semanticface.serve.vllm_plugin import IdentityRoute

    def nothing():
        return {}

    def answers(paths=("/pooling", "/invocations")):
        app = FastAPI()
        IdentityRoute().attach_router(app)
        for path in paths:
            app.post(path)(nothing)
        app.get("/health")(nothing)
        with TestClient(app) as http:
            assert http.get("/health").status_code == 200
            told = [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic secret"},
                    {"Authorization": "bearer secret"}]  # fmt: skip
            return {http.post(path, headers=each).status_code for path in paths for each in told}, {
                http.post(path, headers=told[-1]).status_code for path in paths}  # fmt: skip

    monkeypatch.delenv("VLLM_API_KEY", raising=False)
    assert answers() == ({200}, {200})
    for name, value in environment(target_of("org/model"), Options(), "secret").items():
        monkeypatch.setenv(name, value)
    assert answers() == ({401, 200}, {200})


def test_adapters_of_another_base_are_refused_and_weights_are_told(tmp_path):
    one = run(tmp_path / "one", base=base_at(tmp_path / "a", "{}"))
    two = run(tmp_path / "two", base=base_at(tmp_path / "b", "[]"))
    with pytest.raises(BadInput, match="another base model"):
        target_of(str(one), adapters=[f"two={two}"])
    told = [target_of(str(each)).models["face"].weights for each in (one, two)]
    assert len(set(told)) == 2 and all(len(each) == 64 for each in told)


def test_sizes_and_guesses_are_passed_on():
    told = arguments(target_of("org/model"), Options(tensor_parallel=4, data_parallel=2, ngram=5,
                                                     gpu_memory=0.8, max_num_seqs=64))  # fmt: skip
    assert after(told, "--tensor-parallel-size") == "4"
    assert after(told, "--data-parallel-size") == "2"
    assert after(told, "--max-num-seqs") == "64"
    assert json.loads(after(told, "--speculative-config"))["num_speculative_tokens"] == 5
    assert "--enforce-eager" not in told
    with pytest.raises(BadInput, match="one of the two"):
        arguments(target_of("org/model"), Options(one_pass=True, ngram=5))
    with pytest.raises(BadInput, match="tensor_parallel 0"):
        arguments(target_of("org/model"), Options(tensor_parallel=0))


def test_one_pass_is_for_runs_that_learnt_it(tmp_path):
    with pytest.raises(BadInput, match="coefficients/slots"):
        arguments(target_of(str(run(tmp_path / "a"))), Options(one_pass=True))
    also = [task_json(TASK) | {"answer": "slots"}]
    told = arguments(target_of(str(run(tmp_path / "b", also=also))), Options(one_pass=True))
    assert after(told, "--runner") == "pooling"


def test_another_rig_or_question_is_refused():
    told = identity_of(TASK)
    held = Served({"face": told})
    assert check(held, "face", TASK, "here") == told
    with pytest.raises(BadInput, match="Did you mean 'face'"):
        check(held, "fase", TASK, "here")
    with pytest.raises(BadInput, match="another request"):
        check(held, "face", Task.of("codes", "coefficients"), "here")
    with pytest.raises(BadInput, match="arkit99"):
        check(Served({"face": told._replace(rig="arkit99/1")}), "face", TASK, "here")


@pytest.mark.parametrize(
    "held",
    [
        [],
        {},
        {"semanticface": "served/1"},
        {"semanticface": "served/1", "models": {"x": {"rig": 1}}},
    ],
)
def test_what_is_no_identity_is_refused(held):
    with pytest.raises(BadInput):
        from_json(held, "here")


def test_without_vllm_the_way_to_it_is_told():
    with pytest.raises(SemanticFaceError, match=r"pip install vllm"):
        vllm_python(Path(sys.executable))


def test_the_command_says_what_it_would_start(tmp_path):
    run(tmp_path / "run")
    command = [
        sys.executable,
        "-m",
        "semanticface.cli.main",
        "serve",
        str(tmp_path / "run"),
        "--dry-run",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        f"vllm serve --model {tmp_path / 'base'} --served-model-name base "
    )


def test_the_packaged_model_is_served_by_its_name():
    from semanticface.train.places import small_run

    command = [sys.executable, "-m", "semanticface.cli.main", "serve", "small", "--one-pass",
               "--dry-run"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"vllm serve --model {small_run() / 'model'} ")


# -- what is served is what was trained --------------------------------------------------


def whole_run(folder: Path) -> Path:
    """A finished run that trained a whole model."""
    run(folder)
    shutil.rmtree(folder / "adapter")
    (folder / "model").mkdir()
    (folder / "model" / "config.json").write_text("{}")
    (folder / "model" / "model.safetensors").write_bytes(b"as trained")
    seal(folder / "model")
    return folder


def test_weights_that_were_overwritten_are_not_served(tmp_path):
    folder = whole_run(tmp_path / "run")
    assert target_of(str(folder)).model == str(folder / "model")
    (folder / "model" / "model.safetensors").write_bytes(b"of another")
    with pytest.raises(BadInput, match=r"model\.safetensors with other contents than were saved"):
        target_of(str(folder))


def test_an_adapter_is_served_on_the_base_it_was_trained_on(tmp_path):
    folder, other = run(tmp_path / "run"), tmp_path / "moved"
    (tmp_path / "base").rename(other)
    with pytest.raises(BadInput, match="--base FOLDER"):
        target_of(str(folder))
    assert target_of(str(folder), base=str(other)).model == str(other)
    (other / "config.json").write_text("[]")
    with pytest.raises(BadInput, match="another base model at"):
        target_of(str(folder), base=str(other))
    with pytest.raises(BadInput, match="another base model at"):  # also as an adapter on a model
        target_of(str(other), adapters=[f"smile={folder}"])


def test_base_is_said_of_a_run_with_an_adapter_alone(tmp_path):
    for place in ("org/model", str(whole_run(tmp_path / "run"))):
        with pytest.raises(BadInput, match="--base x"):
            target_of(place, base="x")


def test_a_base_on_the_hub_is_served_at_the_commit_it_was_trained_on(tmp_path):
    base = {"path": "org/model", "sha256": f"commit {'a' * 40}"}
    told = arguments(target_of(str(run(tmp_path / "run", base=base))), Options())
    assert after(told, "--model") == "org/model" and after(told, "--revision") == "a" * 40
    assert "--revision" not in arguments(target_of(str(run(tmp_path / "here"))), Options())


def test_pictures_are_scaled_as_in_training(tmp_path):
    small = run(tmp_path / "small", config={"min_pixels": None, "max_pixels": 262144})
    told = arguments(target_of(str(small)), Options())
    assert json.loads(after(told, "--mm-processor-kwargs")) == {"max_pixels": 262144}
    free = run(tmp_path / "free", config={"min_pixels": None, "max_pixels": None})
    assert "--mm-processor-kwargs" not in arguments(target_of(str(free)), Options())
    with pytest.raises(BadInput, match=r"max_pixels as the base model.*max_pixels 262144"):
        target_of(str(small), adapters=[f"free={free}"])
    on_model = target_of(str(tmp_path / "base"), adapters=[f"small={small}"])
    assert on_model.areas.most == 262144


# -- adapters without a run, and adapters that come later ------------------------------


def test_an_adapter_is_known_by_the_run_it_lies_in(tmp_path):
    main, other = run(tmp_path / "main"), run(tmp_path / "other", Task.of("flat", "coefficients"))
    for place in (other, other / "adapter"):
        target = target_of(str(main), adapters=[f"flat={place}"])
        assert target.adapters[1].path == other / "adapter"
        assert target.models["flat"].answer == "flat" and target.models["face"].answer == "tokens"


def test_of_an_adapter_without_a_run_nothing_is_made_up(tmp_path):
    bare = adapter(tmp_path / "bare", LANGUAGE)
    target = target_of(str(run(tmp_path / "run")), adapters=[f"bare={bare}"])
    held = from_json(json.loads(environment(target, Options(), None)[VARIABLE]), "here")
    with pytest.raises(BadInput, match=r"nobody knows.*manifest\.json beside it"):
        check(held, "bare", TASK, "here")
    assert check(held, "face", TASK, "here")
    told = target_of("org/model", task=TASK, adapters=[f"bare={bare}"]).models  # by --answer
    assert told["bare"].task() == TASK and told["bare"].weights != told["face"].weights


def test_a_model_of_which_nothing_was_told_is_refused_with_the_way_out():
    target = target_of("org/model")
    held = from_json(json.loads(environment(target, Options(), None)[VARIABLE]), "here")
    with pytest.raises(BadInput, match=r"--answer.*check=False"):
        check(held, "face", TASK, "here")


@pytest.fixture
def served(monkeypatch):
    """The route of a server whose adapters are a dict, as vLLM keeps them."""
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from semanticface.serve.vllm_plugin import IdentityRoute

    @contextmanager
    def of(target, options):
        monkeypatch.setenv(VARIABLE, environment(target, options, None)[VARIABLE])
        web, route = FastAPI(), IdentityRoute()
        route.attach_router(web)
        held = {each.name: SimpleNamespace(lora_path=str(each.path)) for each in target.adapters}
        web.state.openai_serving_models = SimpleNamespace(lora_requests=held)
        asyncio.run(route.init_state(None, web.state, None))
        with TestClient(web) as http:

            def told():
                return from_json(http.get("/semanticface").json(), "here")

            told.http = http
            yield held, told

    return of


def test_adapters_that_come_and_go_are_told(tmp_path, served):
    base = base_at(tmp_path / "base")
    main = target_of(str(run(tmp_path / "main")))
    flat = run(tmp_path / "flat", Task.of("flat", "coefficients"))
    with served(main, Options(hot=True)) as (held, told):
        assert told() == Served(main.models, base=base["sha256"])
        first = marked(told)
        held["late"] = SimpleNamespace(lora_path=str(flat / "adapter"))
        assert told().models["late"].answer == "flat" and set(told().models) == {"face", "late"}
        again = run(tmp_path / "again")
        held["late"] = SimpleNamespace(lora_path=str(again / "adapter"))  # in the other's place
        assert told().models["late"].answer == "tokens"
        assert first != marked(told) == marked(told)
        held["face"] = SimpleNamespace(lora_path=str(flat / "adapter"))  # in that of the first
        assert told().models["face"].answer == "flat"
        del held["late"], held["face"]
        assert told().models == {}
        assert marked(told) != first


def marked(told):
    """The mark that every reply bears: of what the server says of itself just then."""
    for path in ("/semanticface", "/nowhere"):
        reply = told.http.get(path)
        assert reply.headers[MARK] == mark_of(told.http.get("/semanticface").json())
    return reply.headers[MARK]


@pytest.mark.parametrize(("changes", "why"), [
    ({"base": {"path": "/models/other", "sha256": "b"}}, "another base model"),
    ({"config": {"max_pixels": 1024}}, "max_pixels 1024.*as the base model"),
    ("changed", "with other contents than were saved"),
    ({"rig": "arkit99/1"}, "arkit99"),
    ({"prompt": prompt_json(TASK) | {"request_sha256": "0" * 64}}, "version 1 of the prompt"),
    ({}, "one-pass"),
    (None, r"manifest\.json beside it"),
])  # fmt: skip
def test_an_adapter_that_does_not_fit_is_told_as_unknown(tmp_path, served, changes, why):
    also = [task_json(TASK) | {"answer": "slots"}]
    main = target_of(str(run(tmp_path / "main", also=also)))
    late = tmp_path / "late"
    if changes is None:
        place = adapter(late, LANGUAGE)
    elif changes == "changed":
        place = run(late) / "adapter"
        adapter(tmp_path / "x", LANGUAGE, r=8)
        (tmp_path / "x" / "adapter_config.json").rename(place / "adapter_config.json")
    else:
        place = run(late, **changes) / "adapter"
    with served(main, Options(hot=True, one_pass=True)) as (held, told):
        held["late"] = SimpleNamespace(lora_path=str(place))
        assert "late" not in told().models and told().models["face"].one_pass
        assert str(tmp_path) not in str(told())  # anybody may ask
        with pytest.raises(BadInput, match=why):
            check(told(), "late", TASK, "here")
