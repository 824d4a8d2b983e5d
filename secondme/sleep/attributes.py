# ruff: noqa: E501 (a frame is read as one line)
"""The frames that clauses state things in: which verb names which attribute, and what its value looks like."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from secondme.sleep.vocabulary import NOT_ROLES

_I = re.IGNORECASE


@dataclass(frozen=True, slots=True)
class Frame:
    """What a verb with its prepositions states about its subject."""

    pattern: re.Pattern[str]
    """Matches from the verb on; groups `value`, and where the words have them `old`, `what`, `noun`."""
    attribute: str
    """May hold `{what}` or `{noun}`."""
    marks: str
    """`s` one-valued, `c` change, `n` ends or denies, `p` past, `o` its object is the subject, `d` may be a date."""
    shape: str
    """What the value must look like: place, body, name, thing, figure, work or any."""


_ROLE = r"(?:as (?:an? |the |their )?(?P<what>[\w ,/-]{2,40}?) )?"
_NUMBER = r"[€$£¥]?\d[\d.,:]*\d?"
_STATUS = "single|divorced|widowed|engaged|married|separated"
_DIET = r"vegan|vegetarian|pescatarian|flexitarian|keto|gluten[- ]free|dairy[- ]free|teetotal|halal|kosher"
_PLACE_NOUNS = (
    "city|country|continent|state|region|province|sport|religion|field|position|language|town|village|county|genre|party|rank|species"
    "|league|island|district|profession"
)
_MADE = (
    "born|founded|established|created|written|developed|performed|educated|composed|invented|discovered|directed|produced|designed"
    "|built|manufactured|headquartered|located|situated|buried|published|painted|sung|coached|owned|narrated|illustrated"
)
_SHIFT = r"(?:up |down |back |forward |over |out )?"
_OBJECT = r"(?P<object>(?:my|our|the|his|her|their|[A-Z]\w+'s) [\w' -]{2,40}?)"
_FROM = r"(?:from (?P<old>[^,]{1,40}?) )?"

# verbs | what follows the verb | attribute | marks | shape
_TABLE = rf"""
live lives reside resides | (?:back |right )?(?:in|at|near) (?P<value>.+) | lives in | s | place
lived resided | (?:back )?(?:in|at|near) (?P<value>.+) | lives in | sp | place
am is are | (?:now )?(?:based|settled|living) (?:in|at|out of) (?P<value>.+) | lives in | s | place
was were | (?:based|living) (?:in|at) (?P<value>.+) | lives in | sp | place
moved relocated emigrated settled | (?:back |over |away |house |home |here |out |down |up |across |permanently )*{_FROM}(?:to|in|into) (?P<value>.+) | lives in | sc | place
moved | (?:away |out )*(?:from|of) (?P<value>.+) | lives in | snc | place
work works | {_ROLE}(?:at|for) (?P<value>.+) | works at | s | body
work works | as (?:an? |the )?(?P<value>.+) | job | s | work
worked | {_ROLE}(?:at|for) (?P<value>.+) | works at | sp | body
worked | as (?:an? |the )?(?P<value>.+) | job | sp | work
am is are | (?:self-)?employed (?:at|by|with) (?P<value>.+) | works at | s | body
am is are | at (?P<value>[A-Z].+?) for (?:over |about |almost )?(?:\w+|\d+) (?:years?|months?) | works at | s | body
started began | (?:school )?(?:at|in) (?P<value>.*(?:School|College|University|Kindergarten).*) | studies at | sc | body
started began | (?:working |work |a new (?:job|role|position) |my (?:new )?job ){{0,2}}{_ROLE}(?:at|with|for) (?P<value>.+) | works at | sc | body
joined | (?P<value>[A-Z][^,]*?) as .+ | works at | sc | body
got accepted took landed | (?:an?|the|my) (?:new )?(?:job|position|role|offer) {_ROLE}(?:at|with|from) (?P<value>.+) | works at | sc | body
was is | my (?:very )?first day (?:of work |on the job )?(?:at|with) (?P<value>.+) | works at | sco | body
became | (?:an? |the )?(?P<value>.+) | job | sc | work
was were am is are | promoted to (?:an? |the )?(?P<value>.+) | job | sc | any
quit left resigned lost | (?:my |the |our )?(?P<value>)(?:job|position|work)$ | works at | snc | any
quit left resigned lost | (?:from )?(?:my |the |our )?(?:old |current )?(?:job|position|work|role) (?:at|with|in) (?P<value>.+) | works at | snc | any
quit left resigned retired | (?:from )?(?P<value>.+) | ended | nc | any
am is are | an? (?P<value>.+) | job | | work
was were got | (?:laid off|fired|let go|made redundant) (?:by|from|at) (?P<value>.+) | works at | snc | body
traded swapped replaced exchanged | (?:my |our |the )(?P<old>.+?) (?:for|with|by) (?:an? |the )?(?P<value>.+) | has | c | thing
study studies | (?P<value>(?!for\b|at\b|with\b|in\b|hard).+?)(?: at [A-Z].*)? | studies | | any
study studies | (?:at|in) (?P<value>.+) | studies at | s | body
studied | (?P<value>(?!for\b|at\b|with\b|hard).+?) at [A-Z].* | studies | p | any
am is are | majoring in (?P<value>.+) | major | s | any
am is are | (?:happily |newly )?married to (?P<value>.+) | is married to | s | name
am is are | (?P<value>engaged to .+) | marital status | s | any
am is are got | (?:happily |newly )?(?P<value>{_STATUS})$ | marital status | s | any
married | (?P<value>.+) | is married to | sc | name
am is are | (?:dating|seeing|in a relationship with|going out with) (?P<value>.+) | partner | s | name
broke split | up(?: with (?P<value>.+))? | partner | snc | any
divorced | (?P<value>.+) | is married to | snc | name
am is | (?P<value>\d{{1,3}})(?: years old| yo| y/o)?$ | age | s | any
turned | (?P<value>\d{{1,3}})$ | age | sc | any
am is are | (?:called|named) (?P<value>.+) | name | s | thing
renamed | {_OBJECT} (?:to |as )?(?P<value>[A-Z]\S*.*) | name | sco | thing
weigh weighs | (?:about |around |roughly )?(?P<value>\d.*) | weight | s | figure
am is | (?:down|up) to (?P<value>\d[\d.,]* ?(?:kg|kilos?|lbs?|pounds|stone)) | weight | sc | figure
am is | (?:about )?(?P<value>\d\S* ?(?:cm|m|ft|feet|foot|metres|meters|inches)?(?: \d+)?) tall | height | s | figure
wear wears | (?:an? )?(?:shoe )?size (?P<value>\S+.*) | size | s | figure
drive drives | (?:an? |the |my )?(?P<value>.+) | drives | s | model
am is are went became | (?:an? )?(?:strictly |mostly |fully )?(?P<value>{_DIET})$ | diet | s | any
take takes | (?P<value>\d\S* ?(?:mg|ml|g|mcg|µg|iu|units?|tablets?|pills?|drops?)) (?:of )?(?P<what>\w+).* | dose of {{what}} | s | figure
am is | on (?P<value>\d\S* ?(?:mg|ml|mcg|µg|iu|units?)) (?:of )?(?P<what>\w+).* | dose of {{what}} | s | figure
put pushed moved raised upped increased cut lowered reduced changed bumped switched rescheduled postponed brought delayed set updated | {_OBJECT} {_SHIFT}{_FROM}(?:to|until|for) (?P<value>.+) | ? | scdo | any
slipped went rose increased dropped fell jumped climbed changed moved | {_SHIFT}{_FROM}(?:to|until) (?P<value>.+) | ? | scd | figure
was were is are | (?:moved|rescheduled|postponed|pushed|put|brought|changed|raised|increased|cut|lowered|reduced|delayed|set|bumped) {_SHIFT}{_FROM}(?:to|until|for) (?P<value>.+) | ? | scd | any
runs run listens listen is are | on (?P<noun>port) (?P<value>\S+)$ | port | s | any
listens listen | on (?P<value>:?\d{{2,5}})$ | port | s | any
runs run is are | (?:on |at |in )?(?P<noun>version|branch|release|build|room|gate|seat|platform|floor) (?P<value>\S+)$ | {{noun}} | s | any
use uses | (?P<value>.+?) (?:for|as(?: an?| the| our)?) (?P<what>(?!about|over|almost|years|months|now|the (?:first|last|past)|\d|an? (?:week|month|year|while))[\w -]{{2,30}}) | uses for {{what}} | s | any
use uses | (?P<value>.+) | uses | | any
switched migrated upgraded converted changed moved | (?:over )?{_FROM}(?:to|onto) (?P<value>(?!the\b|a\b|my\b).+) | uses | c | any
like likes love loves enjoy enjoys adore adores | (?P<value>.+) | likes | | any
hate hates dislike dislikes detest detests loathe loathes | (?P<value>.+) | likes | n | any
am is are | (?:an? )?(?:(?:huge |big |great )?fan of|into|fond of|keen on) (?P<value>.+) | likes | | any
am is are | allergic to (?P<value>.+) | is allergic to | | any
died | in (?P<value>.+) | died in | s | thing
was were is are | (?P<noun>(?:{_MADE}) (?:in|by|at|on|for)) (?P<value>.+) | was {{noun}} | s | thing
was is | (?P<noun>an? (?:citizen|national|native)) of (?P<value>.+) | is a citizen of | s | thing
was is are | (?P<noun>famous|known|best known|notable) for (?P<value>.+) | is {{noun}} for | | thing
cost costs is | (?P<value>{_NUMBER}.*) | amount | s | figure
go goes | to (?P<value>.*(?:School|College|University|Kindergarten).*) | studies at | s | body
go goes | to (?P<value>.+) | goes to | | any
has have own owns | (?:got )?(?P<value>.+) | has | | thing
sold ditched cancelled canceled dropped scrapped deleted lost | (?P<value>.+) | ended | nc | any
gave | up (?:on )?(?P<value>.+) | ended | nc | any
got | rid of (?P<value>.+) | ended | nc | any
stopped quit | (?P<noun>[a-z]+ing)\b ?(?P<value>.*) | {{noun}} | nc | any
visited bought met adopted attended joined watched saw finished won | (?P<value>.+) | {{verb}} | | any
went | to (?P<value>.+) | went to | | any
"""
# The plain present of these states a habit or a state.
_HABITS = (
    "speak play drink eat read watch collect smoke practise practice attend teach ride run swim cook bake paint "
    "buy wear take own train volunteer prefer"
)
_APPOSITION = re.compile(
    rf"(?P<verb>(?:is|was|are|were|plays?|speaks?|works?|worked|died|lives?|belongs?|practi[sc]es?)(?: (?!the\b)[a-z]+){{0,3}}"
    rf" the (?:{_PLACE_NOUNS}) of) (?P<value>.+)"
)
_EVENT_TIMES = {
    "start": "starts", "begin": "starts", "open": "opens", "close": "closes", "shut": "closes", "leave": "leaves",
    "depart": "leaves", "arrive": "arrives", "end": "ends", "finish": "ends", "take place": "is on",
}  # fmt: skip

SECRET = re.compile(
    r"\b(?:passwords?(?! manager)|passcode|passphrase|pin|pin code|secret|api key|token|private key|cvv)\b", _I
)

_ING = {
    "living": "live", "using": "use", "driving": "drive", "taking": "take", "dating": "dating", "smoking": "smoke", "riding": "ride",
    "practising": "practise", "practicing": "practice", "running": "run", "swimming": "swim", "getting": "get", "loving": "love",
    "baking": "bake", "owning": "own",
}  # fmt: skip
_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?"
    "|dec(?:ember)?"
)
_WHEN = re.compile(
    r"(?:(?:due|scheduled|set|planned|booked|fixed)(?: for| on| at| by)? |on |at |for |by |this |next )*(?P<value>(?:the )?(?:\d{1,2}(?:st|nd|rd|th)?(?: of)? "
    rf"(?:{_MONTH})\b|(?:{_MONTH})\b(?: \d|$)|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\d{1,2}(?:[:.]\d\d)? ?(?:am|pm|a\.m|p\.m|o'clock)|\d{1,2}:\d\d|\d{4}-\d\d-\d\d"
    r"|\d{1,2}[./]\d{1,2}(?:[./]\d{2,4})?$|noon|midnight|half past|quarter (?:to|past)|(?:the )?\d{1,2}(?:st|nd|rd|th)\b).*)",
    _I,
)
_AT_HOUR = re.compile(
    r"at (?P<value>\d{1,2}(?:$| (?:in|every|each|on|sharp|o'clock|today|tomorrow|tonight|with|at|for|now)\b.*))", _I
)
_TYPED = re.compile(
    r"(?:in |on |at )?(?P<noun>port|version|room|gate|seat|platform|floor|branch|release) (?P<value>[\w.:/-]+)$", _I
)
_FIGURE = re.compile(rf"(?:about |around |roughly |now )?(?P<value>{_NUMBER}(?: ?[\w%€$£/.²³-]+){{0,5}})$")


@dataclass(frozen=True, slots=True)
class Match:
    """A frame found in a clause."""

    subject: str
    """The words before the verb, or the object where the frame speaks of that."""
    attribute: str
    value: str
    marks: str
    shape: str
    old: str = ""
    what: str = ""


def _read_table() -> dict[str, list[Frame]]:
    frames: dict[str, list[Frame]] = defaultdict(list)
    for line in _TABLE.strip().splitlines():
        verbs, rest, attribute, marks, shape = _columns(line)
        for verb in verbs.split():
            pattern = re.compile(rf"{verb} {rest}$".replace("$$", "$"))
            frames[verb].append(Frame(pattern, attribute.replace("{verb}", verb), marks, shape))
    for base in _HABITS.split():
        for verb in (base, third_person(base)):
            frames[verb].append(Frame(re.compile(rf"{verb} (?P<value>.+)$"), third_person(base), "", "any"))
    for base, attribute in _EVENT_TIMES.items():
        for verb in (base, third_person(base)):
            pattern = re.compile(rf"{verb} (?:at |on |from )?(?P<value>(?:at |on )?.*\d.*|noon|midnight)$")
            frames[verb].insert(0, Frame(pattern, attribute, "sd", "time"))
    return dict(frames)


def _columns(line: str) -> tuple[str, str, str, str, str]:
    verbs, _, rest = line.partition(" | ")
    pattern, attribute, marks, shape = rest.rsplit("|", 3)
    return verbs, pattern.strip(), attribute.strip(), marks.strip(), shape.strip()


def third_person(base: str) -> str:
    """Return "goes" for "go"."""
    if base.endswith(("s", "sh", "ch", "x", "o")):
        return base + "es"
    return base[:-1] + "ies" if base.endswith("y") and base[-2:-1] not in "aeiou" else base + "s"


def base_of(ing: str) -> str:
    """Return "run" for "running"."""
    if ing in _ING:
        return _ING[ing]
    stem = ing[:-3]
    return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "ls" else stem


_FRAMES = _read_table()
_VERB = re.compile(rf"\b(?:{'|'.join(sorted(_FRAMES, key=len, reverse=True))})\b(?= )")


def find_frames(text: str) -> list[Match]:
    """Return what the first verbs of a clause may state, the likeliest first; other rules decide which is said."""
    found = []
    for verb in list(_VERB.finditer(text))[:4]:
        subject = text[: verb.start()].strip()
        if apposition := _APPOSITION.match(text, verb.start()):
            found.append(Match(subject, apposition["verb"], apposition["value"], "s", "thing"))
        for frame in _FRAMES[verb[0]]:
            if match := frame.pattern.match(text, verb.start()):
                groups = match.groupdict()
                what, noun = (groups.get("what") or "").lower(), (groups.get("noun") or "").lower()
                attribute = frame.attribute.format(what=what, noun=noun) if "{" in frame.attribute else frame.attribute
                if noun.endswith("ing"):
                    attribute = third_person(base_of(noun))
                shown = (groups.get("object") or "") if "o" in frame.marks else subject
                found.append(
                    Match(
                        shown,
                        attribute,
                        (groups.get("value") or "").strip(),
                        frame.marks,
                        frame.shape,
                        groups.get("old") or "",
                        what,
                    )
                )
    return found


def kind_of(value: str) -> tuple[str, str] | None:
    """Return the attribute that the look of a value names, and the value: when, port, amount ..., or None."""
    if match := _TYPED.match(value):
        return match["noun"].lower(), match["value"]
    if match := _WHEN.match(value) or _AT_HOUR.match(value):
        return "when", match["value"].strip()
    if match := _FIGURE.match(value):
        return "amount", match["value"].strip()
    return None


def is_role(noun: str) -> bool:
    """True if the noun may name what only one can be: the chairperson, the capital."""
    words = noun.lower().split()
    return bool(words) and not NOT_ROLES.intersection(words) and not words[-1].endswith("est") and len(words) <= 6
