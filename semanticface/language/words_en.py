"""English: how movements are said and heard."""

# ruff: noqa: E501

from __future__ import annotations

from semanticface.language.description import MOSTLY_SYMMETRIC, NOT_OBSERVABLE
from semanticface.language.units import ACTION_UNITS
from semanticface.language.words import Forms, Heard, Hearing, Lexicon, Saying

_ADVERBS = {
    "slight": ("slightly", "mildly", "faintly", "a little"),
    "moderate": ("moderately", "noticeably"),
    "strong": ("strongly", "markedly", "considerably"),
    "extreme": ("extremely", "maximally", "very strongly"),
}
_ADJECTIVES = {
    "slight": ("slight", "mild", "faint"),
    "moderate": ("moderate", "noticeable"),
    "strong": ("strong", "marked", "considerable"),
    "extreme": ("extreme", "maximal", "very strong"),
}
_NOUNS = {
    "brow": ("both brows", "the left brow", "the right brow"),
    "brows_of": ("the brows", "the left brow", "the right brow"),
    "outer": ("both outer brows", "the left outer brow", "the right outer brow"),
    "outer_end": (
        "the outer ends of both brows", "the outer end of the left brow",
        "the outer end of the right brow",
    ),
    "eye": ("both eyes", "the left eye", "the right eye"),
    "lids": ("the lids of both eyes", "the lids of the left eye", "the lids of the right eye"),
    "upper_lid": ("both upper lids", "the left upper lid", "the right upper lid"),
    "lower_lid": ("both lower lids", "the left lower lid", "the right lower lid"),
    "in_eye": ("in both eyes", "in the left eye", "in the right eye"),
    "gaze": ("the gaze", "the gaze of the left eye", "the gaze of the right eye"),
    "nose": ("the nose", "the left side of the nose", "the right side of the nose"),
    "cheek": ("both cheeks", "the left cheek", "the right cheek"),
    "corner": ("both mouth corners", "the left mouth corner", "the right mouth corner"),
    "corners_of": (
        "both corners of the mouth", "the left corner of the mouth",
        "the right corner of the mouth",
    ),
    "lips": ("the lips", "the left side of the lips", "the right side of the lips"),
    "upper": ("the upper lip", "the left side of the upper lip", "the right side of the upper lip"),
    "lower": ("the lower lip", "the left side of the lower lip", "the right side of the lower lip"),
    "on": ("on both sides", "on the left side", "on the right side"),
}  # fmt: skip

