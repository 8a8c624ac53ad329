"""Action units of the Facial Action Coding System, heard in any language."""

from __future__ import annotations

from semanticface.language.words import Heard

_UNITS = {
    1: "browInnerUp", 2: "browOuterUp", 4: "browDown", 5: "eyeWide", 6: "cheekSquint",
    7: "eyeSquint", 8: "mouthClose", 9: "noseSneer", 10: "mouthUpperUp", 12: "mouthSmile",
    14: "mouthDimple", 15: "mouthFrown", 16: "mouthLowerDown",
    17: "mouthShrugLower mouthShrugUpper", 18: "mouthPucker", 19: "tongueOut", 20: "mouthStretch",
    22: "mouthFunnel", 23: "mouthPress", 24: "mouthPress",
    25: "jawOpen mouthLowerDown mouthUpperUp mouthFunnel", 26: "jawOpen", 27: "jawOpen",
    28: "mouthRollLower mouthRollUpper", 29: "jawForward", 30: "jawLeft jawRight",
    33: "cheekPuff", 34: "cheekPuff", 43: "eyeBlink", 45: "eyeBlink", 46: "eyeBlink",
    51: "headLeft", 52: "headRight", 53: "headUp", 54: "headDown", 55: "headLeanLeft",
    56: "headLeanRight", 61: "gazeLeft gazeOut gazeIn", 62: "gazeRight gazeIn gazeOut",
    63: "gazeUp", 64: "gazeDown", 65: "gazeOut", 66: "gazeIn",
}  # fmt: skip
ACTION_UNITS = tuple(
    Heard(tuple(names.split()), rf"\bAU ?0?{unit}(?!\d)|(?<=\+){unit}(?!\d)", alternatives=True)
    for unit, names in _UNITS.items()
)
"""`AU12`, and each of `AU6+12`."""
