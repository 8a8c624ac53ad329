"""Chinese: how movements are said and heard."""

# ruff: noqa: E501

from __future__ import annotations

from semanticface.language.units import ACTION_UNITS
from semanticface.language.words import Forms, Heard, Hearing, Lexicon, Saying

_ADVERBS = {
    "slight": ("轻微", "略微", "稍稍"),
    "moderate": ("中度", "中等程度地", "适度"),
    "strong": ("强烈", "显著", "大幅"),
    "extreme": ("极度", "极大幅度地", "最大限度地"),
}
_ADJECTIVES = {
    "slight": ("轻微", "轻度", "较轻"),
    "moderate": ("中度", "中等", "适度"),
    "strong": ("强烈", "显著", "强烈"),
    "extreme": ("极强", "极度强烈", "极为强烈"),
}
_NOUNS = {
    "brow": ("双眉", "左眉", "右眉"),
    "outer": ("双侧眉梢", "左侧眉梢", "右侧眉梢"),
    "outer_end": ("双眉外端", "左眉外端", "右眉外端"),
    "eye": ("双眼", "左眼", "右眼"),
    "lid": ("双眼眼睑", "左眼眼睑", "右眼眼睑"),
    "upper_lid": ("双眼上眼睑", "左眼上眼睑", "右眼上眼睑"),
    "lower_lid": ("双眼下眼睑", "左眼下眼睑", "右眼下眼睑"),
    "gaze": ("目光", "左眼目光", "右眼目光"),
    "nose": ("双侧鼻翼", "左侧鼻翼", "右侧鼻翼"),
    "cheek": ("双颊", "左颊", "右颊"),
    "corner": ("双侧嘴角", "左侧嘴角", "右侧嘴角"),
    "lips": ("嘴唇", "嘴唇左半侧", "嘴唇右半侧"),
    "upper": ("上唇", "上唇左侧", "上唇右侧"),
    "lower": ("下唇", "下唇左侧", "下唇右侧"),
}
_PHRASES = {
    "browsUp": ("眉头与眉梢一同{adv}上抬", "双眉从眉头到眉梢{adv}抬起"),
    "browInnerUp": ("眉头{adv}上抬", "双眉内端{adv}抬起", "眉头{adv}扬起"),
    "browOuterUp": ("{outer}{adv}上扬", "{outer_end}{adv}抬起", "{outer}{adv}上抬"),
    "browDown": ("{brow}{adv}下压", "{brow}{adv}压低", "{brow}{adv}皱起"),
    "eyeBlink": ("{eye}{adv}闭合", "{lid}{adv}合拢"),
    "eyeWide": ("{eye}{adv}睁大", "{upper_lid}{adv}上提"),
    "eyeSquint": ("{eye}{adv}眯起", "{lower_lid}{adv}绷紧"),
    "gazeDown": ("{gaze}{adv}向下", "{gaze}{adv}下移"),
    "gazeUp": ("{gaze}{adv}向上", "{gaze}{adv}上移"),
    "gazeLeft": ("{gaze}{adv}转向本人左侧", "{gaze}{adv}偏向本人左侧"),
    "gazeRight": ("{gaze}{adv}转向本人右侧", "{gaze}{adv}偏向本人右侧"),
    "gazeIn": ("{gaze}{adv}向鼻侧内收", "{gaze}{adv}向内"),
    "gazeOut": ("{gaze}{adv}向颞侧外展", "{gaze}{adv}向外"),
    "eyeRollLeft": ("{eye}眼球{adv}向本人左侧扭转",),
    "eyeRollRight": ("{eye}眼球{adv}向本人右侧扭转",),
    "noseSneer": ("{nose}{adv}皱起", "{nose}{adv}上提"),
    "cheekSquint": ("{cheek}{adv}上提", "{cheek}{adv}抬高"),
    "cheekPuff": ("双颊{adv}鼓起", "两腮{adv}鼓胀"),
    "mouthSmile": ("{corner}{adv}上扬", "{corner}{adv}向上拉起"),
    "mouthFrown": ("{corner}{adv}下拉", "{corner}{adv}下垂"),
    "mouthDimple": ("{corner}{adv}后收", "{corner}{adv}收紧成窝"),
    "mouthStretch": ("{corner}{adv}向外拉伸", "{corner}{adv}横向拉开"),
    "lipsRoll": ("双唇{adv}内卷", "双唇{adv}向内卷入"),
    "mouthRollUpper": ("上唇{adv}内卷", "上唇{adv}向内卷入"),
    "mouthRollLower": ("下唇{adv}内卷", "下唇{adv}向内卷入"),
    "lipsShrug": ("双唇{adv}上推", "双唇{adv}向上顶起"),
    "mouthShrugUpper": ("上唇{adv}上推", "上唇{adv}向上顶起"),
    "mouthShrugLower": ("下唇{adv}上推", "下唇{adv}向上顶起"),
    "mouthPress": ("{lips}{adv}抿紧", "{lips}{adv}压紧"),
    "mouthPucker": ("双唇{adv}撅起", "双唇{adv}嘟起"),
    "mouthFunnel": ("双唇{adv}张成漏斗形", "双唇{adv}拢成圆筒形"),
    "mouthUpperUp": ("{upper}{adv}上提", "{upper}{adv}掀起"),
    "mouthLowerDown": ("{lower}{adv}下拉", "{lower}{adv}下翻"),
    "mouthClose": ("双唇{adv}合拢", "双唇{adv}靠拢"),
    "mouthCloseOverJaw": ("双唇在张开的下颌之上{adv}合拢", "下颌虽张开而双唇{adv}合拢"),
    "mouthLeft": ("嘴部{adv}移向本人左侧", "双唇{adv}偏向本人左侧"),
    "mouthRight": ("嘴部{adv}移向本人右侧", "双唇{adv}偏向本人右侧"),
    "jawOpen": ("下颌{adv}张开", "下颌{adv}下落"),
    "jawForward": ("下颌{adv}前伸", "下颌{adv}前突"),
    "jawLeft": ("下颌{adv}移向本人左侧", "下颌{adv}偏向本人左侧"),
    "jawRight": ("下颌{adv}移向本人右侧", "下颌{adv}偏向本人右侧"),
    "tongueOut": ("舌头{adv}伸出", "舌头{adv}吐出"),
    "headLeft": ("头部{adv}转向本人左侧",),
    "headRight": ("头部{adv}转向本人右侧",),
    "headUp": ("头部{adv}上仰", "头部{adv}抬起"),
    "headDown": ("头部{adv}下俯", "头部{adv}低下"),
    "headLeanLeft": ("头部{adv}向本人左侧倾斜", "头部{adv}歪向本人左侧"),
    "headLeanRight": ("头部{adv}向本人右侧倾斜", "头部{adv}歪向本人右侧"),
}
_LEVEL_PHRASES: dict[str, Forms] = {
    "eyeBlink": {
        "slight": ("{lid}略微下垂",),
        "moderate": ("{eye}半闭",),
        "strong": ("{eye}几乎闭上",),
        "extreme": ("{eye}完全闭上",),
    },
}
_NAMES = {
    "browOuterUp": "眉梢上扬", "browDown": "眉毛下压", "eyeBlink": "闭眼", "eyeWide": "睁大眼睛",
    "eyeSquint": "眯眼", "gazeDown": "目光向下", "gazeUp": "目光向上",
    "gazeLeft": "目光转向本人左侧", "gazeRight": "目光转向本人右侧", "gazeIn": "目光向内",
    "gazeOut": "目光向外", "eyeRollLeft": "眼球向本人左侧扭转", "eyeRollRight": "眼球向本人右侧扭转",
    "noseSneer": "鼻翼皱起", "cheekSquint": "面颊上提", "mouthSmile": "嘴角上扬",
    "mouthFrown": "嘴角下拉", "mouthDimple": "嘴角后收", "mouthStretch": "嘴角横向拉开",
    "mouthPress": "抿唇", "mouthUpperUp": "上唇上提", "mouthLowerDown": "下唇下拉",
    # for clips
    "browInnerUp": "眉头上抬", "cheekPuff": "双颊鼓起", "mouthRollUpper": "上唇内卷",
    "mouthRollLower": "下唇内卷", "mouthShrugUpper": "上唇上推", "mouthShrugLower": "下唇上推",
    "mouthPucker": "双唇撅起", "mouthFunnel": "双唇张成漏斗形", "mouthClose": "双唇合拢",
    "mouthLeft": "嘴部移向本人左侧", "mouthRight": "嘴部移向本人右侧", "jawOpen": "下颌张开",
    "jawForward": "下颌前伸", "jawLeft": "下颌移向本人左侧", "jawRight": "下颌移向本人右侧",
    "tongueOut": "舌头伸出", "headLeft": "头部转向本人左侧", "headRight": "头部转向本人右侧",
    "headUp": "头部上仰", "headDown": "头部下俯", "headLeanLeft": "头部向本人左侧倾斜",
    "headLeanRight": "头部向本人右侧倾斜",
}  # fmt: skip
_CATEGORIES = {
    "untracked": ("未测得面部",),
    "neutral": ("中性", "中性表情"),
    "happySurprise": ("惊喜", "喜悦与惊讶并存"),
    "angryDisgust": ("厌恶兼愤怒", "愤怒与厌恶并存"),
    "sadAnger": ("悲伤兼愤怒", "愤怒与悲伤并存"),
    "happyDisgust": ("喜悦兼厌恶", "喜悦与厌恶并存"),
    "happiness": ("喜悦（真挚的微笑）", "真挚的杜兴式微笑"),
    "fear": ("恐惧", "恐惧表情"),
    "surprise": ("惊讶", "惊讶表情"),
    "sadness": ("悲伤", "悲伤表情"),
    "anger": ("愤怒", "愤怒表情"),
    "disgust": ("厌恶", "厌恶表情"),
    "contempt": ("单侧轻蔑表情", "轻蔑"),
    "smile": ("微笑", "礼貌性微笑"),
    "winkLeft": ("左眼眨眼示意", "左眼单眨"),
    "winkRight": ("右眼眨眼示意", "右眼单眨"),
    "eyesClosed": ("闭眼", "双眼闭上"),
    "tongueOut": ("吐舌", "舌头伸出"),
    "cheekPuff": ("鼓腮", "双颊鼓起"),
    "pucker": ("撅嘴", "亲吻般的撅嘴"),
    "funnel": ("双唇张成漏斗形", "双唇拢成圆筒形"),
    "mouthWide": ("下颌大张", "下颌大幅张开"),
    "speech": ("说话般的下颌张开", "下颌张开如在说话"),
    "lipPress": ("抿唇", "双唇抿紧"),
    "frown": ("嘴角下拉", "嘴角下垂"),
    "browsRaised": ("眉头上抬", "眉头扬起"),
    "concentration": ("皱眉凝神", "双眉压低似在专注"),
    "squint": ("眯眼", "双眼眯起"),
    "eyesWide": ("睁大双眼", "双眼睁大"),
    "part": ("已测区域（{regions}）未见表情",),
    "faint": ("近乎中性", "近乎没有表情"),
    "other": ("非特定的面部动作", "无单一可命名的表情"),
}
_COMPANIONS = {
    "tongueOut": ("，伴吐舌",), "winkLeft": ("，伴左眼单眨",), "winkRight": ("，伴右眼单眨",),
    "eyesClosed": ("，伴闭眼", "，双眼闭上"), "cheekPuff": ("，伴鼓腮", "，双颊鼓起"),
    "pucker": ("，伴撅嘴",), "funnel": ("，双唇张成漏斗形",), "mouthWide": ("，下颌大张",),
    "speech": ("，伴说话般的下颌张开", "，下颌张开如在说话"),
    "lipPress": ("，伴抿唇", "，双唇抿紧"), "frown": ("，伴嘴角下拉", "，嘴角下垂"),
    "browsRaised": ("，伴眉头上抬", "，眉头扬起"), "concentration": ("，伴皱眉", "，双眉压低"),
    "squint": ("，伴眯眼", "，双眼眯起"), "eyesWide": ("，双眼睁大",),
}  # fmt: skip
_IMPLICATIONS = {
    "happySurprise": ("符合惊喜的表现", "流露出惊喜"),
    "angryDisgust": ("符合愤怒与厌恶并存的表现", "流露出愤怒与厌恶"),
    "sadAnger": ("符合悲伤与愤怒并存的表现", "流露出悲伤与愤怒"),
    "happyDisgust": ("符合喜悦与厌恶并存的表现", "流露出喜悦与厌恶"),
    "happiness": ("符合喜悦的表现", "流露出喜悦或愉快"),
    "fear": ("符合恐惧的表现", "流露出恐惧"),
    "surprise": ("符合惊讶的表现", "流露出惊讶"),
    "sadness": ("符合悲伤的表现", "流露出悲伤"),
    "anger": ("符合愤怒的表现", "流露出愤怒"),
    "disgust": ("符合厌恶的表现", "流露出厌恶"),
    "contempt": ("符合轻蔑的表现", "流露出轻蔑"),
}