_PHRASES = {
    "browsUp": (
        "the inner and outer brows [be ]{adv} raised",
        "[there is ]{adj} raising of the inner and outer brows",
        "both brows [be ]lifted {adv} from the inner to the outer end",
    ),
    "browInnerUp": (
        "the inner brows [be ]{adv} raised",
        "the inner ends of both brows [be ]lifted {adv}",
        "[there is ]{adj} raising of the inner brows",
        "the inner corners of the brows [be ]drawn up {adv}",
    ),
    "browOuterUp": (
        "{outer} [be ]{adv} raised",
        "{outer_end} [be ]lifted {adv}",
        "[there is ]{adj} raising of {outer}",
    ),
    "browDown": (
        "{brow} [be ]{adv} lowered",
        "{brow} [be ]drawn down {adv}",
        "[there is ]{adj} lowering of {brow}",
        "{brow} [be ]{adv} furrowed",
    ),
    "eyeBlink": ("[there is ]{adj} lid closure {in_eye}", "[there is ]{adj} closing of {lids}"),
    "eyeWide": (
        "{eye} [be ]{adv} widened",
        "{upper_lid} [be ]raised {adv}",
        "[there is ]{adj} widening of {eye}",
    ),
    "eyeSquint": (
        "{eye} [be ]{adv} squinted",
        "[there is ]{a_adj} squint {in_eye}",
        "[there is ]{adj} tightening of {lids}",
        "{lower_lid} [be ]tensed {adv}",
    ),
    "gazeDown": (
        "{gaze} [be ]directed {adv} down",
        "{gaze} [be ]{adv} lowered",
        "{eye} [be ]turned {adv} downward",
    ),
    "gazeUp": (
        "{gaze} [be ]directed {adv} up",
        "{gaze} [be ]{adv} raised",
        "{eye} [be ]turned {adv} upward",
    ),
    "gazeLeft": (
        "{gaze} [be ]directed {adv} to the subject's left",
        "{gaze} [be ]{adv} averted to the subject's left",
        "{eye} [be ]turned {adv} to the subject's left",
    ),
    "gazeRight": (
        "{gaze} [be ]directed {adv} to the subject's right",
        "{gaze} [be ]{adv} averted to the subject's right",
        "{eye} [be ]turned {adv} to the subject's right",
    ),
    "gazeIn": (
        "{eye} [be ]turned {adv} inward",
        "{eye} [be ]directed {adv} towards the nose",
        "[there is ]{adj} inward turning of {eye}",
    ),
    "gazeOut": (
        "{eye} [be ]turned {adv} outward",
        "{eye} [be ]directed {adv} towards the temples",
        "[there is ]{adj} outward turning of {eye}",
    ),
    "eyeRollLeft": ("[there is ]{adj} torsion of {eye} to the subject's left",),
    "eyeRollRight": ("[there is ]{adj} torsion of {eye} to the subject's right",),
    "noseSneer": (
        "{nose} [be ]{adv} wrinkled",
        "[there is ]{adj} nose wrinkling {on}",
        "[there is ]{adj} sneering {on}",
    ),
    "cheekSquint": (
        "{cheek} [be ]{adv} raised",
        "{cheek} [be ]lifted {adv}",
        "[there is ]{adj} raising of {cheek}",
    ),
    "cheekPuff": (
        "the cheeks [be ]{adv} puffed out",
        "[there is ]{adj} puffing of the cheeks",
        "the cheeks [be ]blown out {adv}",
    ),
    "mouthSmile": (
        "{corner} [be ]{adv} raised",
        "{corners_of} [be ]pulled up {adv}",
        "[there is ]{a_adj} smile {on}",
        "[there is ]{adj} upward pull of {corner}",
    ),
    "mouthFrown": (
        "{corner} [be ]{adv} turned down",
        "{corners_of} [be ]pulled down {adv}",
        "[there is ]{adj} lowering of {corner}",
    ),
    "mouthDimple": (
        "[there is ]{adj} dimpling {on}",
        "{corner} [be ]{adv} tucked in",
        "[there is ]{adj} dimpling of {corner}",
    ),
    "mouthStretch": (
        "{corner} [be ]stretched {adv} sideways",
        "[there is ]{adj} sideways stretching of {corner}",
        "{corners_of} [be ]{adv} stretched outward",
    ),
    "lipsRoll": (
        "both lips [be ]{adv} rolled in",
        "[there is ]{adj} inward rolling of both lips",
        "both lips [be ]drawn in {adv} over the teeth",
    ),
    "mouthRollUpper": (
        "the upper lip [be ]{adv} rolled in",
        "[there is ]{adj} inward rolling of the upper lip",
        "the upper lip [be ]drawn in {adv} over the teeth",
    ),
    "mouthRollLower": (
        "the lower lip [be ]{adv} rolled in",
        "[there is ]{adj} inward rolling of the lower lip",
        "the lower lip [be ]drawn in {adv} over the teeth",
    ),
    "lipsShrug": (
        "both lips [be ]{adv} pushed up",
        "[there is ]{adj} upward push of both lips",
    ),
    "mouthShrugUpper": (
        "the upper lip [be ]{adv} pushed up",
        "[there is ]{adj} upward push of the upper lip",
    ),
    "mouthShrugLower": (
        "the lower lip [be ]{adv} pushed up",
        "[there is ]{adj} upward push of the lower lip",
        "[there is ]{a_adj} shrug of the lower lip",
    ),
    "mouthPress": (
        "{lips} [be ]{adv} pressed together",
        "[there is ]{adj} lip pressing {on}",
        "[there is ]{adj} pressing of {lips}",
    ),
    "mouthPucker": (
        "the lips [be ]{adv} puckered",
        "the lips [be ]pursed {adv}",
        "[there is ]{adj} puckering of the lips",
    ),
    "mouthFunnel": (
        "the lips [be ]{adv} funnelled",
        "the lips [be ]flared {adv} into a funnel",
        "[there is ]{adj} funnelling of the lips",
    ),
    "mouthUpperUp": (
        "{upper} [be ]{adv} raised",
        "{upper} [be ]pulled up {adv}",
        "[there is ]{adj} lifting of {upper}",
    ),
    "mouthLowerDown": (
        "{lower} [be ]{adv} lowered",
        "{lower} [be ]pulled down {adv}",
        "[there is ]{adj} lowering of {lower}",
    ),
    "mouthClose": (
        "the lips [be ]drawn together {adv}",
        "[there is ]{adj} closing of the lips",
    ),
    "mouthCloseOverJaw": (
        "the lips [be ]drawn together {adv} over the open jaw",
        "[there is ]{adj} closing of the lips over the open jaw",
    ),
    "mouthLeft": (
        "the mouth [be ]shifted {adv} to the subject's left",
        "[there is ]{a_adj} shift of the mouth to the subject's left",
        "both lips [be ]drawn {adv} to the subject's left",
    ),
    "mouthRight": (
        "the mouth [be ]shifted {adv} to the subject's right",
        "[there is ]{a_adj} shift of the mouth to the subject's right",
        "both lips [be ]drawn {adv} to the subject's right",
    ),
    "jawOpen": (
        "the jaw [be ]{adv} lowered",
        "the jaw [be ]dropped {adv}",
        "[there is ]{adj} jaw opening",
    ),
    "jawForward": (
        "the jaw [be ]pushed forward {adv}",
        "the jaw [be ]{adv} protruded",
        "[there is ]{a_adj} forward thrust of the jaw",
    ),
    "jawLeft": (
        "the jaw [be ]shifted {adv} to the subject's left",
        "[there is ]{a_adj} slide of the jaw to the subject's left",
    ),
    "jawRight": (
        "the jaw [be ]shifted {adv} to the subject's right",
        "[there is ]{a_adj} slide of the jaw to the subject's right",
    ),
    "tongueOut": (
        "the tongue [be ]stuck out {adv}",
        "[there is ]{adj} protrusion of the tongue",
        "the tongue [be ]{adv} protruded",
    ),
    "headLeft": (
        "the head [be ]turned {adv} to the subject's left",
        "[there is ]{a_adj} turn of the head to the subject's left",
    ),
    "headRight": (
        "the head [be ]turned {adv} to the subject's right",
        "[there is ]{a_adj} turn of the head to the subject's right",
    ),
    "headUp": (
        "the head [be ]tipped up {adv}",
        "[there is ]{a_adj} upward tilt of the head",
    ),
    "headDown": (
        "the head [be ]tipped down {adv}",
        "[there is ]{a_adj} downward tilt of the head",
    ),
    "headLeanLeft": (
        "the head [be ]tilted {adv} sideways to the subject's left",
        "[there is ]{a_adj} lean of the head to the subject's left",
    ),
    "headLeanRight": (
        "the head [be ]tilted {adv} sideways to the subject's right",
        "[there is ]{a_adj} lean of the head to the subject's right",
    ),
}  # fmt: skip
_LEVEL_PHRASES: dict[str, Forms] = {
    "eyeBlink": {
        "slight": ("{lids} [be ]slightly lowered", "{upper_lid} [be ]drooping a little"),
        "moderate": ("{eye} [be ]half closed", "{lids} [be ]lowered about halfway"),
        "strong": ("{eye} [be ]nearly closed", "{eye} [be ]almost shut"),
        "extreme": ("{eye} [be ]fully closed", "{eye} [be ]shut completely"),
    },
    "jawOpen": {"extreme": ("the jaw [be ]dropped to the full",)},
    "tongueOut": {"slight": ("the tip of the tongue [be ]showing slightly",)},
}
_NAMES = {
    "browOuterUp": "the outer brow raise", "browDown": "the brow lowering",
    "eyeBlink": "the lid closure", "eyeWide": "the eye widening", "eyeSquint": "the squint",
    "gazeDown": "the downward gaze", "gazeUp": "the upward gaze",
    "gazeLeft": "the gaze to the subject's left", "gazeRight": "the gaze to the subject's right",
    "gazeIn": "the inward gaze", "gazeOut": "the outward gaze",
    "eyeRollLeft": "the torsion to the subject's left",
    "eyeRollRight": "the torsion to the subject's right",
    "noseSneer": "the nose wrinkling", "cheekSquint": "the cheek raise",
    "mouthSmile": "the smile", "mouthFrown": "the lowering of the mouth corner",
    "mouthDimple": "the dimpling", "mouthStretch": "the lip stretching",
    "mouthPress": "the lip pressing", "mouthUpperUp": "the upper lip raise",
    "mouthLowerDown": "the lower lip depression",
    # for clips
    "browInnerUp": "the inner brow raise", "cheekPuff": "the cheek puffing",
    "mouthRollUpper": "the rolling in of the upper lip",
    "mouthRollLower": "the rolling in of the lower lip",
    "mouthShrugUpper": "the upward push of the upper lip",
    "mouthShrugLower": "the upward push of the lower lip",
    "mouthPucker": "the lip pucker", "mouthFunnel": "the lip funnel",
    "mouthClose": "the closing of the lips", "mouthLeft": "the mouth shift to the subject's left",
    "mouthRight": "the mouth shift to the subject's right", "jawOpen": "the jaw opening",
    "jawForward": "the forward jaw thrust", "jawLeft": "the jaw slide to the subject's left",
    "jawRight": "the jaw slide to the subject's right", "tongueOut": "the tongue protrusion",
    "headLeft": "the head turn to the subject's left",
    "headRight": "the head turn to the subject's right",
    "headUp": "the upward head tilt", "headDown": "the downward head tilt",
    "headLeanLeft": "the head lean to the subject's left",
    "headLeanRight": "the head lean to the subject's right",
}  # fmt: skip

