"""What pip installs holds everything the program reads at run time."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest
from conftest import REPOSITORY


@pytest.mark.slow
def test_the_wheel_works_on_its_own(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", tmp_path, REPOSITORY],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
        names = archive.namelist()
    prompts = {f"semanticface/_prompts/{p.relative_to(REPOSITORY / 'prompts').as_posix()}"
               for p in (REPOSITORY / "prompts").rglob("*.*")}  # fmt: skip
    assert prompts <= set(names)
    assert "semanticface/py.typed" in names
    assets = "semanticface/train/assets"
    assert {f"{assets}/nano/README.md", f"{assets}/nano/model/model.safetensors",
            f"{assets}/nano_speech/README.md",
            f"{assets}/blazeface/README.md", f"{assets}/blazeface/weights.npz",
            f"{assets}/blazeface/frame.json"} <= set(names)  # fmt: skip
    assert not [name for name in names if name.startswith(("tests/", "scripts/"))]
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
        "import semanticface.language.prompts as p\n"
        "assert p.prompt_folder().name == '_prompts', p.prompt_folder()\n"
        "assert p.prompts()\n"
        "sys.argv = ['semanticface', 'demo', '--out', 'demo']\n"
        "from semanticface.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "demo" / "index.html").is_file()
