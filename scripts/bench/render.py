"""Speed of the renderer, in one table, beside other rasterisers where they are installed.

    python scripts/bench/render.py [--frames 400] [--long 100000] [--cpu]

One process, 256 x 256, the shipped head, another expression and head turn in each
frame: posing, normals, furrows, z-buffer and shading are all inside. The figures asked
for are those of one process with a thread a core; one thread alone and the peers follow.
Peers draw the same posed triangles into the same size with one colour a vertex:
OpenCV's `triangleRasterize`, moderngl and pyrender (both need a GL; on a machine
without one they are reported as absent). Peers are asked for less: their posing and
normals are taken from ours, and they shade less.

The best and the median of several rounds are shown: other processes can only slow a
round down. On a machine with other work `--cpu` counts processor time (of all
threads) instead of time on the wall. `--long` draws that many frames and watches
the process's memory.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np
from rich.console import Console
from rich.table import Table

from semanticface.render.head import pose
from semanticface.render.picture import Renderer
from semanticface.render.threads import cores, render_all
from semanticface.rig import COUNT, INDEX

SIZE = 256
CLOCK = [time.perf_counter]
ROUND = 10
FIRST = (
    "import time; t = time.perf_counter()\n"
    "from semanticface.render.picture import render_frame\n"
    "import numpy as np\n"
    "render_frame(np.zeros(61, np.float32), size=256)\n"
    "print(time.perf_counter() - t)"
)


class Row(NamedTuple):
    """One line of the table; `asked` 0 where nothing is asked."""

    what: str
    best: float
    median: float
    unit: str
    asked: str
    good: bool | None


def expressions(count: int) -> np.ndarray:
    """[count, 61] random faces with some head turn."""
    rng = np.random.default_rng(1)
    values = np.zeros((count, COUNT), np.float32)
    values[:, :52] = rng.uniform(0, 1, (count, 52)) ** 4
    values[:, INDEX["headYaw"]] = rng.uniform(-0.4, 0.4, count)
    values[:, INDEX["headPitch"]] = rng.uniform(-0.2, 0.2, count)
    return values


def rates(
    draw: Callable[[Any], object], inputs: list[Any], rounds: int, size: int = ROUND
) -> tuple[float, float]:
    """Draws a second: of the best round of `size` draws and of the median one."""
    draw(inputs[0])
    times = []
    for k in range(rounds):
        part = [inputs[(k * size + i) % len(inputs)] for i in range(size)]
        begun = CLOCK[0]()
        for each in part:
            draw(each)
        times.append((CLOCK[0]() - begun) / size)
    return 1 / min(times), 1 / float(np.median(times))


def ours(values: list[np.ndarray], rounds: int) -> list[Row]:
    """Our own renderer, with and without antialiasing, in each look."""
    rows = []
    for antialias in (False, True):
        for look in ("realistic", "clay", "toon"):
            renderer = Renderer(size=SIZE, look=look, antialias=antialias)
            best, median = rates(renderer.render, values, rounds)
            name = f"semanticface, {look}, {'2x2' if antialias else '1'} samples"
            rows.append(Row(name, best, median, "frames/s", "", None))
    return rows


def threaded(values: list[np.ndarray], rounds: int) -> list[Row]:
    """All cores of this process: what a film or a set of training pictures is drawn with."""
    rows = []
    for antialias, asked in ((False, 400), (True, 80)):
        renderer = Renderer(size=SIZE, antialias=antialias)

        def draw(part: list[np.ndarray], renderer: Renderer = renderer) -> object:
            return sum(1 for _ in render_all(renderer, part))

        best, median = rates(draw, [values], max(3, rounds // 20), 1)
        name = f"semanticface, realistic, {'2x2' if antialias else '1'} samples, {cores()} threads"
        rows.append(Row(name, best * len(values), median * len(values), "frames/s", f"{asked}",
                        best * len(values) >= asked))  # fmt: skip
    return rows


def peers(values: list[np.ndarray], rounds: int) -> list[Row]:
    """What else is installed."""
    renderer = Renderer(size=SIZE, antialias=False)
    posed = [pose(renderer.head, each) for each in values[:40]]
    rows = []
    for name, make in (("OpenCV triangleRasterize", opencv), ("moderngl", moderngl),
                       ("pyrender", pyrender)):  # fmt: skip
        try:
            draw = make(renderer)
            best, median = rates(draw, posed, rounds)
        except Exception as error:
            reason = str(error).split("\n")[0][:50]
            rows.append(
                Row(f"{name}: absent ({reason or type(error).__name__})", 0, 0, "", "", None)
            )
        else:
            rows.append(
                Row(f"{name}, no posing, vertex colours", best, median, "frames/s", "", None)
            )
    return rows


def _colours(renderer: Renderer) -> np.ndarray:
    return np.ascontiguousarray(renderer._scene.table[:, :3])


def _clip_matrix(renderer: Renderer) -> np.ndarray:
    """[4, 4] from metres to OpenGL's clip space, for the same camera."""
    camera = renderer.camera
    view = np.eye(4)
    view[:3, :3] = camera.axes
    view[:3, 3] = -camera.axes @ np.array(camera.target) - (0, 0, camera.distance)
    scale, near, far = 2 * camera.focal(SIZE, SIZE) / SIZE, 0.05, 5.0
    lens = np.array([[scale, 0, 0, 0], [0, scale, 0, 0],
                     [0, 0, (far + near) / (near - far), 2 * far * near / (near - far)],
                     [0, 0, -1, 0]])  # fmt: skip
    return np.asarray(lens @ view, np.float32)