_CATEGORIES = {
    "untracked": ("no face measured",),
    "neutral": ("neutral", "neutral face", "neutral expression"),
    "happySurprise": ("happy surprise", "surprise mixed with happiness"),
    "angryDisgust": ("disgust mixed with anger", "angry disgust"),
    "sadAnger": ("sadness mixed with anger", "angry sadness"),
    "happyDisgust": ("amused disgust", "happiness mixed with disgust"),
    "happiness": ("happiness (genuine smile)", "genuine, Duchenne smile", "genuine smile"),
    "fear": ("fear", "fearful expression"),
    "surprise": ("surprise", "surprised expression"),
    "sadness": ("sadness", "sad expression"),
    "anger": ("anger", "angry expression"),
    "disgust": ("disgust", "disgusted expression"),
    "contempt": ("one-sided contempt", "one-sided, contemptuous expression"),
    "smile": ("smile", "social smile", "smiling expression"),
    "winkLeft": ("wink of the left eye", "left-eyed wink"),
    "winkRight": ("wink of the right eye", "right-eyed wink"),
    "eyesClosed": ("eyes closed", "closed eyes"),
    "tongueOut": ("tongue stuck out", "protruded tongue"),
    "cheekPuff": ("puffed cheeks", "cheeks puffed out"),
    "pucker": ("kiss-like pucker", "puckered lips"),
    "funnel": ("funnelled lips", "rounded, funnelled lips"),
    "mouthWide": ("jaw dropped wide", "widely opened jaw"),
    "speech": ("speech-like jaw opening", "jaw opened as in speech"),
    "lipPress": ("pressed lips", "lips pressed together"),
    "frown": ("downturned mouth corners", "mouth corners turned down"),
    "browsRaised": ("raised inner brows", "inner brows raised"),
    "concentration": ("brows lowered as in concentration", "lowered, concentrated brows"),
    "squint": ("squint", "squinted eyes"),
    "eyesWide": ("widened eyes", "eyes widened"),
    "part": ("no expression in the measured regions ({regions})",),
    "faint": ("near-neutral", "almost expressionless"),
    "other": ("unspecific facial movement", "no single named expression"),
}
_COMPANIONS = {
    "tongueOut": (" with the tongue stuck out", " with a protruded tongue"),
    "winkLeft": (" with a wink of the left eye", " with a left-eyed wink"),
    "winkRight": (" with a wink of the right eye", " with a right-eyed wink"),
    "eyesClosed": (" with the eyes closed", " with closed eyes"),
    "cheekPuff": (" with puffed cheeks", " with the cheeks puffed out"),
    "pucker": (" with a kiss-like pucker", " with puckered lips"),
    "funnel": (" with funnelled lips", " with the lips funnelled"),
    "mouthWide": (" with the jaw dropped wide", " with a widely opened jaw"),
    "speech": (" with a speech-like jaw opening", " with the jaw opened as in speech"),
    "lipPress": (" with pressed lips", " with the lips pressed together"),
    "frown": (" with downturned mouth corners", " with the mouth corners turned down"),
    "browsRaised": (" with raised inner brows", " with the inner brows raised"),
    "concentration": (" with lowered brows", " with the brows lowered"),
    "squint": (" with a squint", " with squinted eyes"),
    "eyesWide": (" with widened eyes", " with the eyes widened"),
}
_IMPLICATIONS = {
    "happySurprise": ("consistent with happy surprise", "suggests pleasant surprise"),
    "angryDisgust": ("consistent with anger and disgust", "suggests angry disgust"),
    "sadAnger": ("consistent with sadness and anger", "suggests sadness mixed with anger"),
    "happyDisgust": ("consistent with amused disgust", "suggests amusement mixed with disgust"),
    "happiness": (
        "consistent with happiness", "suggests happiness or amusement", "reads as real enjoyment",
    ),
    "fear": ("consistent with fear", "suggests fear"),
    "surprise": ("consistent with surprise", "suggests surprise"),
    "sadness": ("consistent with sadness", "suggests sadness"),
    "anger": ("consistent with anger", "suggests anger"),
    "disgust": ("consistent with disgust", "suggests disgust"),
    "contempt": ("consistent with contempt", "suggests contempt"),
}  # fmt: skip