_SAYING = Saying(
    adverbs=_ADVERBS,
    adjectives=_ADJECTIVES,
    nouns=_NOUNS,
    phrases=_PHRASES,
    level_phrases=_LEVEL_PHRASES,
    uneven=(
        "，{S}侧{HI}、{W}侧{LO}",
        "（{S}侧{HI}，{W}侧{LO}）",
        "，{S}侧{HI}而{W}侧仅{LO}",
    ),
    uneven_same=("，两侧均{HI}而{S}侧更强", "（两侧均{HI}，{S}侧更强）"),
    sides=("左", "右"),
    gaze_pair=("目光{x}{v}并{y}{h}", "双眼目光{x}{v}并{y}{h}"),
    gaze_pair_same=("目光{x}{v}并{h}", "双眼目光{x}{v}并{h}"),
    directions={
        "Down": "向下", "Up": "向上", "Left": "偏向本人左侧", "Right": "偏向本人右侧",
    },
    titles=(
        ("眉部", "眉毛"), ("眼部", "眼睛"), ("鼻部",), ("面颊",), ("嘴部", "口唇"), ("下颌",), ("舌",),
        ("头部",),
    ),
    names=_NAMES,
    imbalances=(
        ("本人左侧更强：", "本人左侧更明显："), ("本人右侧更强：", "本人右侧更明显："),
        ("仅本人左侧：", "只见于本人左侧："), ("仅本人右侧：", "只见于本人右侧："),
    ),
    categories=_CATEGORIES,
    companions=_COMPANIONS,
    implications=_IMPLICATIONS,
    fixed={
        "at_rest": "各区域：处于静止状态，未见可辨的动作。",
        "not_observable": "无法明确观察到",
        "symmetric": "基本对称",
        "part_at_rest": "已测区域（{regions}）：处于静止状态，未见可辨的动作。",
        "untracked": "本帧无测量数据。",
        "not_measured": "未测量",
    },
    clip={
        "length": ("片段长{seconds}秒。",),
        "blinks": ("双眼眨动{count}次，分别在{times}秒。",),
        "blink": ("双眼在{times}秒眨动一次。",),
        "wink": ("{side}眼在{times}秒单独眨动。",),
        "event": (
            "{start}秒至{end}秒，{name}（{where}{level}），{apex}秒达到顶点（{peak}）。",
            "{name}始于{start}秒，{apex}秒达到顶点（{where}{level}，{peak}），{end}秒消退。",
        ),
        "from_move": ("{name}始于{start}秒",),
        "from_clip": ("片段开始时{name}已在进行",),
        "from_face": ("{start}秒面部重新出现时{name}已在进行",),
        "from_pause": ("{start}秒记录恢复时{name}已在进行",),
        "from_channel": ("{start}秒开始测得时{name}已在进行",),
        "at_apex": ("，{apex}秒达到顶点（{where}{level}，{peak}）",),
        "at_hold": ("，在顶点附近保持{hold}秒（{where}{level}，{peak}）",),
        "to_move": ("，{end}秒消退。",),
        "to_clip": ("，持续到{end}秒片段结束。",),
        "to_face": ("，持续到{end}秒面部丢失。",),
        "to_pause": ("，持续到{end}秒记录中断。",),
        "to_channel": ("，{end}秒起未再测得。",),
        "hold": ("{start}秒至{end}秒，{name}（{where}{level}），在顶点附近保持{hold}秒（{peak}）。",),
        "lost": ("{start}秒至{end}秒面部丢失。",),
        "rest": ("另有{count}个较弱的动作从略。",),
        "still": ("面部保持静止。",),
        "both": ("两侧",), "left": ("左侧",), "right": ("右侧",),
        "more_left": ("两侧，左侧更强，",), "more_right": ("两侧，右侧更强，",),
        "space": ("",),
    },
    plural="",
    be=("", ""),
    comma="，",
    conjunction="，",
    last="，",
    names_joined=("、", "和", "和"),
    region_end="；",
    clause_end="；",
    full_stop="。",
    space_after_title="：",
)  # fmt: skip