def opencv(renderer: Renderer) -> Callable[[np.ndarray], object]:
    """OpenCV 5's software rasteriser with vertex colours."""
    import cv2

    if not hasattr(cv2, "triangleRasterize"):
        raise RuntimeError(f"OpenCV {cv2.__version__} has none")
    colours, triangles = _colours(renderer), renderer.head.triangles.astype(np.int32)
    camera, view = renderer.camera, np.eye(4)
    view[:3, :3] = camera.axes
    view[:3, 3] = -camera.axes @ np.array(camera.target) - (0, 0, camera.distance)
    settings = cv2.TriangleRasterizeSettings()

    def draw(vertices: np.ndarray) -> object:
        colour = np.zeros((SIZE, SIZE, 3), np.float32)
        depth = np.full((SIZE, SIZE), 1.0, np.float32)
        return cv2.triangleRasterize(
            vertices, triangles, colours, colour, depth, view, camera.lens, 0.05, 5.0, settings
        )

    return draw


def moderngl(renderer: Renderer) -> Callable[[np.ndarray], object]:
    """OpenGL through EGL, pixels read back."""
    import moderngl as gl

    context = gl.create_standalone_context(backend="egl")
    context.enable(gl.DEPTH_TEST)
    program = context.program(
        vertex_shader="#version 330\nuniform mat4 m; in vec3 p; in vec3 c; out vec3 k;"
        "void main() { gl_Position = m * vec4(p, 1); k = c; }",
        fragment_shader="#version 330\nin vec3 k; out vec4 o; void main() { o = vec4(k, 1); }",
    )
    program["m"].write(np.ascontiguousarray(_clip_matrix(renderer).T).tobytes())
    points = context.buffer(reserve=renderer.head.neutral.astype(np.float32).nbytes)
    array = context.vertex_array(
        program,
        [(points, "3f", "p"), (context.buffer(_colours(renderer).tobytes()), "3f", "c")],
        context.buffer(renderer.head.triangles.astype(np.int32).tobytes()),
    )
    target = context.simple_framebuffer((SIZE, SIZE))
    target.use()

    def draw(vertices: np.ndarray) -> object:
        points.write(vertices.tobytes())
        target.clear()
        array.render()
        return target.read(components=3)

    return draw


def pyrender(renderer: Renderer) -> Callable[[np.ndarray], object]:
    """pyrender off screen; the mesh is made anew for each frame, as its users do."""
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    import pyrender as pr
    import trimesh

    camera = renderer.camera
    place = np.eye(4)
    place[:3, :3] = camera.axes.T
    place[:3, 3] = np.array(camera.target) + camera.distance * camera.axes[2]
    screen = pr.OffscreenRenderer(SIZE, SIZE)
    colours = _colours(renderer)

    def draw(vertices: np.ndarray) -> object:
        scene = pr.Scene()
        body = trimesh.Trimesh(vertices, renderer.head.triangles, vertex_colors=colours,
                               process=False)  # fmt: skip
        scene.add(pr.Mesh.from_trimesh(body, smooth=True))
        scene.add(pr.PerspectiveCamera(yfov=camera.lens), pose=place)
        scene.add(pr.DirectionalLight(intensity=3.0), pose=place)
        return screen.render(scene)

    return draw


def first_frames() -> list[Row]:
    """Seconds to the first picture of a fresh process: cold cache, then warm."""
    rows = []
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        for name, asked in (("first frame, nothing compiled yet", ""), ("first frame, warm", "3")):
            told = subprocess.run([sys.executable, "-c", FIRST], env=environment, check=True,
                                  capture_output=True, text=True)  # fmt: skip
            seconds = float(told.stdout)
            rows.append(Row(name, seconds, seconds, "s", asked, seconds < 3 if asked else None))
    return rows


def memory() -> float:
    """Megabytes this process holds in memory now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return float("nan")


def long_run(values: list[np.ndarray], frames: int) -> Row:
    """Memory before and after many frames, the first thousand left to settle."""
    renderer = Renderer(size=SIZE, antialias=False)
    _draw(renderer, values, min(1000, frames))
    begun = memory()
    _draw(renderer, values, frames)
    grown = memory() - begun
    return Row(f"memory after {frames:,} frames (started at {begun:.0f} MB)", begun + grown,
               grown, "MB, grown", "< 5", grown < 5)  # fmt: skip


def _draw(renderer: Renderer, values: list[np.ndarray], count: int) -> None:
    for _ in render_all(renderer, islice(cycle(values), count)):
        pass


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--frames", type=int, default=400, help="frames for each figure")
    parser.add_argument("--long", type=int, default=0, help="frames of the memory run, 100000")
    parser.add_argument("--cpu", action="store_true", help="count processor time")
    options = parser.parse_args()
    if options.cpu:
        CLOCK[0] = time.process_time
    rounds = max(1, options.frames // ROUND)
    values = list(expressions(200))
    rows = [
        *threaded(values, rounds),
        *ours(values, rounds),
        *peers(values, rounds),
        *first_frames(),
    ]
    if options.long:
        rows.append(long_run(values, options.long))
    table = Table(
        "what", "best", "median", "unit", "asked", title=f"{SIZE} x {SIZE}, {CLOCK[0].__name__}"
    )
    for row in rows:
        table.add_row(row.what, *(f"{x:,.1f}" if x else "-" for x in (row.best, row.median)),
                      row.unit, row.asked)  # fmt: skip
    load = os.getloadavg()[0]
    Console(width=110).print(table, f"load of the machine meanwhile: {load:.1f}")
    if any(row.good is False for row in rows):
        raise SystemExit("slower than asked")


if __name__ == "__main__":
    main()