_SAYING = Saying(
    adverbs=_ADVERBS,
    adjectives=_ADJECTIVES,
    nouns=_NOUNS,
    phrases=_PHRASES,
    level_phrases=_LEVEL_PHRASES,
    uneven=(
        ", {hi} on the {S} and {lo} on the {W}",
        " ({hi} on the {S}, {lo} on the {W})",
        ", {hi} on the {S} but only {lo} on the {W}",
    ),
    uneven_same=(
        ", {hi} on both sides but more on the {S}",
        " ({hi} on both sides, more on the {S})",
        ", {hi} on both sides and more so on the {S}",
    ),
    sides=("left", "right"),
    gaze_pair=(
        "the gaze [be ]directed {x} {v} and {y} {h}",
        "both eyes [be ]turned {x} {v} and {y} {h}",
    ),
    gaze_pair_same=(
        "the gaze [be ]directed {x} {v} and {h}",
        "both eyes [be ]turned {x} {v} and {h}",
    ),
    directions={
        "Down": "down", "Up": "up", "Left": "to the subject's left", "Right": "to the subject's right",
    },
    titles=(
        ("Brows", "Eyebrows"), ("Eyes",), ("Nose",), ("Cheeks",), ("Mouth", "Lips and mouth"),
        ("Jaw",), ("Tongue",), ("Head",),
    ),
    names=_NAMES,
    imbalances=(
        ("stronger on the subject's left: ", "more pronounced on the subject's left: "),
        ("stronger on the subject's right: ", "more pronounced on the subject's right: "),
        ("only on the subject's left: ", "limited to the subject's left: "),
        ("only on the subject's right: ", "limited to the subject's right: "),
    ),
    categories=_CATEGORIES,
    companions=_COMPANIONS,
    implications=_IMPLICATIONS,
    fixed={
        "at_rest": "All regions: at rest, with no visible movement.",
        "not_observable": NOT_OBSERVABLE,
        "symmetric": MOSTLY_SYMMETRIC,
        "part_at_rest": "Measured regions ({regions}): at rest, with no visible movement.",
        "untracked": "No measurement in this frame.",
        "not_measured": "not measured",
    },
    clip={
        "length": ("The clip lasts {seconds} s.",),
        "blinks": ("The eyes blink {count} times, at {times} s.",),
        "blink": ("The eyes blink once, at {times} s.",),
        "wink": ("The {side} eye winks at {times} s.",),
        "event": (
            "From {start} s to {end} s {name} is {level}{where}, with its apex at {apex} s ({peak}).",
            "Between {start} s and {end} s {name} is {level}{where} and peaks at {apex} s ({peak}).",
            "{Name} begins at {start} s, is {level}{where} at its apex at {apex} s ({peak}), "
            "and is released at {end} s.",
        ),
        "from_move": ("{Name} begins at {start} s",),
        "from_clip": ("{Name} is already there when the clip begins",),
        "from_face": ("{Name} is already there when the face returns at {start} s",),
        "from_pause": ("{Name} is already there when the recording resumes at {start} s",),
        "from_channel": ("{Name} is already there when it is measured at {start} s",),
        "at_apex": (", is {level}{where} at its apex at {apex} s ({peak})",),
        "at_hold": (", is {level}{where} and is held for {hold} s near its apex ({peak})",),
        "to_move": (", and is released at {end} s.",),
        "to_clip": (", and lasts until the clip ends at {end} s.",),
        "to_face": (", and lasts until the face is lost at {end} s.",),
        "to_pause": (", and lasts until the recording breaks off at {end} s.",),
        "to_channel": (", and is no longer measured from {end} s.",),
        "hold": (
            "From {start} s to {end} s {name} is held, {level}{where}, "
            "for {hold} s near its apex ({peak}).",
            "{Name} is {level}{where} from {start} s to {end} s and is held for {hold} s "
            "near its apex ({peak}).",
        ),
        "lost": ("The face was lost from {start} s to {end} s.",),
        "rest": ("{count} weaker movements are left out.",),
        "still": ("The face stays at rest.",),
        "both": (" on both sides",), "left": (" on the left side",), "right": (" on the right side",),
        "more_left": (" on both sides, more so on the left,",),
        "more_right": (" on both sides, more so on the right,",),
        "space": (" ",),
    },
    plural=r"both |the (?:inner |outer ends|lids|lips|cheeks)",
    be=("is", "are"),
    comma=", ",
    conjunction=" and ",
    last=", and ",
    names_joined=(", ", " and ", ", and "),
    region_end="; ",
    clause_end="; ",
    full_stop=".",
    space_after_title=": ",
)  # fmt: skip

# -- hearing -----------------------------------------------------------------------

_BROW = r"\b(?:eye)?brows?\b"
_CORNER = r"(?:(?<!lower\s)(?:mouth|lip) corners?|corners? of (?:the )?(?:mouth|lips))"
_THE = r"(?:the |both |the left |the right |left |right )?"
_UP = r"(?:raised|elevated|lifted|upturned|elevation|(?:pulled|drawn|turned|pulling) ~up(?:wards?)?)\b"
_DOWN = r"(?:lowered|depressed|downturned|(?:pulled|drawn|turned|pulling) ~down(?:wards?)?)\b"
_RAISING = r"(?:raising|elevation|lifting|lift|raise|upward (?:movement|pull|pulling|motion)) of "
_LOWERING = r"(?:lowering|depression|downward (?:movement|pull|pulling|motion)) of "
_SUBJECT = (
    r"(?:(?:the )?subject['\u2019]s |the person['\u2019]s |his |her |their |its |the )?(?:own )?"
)
_TO_LEFT = rf"(?:to {_SUBJECT}left\b|leftwards?\b)"
_TO_RIGHT = rf"(?:to {_SUBJECT}right\b|rightwards?\b)"
_DIRECTION = (
    rf"down(?:wards?)?\b|up(?:wards?)?\b|{_TO_LEFT}|{_TO_RIGHT}|inwards?\b|outwards?\b"
    r"|towards? the (?:nose|temples?)|sideways|to (?:the|one) side\b|lowered|raised|averted\b(?!\s+(?:to|left|right|down|up))"
)
_SHUT = r"(?:closed|shut)"
_STRONG = ("strong", "extreme")


def _h(
    movements: str, pattern: str, region: str | None = None,
    level: tuple[str, str] | None = None, any_of: bool = False,
) -> Heard:  # fmt: skip
    return Heard(tuple(movements.split()), pattern, region, level, any_of)


