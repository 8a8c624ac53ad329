"""Files and wires that other tools speak."""

from semanticface.formats.catalogue import CATALOGUE, FORMATS, Format, read, recognise, write

__all__ = ["CATALOGUE", "FORMATS", "Format", "read", "recognise", "write"]