# -- hearing -----------------------------------------------------------------------

_G = r"[^，。；、：:,.;（）()\s和与而并]{0,8}?"
_TO_LEFT = r"(?:向|往|移向|偏向|转向|歪向)(?:本人|其|被摄者|受试者)?(?:的)?左(?:侧|边|方)?"
_TO_RIGHT = r"(?:向|往|移向|偏向|转向|歪向)(?:本人|其|被摄者|受试者)?(?:的)?右(?:侧|边|方)?"
_UP = r"(?:上抬|抬起|上扬|扬起|抬高|上提|挑起|提升)"
_GAZE_WAY = (
    rf"{_TO_LEFT}|{_TO_RIGHT}|向下|下移|低垂|朝下|向上|上移|朝上|向内|内收|向鼻侧{_G}内收|向外|外展"
    rf"|向颞侧{_G}外展"
)


def _h(
    movements: str, pattern: str, level: tuple[str, str] | None = None, any_of: bool = False
) -> Heard:
    return Heard(tuple(movements.split()), pattern, None, level, any_of)


_HEARD = (
    _h("browInnerUp browOuterUp", rf"眉头(?:与|和)眉梢{_G}{_UP}|双眉从眉头到眉梢{_G}{_UP}|内外眉{_G}{_UP}"),
    _h("browInnerUp", rf"(?:眉头|内眉|眉毛?内[端侧角]){_G}{_UP}"),
    _h("browOuterUp", rf"(?:眉梢|外眉|眉毛?外[端侧角]|眉尾){_G}{_UP}"),
    _h("browInnerUp browOuterUp", rf"眉(?:毛)?{_G}{_UP}|挑眉|抬眉|扬眉", any_of=True),
    _h("browDown", rf"眉(?:毛)?{_G}(?:下压|压低|皱起|紧锁|下降|下沉|皱|蹙|向下)|皱眉|蹙眉|皱眉肌"),
    _h("eyeBlink", rf"眼{_G}半闭|半闭{_G}眼", ("moderate", "moderate")),
    _h("eyeBlink", rf"眼{_G}(?:几乎闭上|几乎闭合)", ("strong", "strong")),
    _h("eyeBlink", rf"眼{_G}(?:完全闭上|完全闭合|紧闭)", ("extreme", "extreme")),
    _h("eyeBlink", rf"眼(?:睛)?(?:闭上|闭着)|闭着?{_G}眼", ("strong", "extreme")),
    _h("eyeBlink", rf"眼(?:睑|皮)?{_G}(?:闭合|合拢|下垂)|眨眼|单眨|闭合{_G}眼"),
    _h("eyeBlink", rf"眼(?:睛)?{_G}睁开|睁开{_G}眼", ("", "moderate")),
    _h("eyeWide", rf"眼(?:睛)?{_G}(?:睁大|圆睁|瞪大)|上眼睑{_G}(?:上提|抬起|提升)|睁大{_G}眼(?:睛)?|瞪眼"),
    _h("eyeSquint", rf"眼(?:睛)?{_G}(?:眯起|眯)|眯{_G}眼|下眼睑{_G}(?:绷紧|收紧|上提)|眼轮匝肌"),
    _h("eyeRollLeft", rf"眼球{_G}{_TO_LEFT}扭转"),
    _h("eyeRollRight", rf"眼球{_G}{_TO_RIGHT}扭转"),
    _h("noseSneer", rf"鼻(?:翼|子|梁)?{_G}(?:皱起|上提|皱)|皱鼻|鼻唇沟{_G}(?:加深|上提|抬高)"),
    _h("cheekSquint", rf"(?:颊|脸颊|面颊|苹果肌){_G}(?:上提|抬高|抬起|隆起)"),
    _h("cheekPuff", rf"(?:颊|腮|脸颊){_G}(?:鼓起|鼓胀)|鼓腮|鼓起{_G}(?:腮|颊)"),
    _h("mouthSmile", rf"(?:嘴角|口角){_G}(?:上扬|向上拉起|上提|上翘|翘起|抬起)|微笑|笑容|笑意|颧大肌|(?<!似)笑(?!意|容)"),
    _h("mouthFrown", rf"(?:嘴角|口角){_G}(?:下拉|下垂|下撇|向下)"),
    _h("mouthDimple", rf"(?:嘴角|口角){_G}(?:后收|收紧成窝|内收)|酒窝"),
    _h("mouthStretch", rf"(?:嘴角|口角|嘴部|嘴唇){_G}(?:向外拉伸|横向拉开|横向拉伸|向两侧拉伸|拉伸)"),
    _h("mouthRollUpper mouthRollLower", rf"双唇{_G}(?:内卷|向内卷入)"),
    _h("mouthRollUpper", rf"上唇{_G}(?:内卷|向内卷入)"),
    _h("mouthRollLower", rf"下唇{_G}(?:内卷|向内卷入)"),
    _h("mouthShrugUpper mouthShrugLower", rf"双唇{_G}(?:上推|向上顶起)"),
    _h("mouthShrugUpper", rf"上唇{_G}(?:上推|向上顶起)"),
    _h("mouthShrugLower", rf"下唇{_G}(?:上推|向上顶起)|颏肌|下巴{_G}(?:上抬|皱起)"),
    _h("mouthPress", rf"唇{_G}(?:抿紧|压紧|紧抿|紧闭)|抿{_G}(?:唇|嘴)"),
    _h("mouthPucker", rf"唇{_G}(?:撅起|嘟起|噘起)|撅{_G}嘴|嘟{_G}嘴|噘嘴"),
    _h("mouthFunnel", rf"唇{_G}(?:张成漏斗形|拢成圆筒形|拢圆)"),
    _h("mouthUpperUp", rf"上唇{_G}(?:上提|掀起|抬起|上抬)"),
    _h("mouthLowerDown", rf"下唇{_G}(?:下拉|下翻|下压|向下)"),
    _h("mouthClose", rf"双唇在张开的下颌之上{_G}合拢|唇{_G}(?:合拢|靠拢)"),
    _h("mouthLeft", rf"(?:嘴部|嘴|双唇){_G}{_TO_LEFT}"),
    _h("mouthRight", rf"(?:嘴部|嘴|双唇){_G}{_TO_RIGHT}"),
    _h("jawOpen", rf"(?:下颌|下巴){_G}(?:张开|下落|大张|打开)|嘴(?:巴)?{_G}张开|张{_G}嘴"),
    _h("jawOpen", rf"嘴(?:巴)?{_G}(?:闭合|闭上|闭着|合上)", ("", "slight")),
    _h("jawForward", rf"(?:下颌|下巴){_G}(?:前伸|前突)"),
    _h("jawLeft", rf"(?:下颌|下巴){_G}{_TO_LEFT}"),
    _h("jawRight", rf"(?:下颌|下巴){_G}{_TO_RIGHT}"),
    _h("tongueOut", rf"舌(?:头|尖)?{_G}(?:伸出|吐出|外露)|吐舌"),
    _h("headLeft", rf"头(?:部)?{_G}转向(?:本人|其)?左侧?|头(?:部)?{_G}向(?:本人|其)?左侧?{_G}转"),
    _h("headRight", rf"头(?:部)?{_G}转向(?:本人|其)?右侧?|头(?:部)?{_G}向(?:本人|其)?右侧?{_G}转"),
    _h("headUp", rf"头(?:部)?{_G}(?:上仰|抬起|后仰)|仰头|抬头"),
    _h("headDown", rf"头(?:部)?{_G}(?:下俯|低下|低垂)|低头"),
    _h("headLeanLeft", rf"头(?:部)?{_G}(?:向(?:本人|其)?左侧?{_G}(?:倾斜|歪)|歪向(?:本人|其)?左侧?)"),
    _h("headLeanRight", rf"头(?:部)?{_G}(?:向(?:本人|其)?右侧?{_G}(?:倾斜|歪)|歪向(?:本人|其)?右侧?)"),
)  # fmt: skip
_BROWS = "browInnerUp browOuterUp browDown"
_LIPS = (
    "mouthPress mouthLowerDown mouthUpperUp mouthRollUpper mouthRollLower mouthShrugUpper "
    "mouthShrugLower mouthPucker mouthFunnel"
)
_AREAS = (
    _h("browOuterUp", r"眉梢|外眉", any_of=True),
    _h("browInnerUp", r"眉头|内眉", any_of=True),
    _h(_BROWS, r"眉(?:毛|部)?", any_of=True),
    _h("eyeBlink eyeSquint eyeWide", r"[双左右]眼|眼(?:睛|部|睑)", any_of=True),
    _h("noseSneer", r"鼻(?:子|部|翼)", any_of=True),
    _h("cheekPuff cheekSquint", r"[面脸双]颊", any_of=True),
    _h("mouthLowerDown mouthRollLower mouthShrugLower", r"下唇", any_of=True),
    _h("mouthUpperUp mouthRollUpper mouthShrugUpper", r"上唇", any_of=True),
    _h("mouthSmile mouthFrown mouthDimple mouthStretch", r"[嘴口]角", any_of=True),
    _h(f"mouthSmile mouthFrown mouthDimple mouthStretch {_LIPS}", r"嘴(?:部|巴)?|口唇|双唇", any_of=True),
    _h("jawOpen jawForward jawLeft jawRight", r"下颌|下巴", any_of=True),
    _h("tongueOut", r"舌(?:头)?", any_of=True),
    _h("headLeft headRight headUp headDown headLeanLeft headLeanRight", r"头部?", any_of=True),
)  # fmt: skip
_HEARING = Hearing(
    movements=_HEARD + ACTION_UNITS,
    areas=_AREAS,
    gaze=(
        rf"(?:[双左右]眼)?(?:目光|视线|注视|眼神){_G}(?P<a>{_GAZE_WAY})(?:[并且和、]{{1,2}}{_G}(?P<b>{_GAZE_WAY}))?"
        rf"|(?P<c>{_GAZE_WAY}){_G}(?:的目光|的视线|注视|看)"
    ),
    gaze_directions=(
        _h("gazeLeft", r"左"),
        _h("gazeRight", r"右"),
        _h("gazeDown", r"下|低垂"),
        _h("gazeUp", r"上"),
        _h("gazeIn", r"内"),
        _h("gazeOut", r"外"),
    ),
    levels=(
        (r"几乎没有|极其轻微|微乎其微|几不可见", "", "slight"),
        (r"轻微|略微|稍稍|稍微|微微|轻度|些许|较轻|细微|略有|略|稍", "slight", "slight"),
        (r"中等程度|中度|中等|适度", "moderate", "moderate"),
        (r"极度强烈|极度|极强|极大|极为|最大|完全|彻底", "extreme", "extreme"),
        (r"明显|较为|清晰", "moderate", "extreme"),
        (r"强烈|显著|大幅|高度|用力|紧紧|较强|强", "strong", "extreme"),
    ),
    left=r"左(?!右)",
    right=r"(?<!左)右",
    both=r"双|两侧|两边|左右",
    negation=r"没有|看不到|看不出|未见|并无|毫无|缺乏|无(?!法)|未(?!测)",
    at_rest=r"中性|放松|静止|不动|自然状态|未参与|无动作|没有动作|未活动",
    hedge=r"可能|或许|也许|似乎|暗示|提示|表明|像是|大概",
    asymmetric=r"不对称|差异|不均",
    symmetric=r"(?<!不)对称|一致|相同|均等",
    not_asymmetric=r"(?:无|没有|未见)(?:明显|显著)?的?(?:不对称|差异)",
    negligible=r"可忽略|不显著|正常范围",
    stronger=(
        r"(?:本人)?(?:(?P<l>左)|(?P<r>右))(?:侧|边)?(?:嘴角|眉毛|眉梢|面颊|脸颊|眼睛|眼睑)?(?:略|稍)?(?:更强|较强|更明显|更为明显|更显著|幅度更大|为主)"
        r"|(?:仅|只见于|仅限于|仅在)(?:本人)?(?:(?P<l2>左)|(?P<r2>右))(?:侧|边)"
    ),
    sided_level=(
        r"(?:(?P<left>左侧)|(?P<right>右侧)|(?P<both>两侧均))仅?(?P<level>[\u4e00-\u9fff]{2,4}?)(?=[，、。；（）()而]|$)"
    ),
    titles={
        "brow": r"(?:^|[\n。；])\s*眉(?:部|毛)[：:]",
        "eye": r"(?:^|[\n。；])\s*眼(?:部|睛)[：:]",
        "nose": r"(?:^|[\n。；])\s*鼻部[：:]",
        "cheek": r"(?:^|[\n。；])\s*(?:面|脸)颊[：:]",
        "mouth": r"(?:^|[\n。；])\s*(?:嘴部|口唇|嘴唇)[：:]",
        "jaw": r"(?:^|[\n。；])\s*下颌[：:]",
        "tongue": r"(?:^|[\n。；])\s*舌(?:头)?[：:]",
        "head": r"(?:^|[\n。；])\s*头部[：:]",
    },
    direction=rf"{_TO_LEFT}|{_TO_RIGHT}|本人[左右]侧",
    neutral_face=r"(?<!近乎)(?<!接近)中性(?:表情|面容)?",
    boundary=r"[，、：:（）(),]|并|但|同时|伴|以及|而",
    shared=r"[并和与及]|以及",
    listed=r"[、并和与及或]|以及|或者",
    clause=r"但|然而|而",
    sentence=r"[。；;！？!?\n]",
    fields={
        "expression_category": r"\n?\s*(?:\d[.)、]\s*)?(?:面部)?表情(?:类别|分类)\s*[：:]",
        "muscle_movements": r"\n?\s*(?:\d[.)、]\s*)?(?:详细)?(?:面部)?肌肉(?:运动|动作)\s*[：:]",
        "emotional_implication": r"\n?\s*(?:\d[.)、]\s*)?情[绪感](?:含义|暗示|意义)\s*[：:]",
        "symmetry": r"\n?\s*(?:\d[.)、]\s*)?(?:面部)?对称性(?:或不对称性?)?\s*[：:]",
    },
)  # fmt: skip

CHINESE = Lexicon("zh", _SAYING, _HEARING)