_HEARD: tuple[Heard, ...] = (
    # brows
    _h("browInnerUp browOuterUp", rf"inner and outer {_BROW}(?: ~{_UP})?"),
    _h("browInnerUp browOuterUp", rf"{_BROW} ~(?:lifted|raised) ~from the inner to the outer end"),
    _h("browInnerUp", rf"\binner {_BROW} ~{_UP}"),
    _h("browInnerUp", rf"\binner (?:ends?|corners?|parts?|portions?) of {_THE}{_BROW} ~{_UP}"),
    _h("browInnerUp", rf"{_RAISING}{_THE}inner {_BROW}"),
    _h("browInnerUp", rf"(?:raised |elevated )?\binner {_BROW}(?: (?:raiser?|lift|raising))|\bbrow inner up"),
    _h("browInnerUp", rf"(?:raised|elevated|lifted) inner {_BROW}|medial frontalis"),
    _h("browOuterUp", rf"\bouter {_BROW} ~{_UP}"),
    _h("browOuterUp", rf"\bouter (?:ends?|corners?|parts?|portions?) of {_THE}{_BROW} ~{_UP}"),
    _h("browOuterUp", rf"{_RAISING}{_THE}outer {_BROW}"),
    _h("browOuterUp", rf"\bouter {_BROW} (?:raiser?|lift|raising)|\bbrow outer up|lateral frontalis"),
    _h("browOuterUp", rf"(?:raised|elevated|lifted) outer {_BROW}"),
    _h("browInnerUp browOuterUp", rf"{_BROW} ~{_UP}|(?:raised|elevated|lifted|arched) {_BROW}"
       rf"|{_BROW} (?:raise|raiser|raising|lift|flash|elevation)\b|{_RAISING}{_THE}{_BROW}|\bfrontalis",
       any_of=True),
    _h("browDown", rf"{_BROW} ~(?:{_DOWN}|furrowed|furrowing|knitt?(?:ed)?|drawn ~together)"),
    _h("browDown", rf"(?:lowered|furrowed|knitt?(?:ed)?) {_BROW}|{_LOWERING}{_THE}{_BROW}"),
    _h("browDown", rf"{_BROW} (?:lowering|lower(?:er)?|furrow(?:ing)?|depress\w+|down|contraction)\b"),
    _h("browDown", r"\bcorrugator(?: supercilii)?|\bprocerus|\bfurrow(?:ing)? of the \w*brows?"),
    # eyes
    _h("eyeBlink", rf"\beyes? ~half[- ]{_SHUT}|half[- ]{_SHUT} eyes?", level=("moderate", "moderate")),
    _h("eyeBlink", rf"\beyes? ~(?:nearly|almost) {_SHUT}", level=("strong", "strong")),
    _h("eyeBlink", rf"\beyes? ~(?:(?:fully|completely|tightly) {_SHUT}|shut completely)",
       level=("extreme", "extreme")),
    _h("eyeBlink", rf"\beyes? ~(?:slightly|partially|partly) {_SHUT}", level=("slight", "moderate")),
    _h("eyeBlink", rf"\beyes? (?:(?:is|are|remain|being|not|both|kept) )*{_SHUT}|\b{_SHUT} eyes?", level=_STRONG),
    _h("eyeBlink", r"\beyes? (?:(?:is|are|remains?|stays?|kept|being|both|fully|clearly|normally) )*open\b(?! (?:wide|mouth|jaw))"
       r"|(?<!wide\s)(?<!wide-)(?<!widely\s)(?<!half\s)(?<!half-)\bopen eyes?\b", level=("", "moderate")),
    _h("eyeBlink", rf"\b(?:eyes?|lids?|eyelids?) (?:closure|closing)|closing of {_THE}(?:lids|eyes?)\b"),
    _h("eyeBlink", r"\blids? of (?:both eyes|the left eye|the right eye) ~lowered ~about halfway",
       level=("moderate", "moderate")),
    _h("eyeBlink", r"\b(?:eye)?lids? ~(?:lowered|droop\w*)|\blids? of (?:both eyes|the left eye|the right eye) ~lowered"),
    _h("eyeBlink", r"\b(?:eye )?blink(?:ing|s)?\b"),
    _h("eyeBlink", r"\bwink(?:ing|s)?\b", level=("moderate", "extreme")),
    _h("eyeBlink eyeSquint cheekSquint", r"orbicularis oculi", any_of=True),
    _h("eyeWide", r"\beyes? ~(?:widened|(?:wide|widely) open(?:ed)?)|\bwiden(?:ed|ing)(?: of)? (?:the |both )?(?:left |right )?eyes?"),
    _h("eyeWide", r"\beye widening|\bwide(?:-|ly )?(?:open )?eyes?\b|\bwide-eyed|\beyes? (?:(?:is|are) )?wide\b|\beyelid elevation"),
    _h("eyeWide", r"\bupper (?:eye)?lids? ~(?:raised|elevated|lifted|retracted)|upper lid rais\w+"),
    _h("cheekSquint", r"\bsquint\w*", "cheek"),
    _h("eyeSquint", r"\b(?:eye )?squint\w*|\beyes? ~squint(?:ed|ing)"),
    _h("eyeSquint", rf"tightening of {_THE}(?:eye)?lids?|(?:eye)?lids? (?:tighten\w*|tension)"),
    _h("eyeSquint", rf"\blower (?:eye)?lids? ~(?:tensed|raised|tightened|elevated)|\beyes? ~narrowed|\bnarrow(?:ed|ing)(?: of)? {_THE}eyes?"),
    _h("eyeRollLeft", rf"torsion of {_THE}eyes? {_TO_LEFT}|torsion {_TO_LEFT}"),
    _h("eyeRollRight", rf"torsion of {_THE}eyes? {_TO_RIGHT}|torsion {_TO_RIGHT}"),
    # nose and cheeks
    _h("noseSneer", rf"\bnose ~(?:wrinkl\w+|scrunch\w+|crinkl\w+)|\bwrinkl\w+ of {_THE}nose|\bsneer\w*(?:-like)?"),
    _h("noseSneer", r"nasolabial(?: folds?)? (?:(?:is|are) )?(?:elevation|deepen\w+|raise|lift\w*)|levator labii superioris alaeque nasi|nostrils? ~(?:raised|flared)"),
    _h("cheekSquint", rf"\bcheeks? ~(?:{_UP}|squint\w*)|\brais(?:ed|ing)(?: of)? {_THE}cheeks?"),
    _h("cheekSquint", r"\bcheeks? (?:rais\w+|lift\w*|squint\w*|elevation)|\bcheek muscles? ~tens\w+|\blift(?:ed|ing) cheeks"),
    _h("cheekPuff", r"\bcheeks? ~(?:puffed(?: out)?|blown out)|\bpuff(?:ed|ing)(?: of)? (?:the )?cheeks|\bcheek puff\w*"),
    _h("cheekPuff", r"\bpuff\w*", "cheek"),
    # mouth corners
    _h("mouthSmile", r"\bsmil(?:e|es|ing|ed)\b|\bsmirk\w*|\bgrin\w*\b|\bzygomaticus(?: (?:major|minor))?|\blip corner pull\w*"),
    _h("mouthSmile", rf"{_CORNER} ~{_UP}|{_RAISING}{_THE}{_CORNER}|upturned {_CORNER}"),
    _h("mouthFrown", rf"{_CORNER} ~{_DOWN}|{_LOWERING}{_THE}{_CORNER}|downturned {_CORNER}"),
    _h("mouthFrown", r"\bmouth frown|\blip corner depress\w+|\bdepressor anguli oris|\bdownturned mouth"),
    _h("mouthFrown browDown", r"\bfrown(?:ing|s)?\b", any_of=True),
    _h("mouthDimple", rf"\bdimpl\w+|{_CORNER} ~(?:tucked in|dimpled)|\bbuccinator"),
    _h("mouthStretch", rf"{_CORNER} ~stretched(?: ~(?:sideways|outwards?|laterally))?|\b(?:mouth|lip) stretch\w*"),
    _h("mouthStretch", rf"(?:lateral |sideways )?stretching(?: of {_THE}(?:{_CORNER}|mouth|lips))?|\blips ~stretched|\brisorius"),
    # lips
    _h("mouthRollUpper mouthRollLower", r"\bboth lips ~(?:rolled|sucked|tucked|drawn) ~in(?:wards?)?\b|inward rolling of both lips"),
    _h("mouthRollUpper mouthRollLower", r"\blips? (?:roll|suck)\w*|\blips ~(?:rolled|sucked|tucked) ~in(?:wards?)?", any_of=True),
    _h("mouthRollUpper", r"\bupper lip ~(?:rolled|sucked|tucked|drawn) ~in(?:wards?)?\b|inward rolling of the upper lip|rolling in of the upper lip"),
    _h("mouthRollLower", r"\blower lip ~(?:rolled|sucked|tucked|drawn) ~in(?:wards?)?\b|inward rolling of the lower lip|rolling in of the lower lip"),
    _h("mouthShrugUpper mouthShrugLower", r"\bboth lips ~pushed ~up|upward push of both lips"),
    _h("mouthShrugUpper", r"\bupper lip ~pushed ~up|upward push of the upper lip"),
    _h("mouthShrugLower", r"\blower lip ~pushed ~up|upward push of the lower lip|shrug of the lower lip|\bchin (?:rais\w+|boss)|\bmentalis"),
    _h("mouthShrugUpper mouthShrugLower", r"\b(?:lip |mouth )?shrug\w*(?:-like)?", any_of=True),
    _h("mouthShrugLower mouthPucker mouthFrown", r"\bpout\w*", any_of=True),
    _h("mouthPress", rf"\blips? ~(?:pressed|compressed)(?: together)?|\b(?:mouth|lip) (?:press\w*|tighten\w*)|pressing of {_THE}(?:left side of the |right side of the )?lips|\b(?:com)?pressed lips"),
    _h("mouthPucker", r"\bpucker\w*(?: (?:of the )?lips)?|\bpurs(?:ed|ing)(?: of)? (?:the )?lips|\blips ~(?:pursed|puckered)|\blip puck\w+|\bkiss(?:ing)?\b"),
    _h("mouthFunnel", r"\bfunnel\w*|\blips ~(?:flared|rounded)(?: ~into a funnel)?"),
    _h("mouthUpperUp", rf"\bupper lip ~{_UP}|{_RAISING}(?:the )?(?:left side of the |right side of the )?upper lip|\bupper lip (?:rais\w+|elevation|lift\w*)"),
    _h("mouthLowerDown", rf"\blower lip(?: corners?)? ~{_DOWN}|{_LOWERING}(?:the )?(?:left side of the |right side of the )?lower lip(?: corners?)?"),
    _h("mouthLowerDown", r"\blower lip depress\w+|\bdepressor labii(?: inferioris)?"),
    _h("mouthRollLower mouthLowerDown", r"\blower lip ~retract(?:ed|ion)", any_of=True),
    _h("mouthClose", r"\blips ~drawn ~together(?: ~over the)?|closing of the lips(?: over the)?|\bmouth close\b"),
    _h("mouthLeft", rf"\bmouth ~(?:shifted|pulled|drawn|moved) ~{_TO_LEFT}|shift of the mouth {_TO_LEFT}|mouth shift {_TO_LEFT}|\blips ~(?:drawn|shifted|pulled) ~{_TO_LEFT}"),
    _h("mouthRight", rf"\bmouth ~(?:shifted|pulled|drawn|moved) ~{_TO_RIGHT}|shift of the mouth {_TO_RIGHT}|mouth shift {_TO_RIGHT}|\blips ~(?:drawn|shifted|pulled) ~{_TO_RIGHT}"),
    # jaw and tongue
    _h("jawOpen", r"\bjaw ~(?:lowered|dropped|open(?:ed)?)\b(?: to the full)?|\bjaw (?:opening|drop\w*)|\b(?:widely )?open(?:ed)? (?:jaw|mouth)\b|\bmouth ~(?:open(?:ed)?|agape)\b"),
    _h("jawOpen", r"\bopen(?: position)?\b", "jaw"),
    _h("jawOpen", rf"\b(?:mouth|jaw) (?:(?:is|are|remains?|stays?|kept|being|fully|firmly) )*{_SHUT}\b|\b{_SHUT} (?:mouth|jaw)\b", level=("", "slight")),
    _h("jawOpen mouthUpperUp mouthLowerDown mouthFunnel", r"\blips? ~part(?:ed|ing)|\bparted lips", any_of=True),
    _h("jawForward", r"\bjaw ~(?:pushed|thrust|moved) ~forward|\bjaw ~protrud\w+|\bjaw protrusion|forward thrust of the jaw|forward jaw thrust|protrusion of the jaw"),
    _h("jawForward", r"\b(?:protrud\w+ )?forward\b|\bprotru\w+", "jaw"),
    _h("jawLeft", rf"\bjaw ~(?:shifted|moved|slides?|slid) ~{_TO_LEFT}|(?:slide|shift) of the jaw {_TO_LEFT}|jaw slide {_TO_LEFT}"),
    _h("jawRight", rf"\bjaw ~(?:shifted|moved|slides?|slid) ~{_TO_RIGHT}|(?:slide|shift) of the jaw {_TO_RIGHT}|jaw slide {_TO_RIGHT}"),
    _h("jawLeft jawRight", r"\blateral (?:movement|shift|deviation|displacement)", "jaw", any_of=True),
    _h("jawLeft jawRight", r"\blateral jaw (?:movement|shift|deviation)|\bjaw ~lateral\w*", any_of=True),
    _h("tongueOut", r"\btongue ~(?:stuck ~out|sticking ~out|protrud\w+|protrusion|showing|visible|out)\b|protrusion of the tongue|\bprotruded tongue"),
    # head
    _h("headLeft", rf"\bhead ~(?:turned|rotated) ~{_TO_LEFT}|turn of the head {_TO_LEFT}|head turn {_TO_LEFT}"),
    _h("headRight", rf"\bhead ~(?:turned|rotated) ~{_TO_RIGHT}|turn of the head {_TO_RIGHT}|head turn {_TO_RIGHT}"),
    _h("headLeft headRight", r"\bhead (?:turn(?:ed|ing)?|rotation|yaw)\b|\bhead ~(?:turned|rotated)\b", any_of=True),
    _h("headUp", r"\bhead ~(?:tipped|tilted|raised) ~(?:up(?:wards?)?|back(?:wards?)?)\b|\bupward (?:head )?tilt(?: of the head)?|upward head (?:tilt|pitch)"),
    _h("headDown", r"\bhead ~(?:(?:tipped|tilted) ~(?:down(?:wards?)?|forward)|lowered|bowed)\b|\bdownward (?:head )?tilt(?: of the head)?|downward head (?:tilt|pitch)"),
    _h("headUp headDown", r"\bhead pitch", any_of=True),
    _h("headLeanLeft", rf"\bhead ~(?:tilted|leaning|leans) ~{_TO_LEFT}|lean of the head {_TO_LEFT}|head lean {_TO_LEFT}"),
    _h("headLeanRight", rf"\bhead ~(?:tilted|leaning|leans) ~{_TO_RIGHT}|lean of the head {_TO_RIGHT}|head lean {_TO_RIGHT}"),
    _h("headLeanLeft headLeanRight headLeft headRight", r"\blateral head (?:tilt|movement)\b", any_of=True),
    _h("headLeanLeft headLeanRight", r"\bhead (?:tilt|roll|lean)\b|\bhead ~tilted\b", any_of=True),
)  # fmt: skip

