"""Movies whose frames tell their number."""

from __future__ import annotations

from pathlib import Path

import numpy as np

FPS = 30


def film(path: Path, count: int = 20, fps: int = FPS, codec: str = "mjpeg") -> None:
    """A movie whose frame i is a grey of 8 i, with its left half white."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height = 32, 32
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for i in range(count):
            pixels = np.full((32, 32, 3), 8 * i, np.uint8)
            pixels[:, :12] = 255
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
