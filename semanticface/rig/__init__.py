"""What the 61 numbers of a face are: channels, names, clips. Needs numpy only."""

from semanticface.rig.channels import (
    BLENDSHAPES,
    CHANNELS,
    COUNT,
    HALVES,
    INDEX,
    NAMES,
    REGIONS,
    RIG_VERSION,
    ROTATIONS,
    Channel,
    channel,
    region_indices,
)
from semanticface.rig.clip import ClipMeta, FaceClip, Gap, InRange, into_range, mirror
from semanticface.rig.join import concatenate
from semanticface.rig.orders import ORDERS, NameOrder, find, read_header, resolve
from semanticface.rig.store import load_npz, load_parquet, save_npz, save_parquet

__all__ = [
    "BLENDSHAPES",
    "CHANNELS",
    "COUNT",
    "HALVES",
    "INDEX",
    "NAMES",
    "ORDERS",
    "REGIONS",
    "RIG_VERSION",
    "ROTATIONS",
    "Channel",
    "ClipMeta",
    "FaceClip",
    "Gap",
    "InRange",
    "NameOrder",
    "channel",
    "concatenate",
    "find",
    "into_range",
    "load_npz",
    "load_parquet",
    "mirror",
    "read_header",
    "region_indices",
    "resolve",
    "save_npz",
    "save_parquet",
]