_BROWS = "browInnerUp browOuterUp browDown"
_LIPS = (
    "mouthPress mouthLowerDown mouthUpperUp mouthRollUpper mouthRollLower mouthShrugUpper "
    "mouthShrugLower mouthPucker mouthFunnel"
)
_MOUTH = f"mouthSmile mouthFrown mouthDimple mouthStretch {_LIPS}"
_AREAS = tuple(
    _h(names, pattern, any_of=True)
    for names, pattern in (
        ("browOuterUp", rf"\bouter {_BROW}"),
        ("browInnerUp", rf"\binner {_BROW}"),
        (_BROWS, _BROW),
        ("eyeBlink eyeSquint eyeWide", r"\b(?:eyes?|eyelids?)\b(?! corner|['\u2019]s)"),
        ("noseSneer", r"\bnose\b"),
        ("cheekPuff cheekSquint", r"\bcheeks?\b(?: movements?)?"),
        ("mouthLowerDown mouthRollLower mouthShrugLower", r"\blower lip(?: corners?)?(?: movements?)?"),
        ("mouthUpperUp mouthRollUpper mouthShrugUpper", r"\bupper lip(?: movements?)?"),
        ("mouthSmile mouthFrown mouthDimple mouthStretch", _CORNER),
        (_LIPS, r"\blips?\b(?: movements?)?"),
        (_MOUTH, r"\bmouth\b(?: movements?)?"),
        ("jawOpen jawForward jawLeft jawRight", r"\bjaw\b(?: movements?)?"),
        ("tongueOut", r"\btongue\b"),
        ("headLeft headRight headUp headDown headLeanLeft headLeanRight", r"\bhead\b(?: (?:position|pose))?"),
    )
)  # fmt: skip

