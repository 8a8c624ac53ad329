"""A film's mouths frame by frame with the phone that sounds: what to look at for closures.

    semanticface speak voice.wav --transcript said.txt -o a.mp4 --save-alignment a.TextGrid
    python scripts/speech_sheet.py a.mp4 a.TextGrid sheet.png --from 0 --to 1.6
    python scripts/speech_sheet.py a.mp4 a.TextGrid sheet.jpg --each-phone    # one frame a phone

Red are the frames in which the lips must meet, blue those in which the lip meets the teeth.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import av
from PIL import Image, ImageDraw

from semanticface.speech.alignments import WordsOnly, read_alignment
from semanticface.speech.phones import parts, phone
from semanticface.speech.timeline import Timeline

MOUTH = (0.30, 0.52, 0.70, 0.84)
"""Left, top, right and bottom of what is shown, as shares of the picture."""
COLOURS = {"lips": (200, 0, 0), "teeth": (0, 60, 200), "": (40, 40, 40)}
LABEL = 14


def labelled(frame: av.VideoFrame, timeline: Timeline, width: int) -> Image.Image:
    picture = frame.to_image()
    w, h = picture.size
    mouth = picture.crop(
        (int(MOUTH[0] * w), int(MOUTH[1] * h), int(MOUTH[2] * w), int(MOUTH[3] * h))
    )
    mouth = mouth.resize((width, round(width * mouth.height / mouth.width)))
    here = [s for s in timeline.sounds if s.start <= frame.time < s.end]
    symbol = here[0].symbol if here else "-"
    contact = phone(parts(symbol)[0].phone).contact if here and parts(symbol) else ""
    tile = Image.new("RGB", (width, mouth.height + LABEL), "white")
    tile.paste(mouth, (0, LABEL))
    ImageDraw.Draw(tile).text((3, 1), f"{frame.time:.2f} {symbol}", fill=COLOURS[contact])
    return tile


def in_the_middle(time: float, timeline: Timeline, step: float) -> bool:
    """Whether a frame is the nearest to the middle of a phone."""
    return any(abs(time - (each.start + each.end) / 2) <= step / 2 for each in timeline.sounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film", type=Path)
    parser.add_argument("alignment", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--from", dest="start", type=float, default=0.0)
    parser.add_argument("--to", dest="end", type=float, default=float("inf"))
    parser.add_argument("--each-phone", action="store_true", help="the middle of each phone alone")
    parser.add_argument("--columns", type=int, default=12)
    parser.add_argument("--width", type=int, default=128)
    told = parser.parse_args()
    timeline = read_alignment(told.alignment)
    if isinstance(timeline, WordsOnly):
        raise SystemExit("the alignment has no phones")
    with av.open(str(told.film)) as film:
        step = 1 / float(film.streams.video[0].average_rate)
        tiles = [
            labelled(frame, timeline, told.width)
            for frame in film.decode(video=0)
            if told.start <= frame.time < told.end
            and (not told.each_phone or in_the_middle(frame.time, timeline, step))
        ]
    if not tiles:
        raise SystemExit("no frame in that time")
    width, height = tiles[0].size
    rows = -(-len(tiles) // told.columns)
    sheet = Image.new("RGB", (width * min(told.columns, len(tiles)), rows * height), "white")
    for i, tile in enumerate(tiles):
        sheet.paste(tile, (i % told.columns * width, i // told.columns * height))
    sheet.save(told.output)
    print(f"{len(tiles)} frames -> {told.output}")


if __name__ == "__main__":
    main()