_HEARING = Hearing(
    movements=_HEARD + ACTION_UNITS,
    areas=_AREAS,
    gaze=(
        rf"(?:\bgaz(?:e|ing)(?: of the (?:left|right) eye)?|\blook(?:s|ing|ed)?|\bglanc\w+|\beyes? ~(?:directed|turned|averted|cast|looking|turning))"
        rf" ~(?P<a>{_DIRECTION})(?: and ~(?P<b>{_DIRECTION}))?"
        rf"|\b(?P<c>(?:down|up|in|out|left|right)wards?|sideways|averted)(?: and (?P<d>(?:down|up|in|out|left|right)wards?))?[- ](?:gaze|glance|look(?:ing)?\b)"
        rf"|\b(?P<e>(?:in|out|down|up)ward) turning of {_THE}eyes?"
    ),
    gaze_directions=(
        _h("gazeDown", r"^(?:down|lowered)"),
        _h("gazeUp", r"^(?:up|raised)"),
        _h("gazeLeft", r"left"),
        _h("gazeRight", r"right"),
        _h("gazeIn", r"^in|nose"),
        _h("gazeOut", r"^out|temple"),
        _h("gazeLeft gazeRight gazeDown", r"side|averted", any_of=True),
    ),
    levels=(
        (r"\b(?:almost no|(?:hardly|scarcely)(?: any| an?)?|barely|negligibl[ey]|minimal(?:ly)?|trace of|hint of)\b", "", "slight"),
        (r"\b(?:very slight(?:ly)?|slight(?:ly)?|faint(?:ly)?|mild(?:ly)?|subtl[ey]|minor|weak(?:ly)?|gentl[ey]|light(?:ly)?|small|a little|a bit|a touch of|softly)\b", "slight", "slight"),
        (r"\b(?:somewhat|partial(?:ly)?|partly)\b", "slight", "moderate"),
        (r"\b(?:moderate(?:ly)?|noticeabl[ey]|medium)\b", "moderate", "moderate"),
        (r"\b(?:clear(?:ly)?|visibly)\b", "slight", "extreme"),
        (r"\b(?:very strong(?:ly)?|extreme(?:ly)?|maxim(?:al|ally|um)|full(?:y)?|complete(?:ly)?|utmost)\b", "extreme", "extreme"),
        (r"\b(?:strong(?:ly)?|marked(?:ly)?|pronounced|considerabl[ey]|high|heav(?:y|ily)|intense(?:ly)?|firm(?:ly)?|tight(?:ly)?|deep(?:ly)?|significant(?:ly)?|substantial(?:ly)?)\b", "strong", "extreme"),
    ),
    left=r"\bleft\b",
    right=r"\bright\b",
    both=r"\bboth\b|\bbilateral(?:ly)?\b|\bsymmetric(?:al(?:ly)?)?\b",
    negation=r"\b(?:no|not|without|absen(?:t|ce of)|lack(?:s|ing|ed)?(?: of)?|never|neither|nor|free of|isn['\u2019]t|aren['\u2019]t|doesn['\u2019]t|don['\u2019]t)\b",
    at_rest=r"\b(?:(?:remains?|stays?|is|are|appears?|kept|being|left) ~(?:neutral|relaxed|inactive|at rest|unchanged|still|absent|uninvolved)|(?:neutral|relaxed|inactive|at rest|absent)(?= *(?:$|[.,;)]))|not (?:raised|engaged|active|present|visible|involved|observed|seen|detected|discernible)|(?:cannot|can not|can['\u2019]t|could not|couldn['\u2019]t) be (?:seen|observed|detected|discerned|found|made out))\b|^ *: *(?:at rest|neutral|relaxed)\b",
    hedge=r"\b(?:may|might|could|possibl[ey]|perhaps|suggest\w*|indicat\w*|hint\w*|likely|seems?|as if|maybe|reminiscent)\b",
    asymmetric=r"\basymmetr\w+|\bnot ~(?:symmetric(?:al)?|even|equal|identical)\b|\buneven(?:ly)?\b|\bunequal(?:ly)?\b|\bdifferences? in\b|\b(?:lop|one)-?sided\b",
    symmetric=r"(?<!a)\bsymmetr(?:ic|ical|ically|y)\b|\b(?:equal(?:ly)?|identical(?:ly)?|same intensity|evenly|bilaterally even)\b|\beven\b(?= *(?:$|[.,;)]|on both|between|across))",
    not_asymmetric=r"\b(?:no|without|little)(?: (?:any|notable|noticeable|significant|clear|visible|obvious|marked|lateral)){0,2} (?:asymmetr\w+|lateral dominance|lateralisation|differences?)",
    negligible=r"\b(?:negligible|insignificant|within normal variation)\b",
    stronger=(
        rf"(?:(?:(?:slightly|somewhat|much|a little|far|noticeably) )?\b(?:more|stronger|greater|larger|higher|heavier|mainly|dominant) (?:(?:so|pronounced|marked|strongly|active|intense|movement|activity|noticeable|evident|visible) )*(?:on|in|to|towards?) {_SUBJECT}(?:(?P<l>left)|(?P<r>right))\b(?: side| half)?"
        rf"|\b(?:only|limited|confined) (?:on|to|in) {_SUBJECT}(?:(?P<l4>left)|(?P<r4>right))\b(?: side| half)?"
        r"|(?:(?P<l2>\bleft)|(?P<r2>\bright))(?: side)?(?: is| being)?(?: slightly| somewhat| much)? (?:more (?:pronounced|active|marked|intense)|stronger|dominant)\b"
        r"|(?:(?P<l5>\bleft)|(?P<r5>\bright))(?: side)? (?:slightly |somewhat |much )?more (?:so )?than"
        rf"|\bstronger {_SUBJECT}(?:(?P<l3>left)|(?P<r3>right))\b"
        rf"|\b(?:more|stronger|greater|larger|higher|further|farther)(?: \w+){{0,3}}? than (?:on |in |at )?{_SUBJECT}(?:(?P<l6>right)|(?P<r6>left))\b(?: side| half| one)?"
        rf"|\b(?:less|weaker|smaller|fainter)(?: \w+){{0,3}}? than (?:on |in |at )?{_SUBJECT}(?:(?P<l7>left)|(?P<r7>right))\b(?: side| half| one)?"
        rf"|\b(?:less|weaker|smaller|fainter)(?: (?:so|pronounced|marked|strong|active|intense|noticeable|evident|visible))* (?:on|in|to) {_SUBJECT}(?:(?P<l8>right)|(?P<r8>left))\b(?: side| half)?)"
        rf"(?: than (?:on |in |at )?{_SUBJECT}(?:left|right)\b(?: side| half| one)?)?"
    ),
    sided_level=(
        r"(?P<level>(?:very )?[a-z]+|a little) on (?:(?P<left>(?:the |its )?(?:subject['\u2019]s )?left)|(?P<right>(?:the |its )?(?:subject['\u2019]s )?right)|(?P<both>both))(?: sides?)?\b"
    ),
    titles={
        "brow": r"(?:^|[\n.;]|- )\s*(?:eye)?brows?(?: region)?\s*:",
        "eye": r"(?:^|[\n.;]|- )\s*eyes?(?: region| and gaze)?\s*:",
        "nose": r"(?:^|[\n.;]|- )\s*nose\s*:",
        "cheek": r"(?:^|[\n.;]|- )\s*cheeks?\s*:",
        "mouth": r"(?:^|[\n.;]|- )\s*(?:mouth|lips|lips and mouth|mouth and lips)\s*:",
        "jaw": r"(?:^|[\n.;]|- )\s*(?:jaw|chin|jaw and chin)\s*:",
        "tongue": r"(?:^|[\n.;]|- )\s*tongue\s*:",
        "head": r"(?:^|[\n.;]|- )\s*head(?: pose| position)?\s*:",
    },
    direction=rf"(?:\bto {_SUBJECT}(?:left|right)\b)",
    neutral_face=r"(?<!near-)(?<!near\s)(?<!nearly\s)\bneutral\b(?: (?:face|expression))?",
    boundary=r",|\b(?:expression|face) |\bcombining\b|:|[()]|\band\b|\bwith\b|\bbut\b|\bwhile\b|\bwhereas\b|\baccompanied by\b|\bor\b|\bplus\b",
    shared=r" and | or |/|, and |, or ",
    listed=r"(?: and | or |/| nor |, and |, or |, nor |, )(?:the |any )?",
    clause=r"\bbut\b|\bhowever\b|\bwhile\b|\bwhereas\b|\balthough\b",
    sentence=r"(?<!e\.g)(?<!i\.e)\.(?= |$)|[;\n!?]",
    fields={
        "expression_category": r"\n? *(?:\d[.)] )? *(?:facial )?expression category *:",
        "muscle_movements": r"\n? *(?:\d[.)] )? *(?:detailed )?(?:facial )?muscle movements? *:",
        "emotional_implication": r"\n? *(?:\d[.)] )? *emotional (?:implication|meaning)s? *:",
        "symmetry": r"\n *(?:\d[.)] )? *(?:facial )?symmetry(?: or asymmetry| / asymmetry)? *:",
    },
)  # fmt: skip

ENGLISH = Lexicon("en", _SAYING, _HEARING)
