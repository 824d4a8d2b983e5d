"""What code knows of English: verbs and persons, openings and endings that say nothing, courtesies."""

from __future__ import annotations

import re
from collections.abc import Callable

from secondme.sleep.vocabulary import word_set

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_FLAGS = re.IGNORECASE


AUXILIARIES = word_set(
    "am is are was were be been being has have had do does did will would can could shall should may might must "
    "cannot ain't gonna gotta dont cant wont didnt doesnt isnt wasnt im ive"
)
IRREGULAR_PASTS = word_set(
    "went got took saw met made came bought said told gave found felt left lost began ran ate spent wrote won "
    "sold thought taught caught brought kept slept drove flew rode grew knew threw drew broke spoke chose woke "
    "wore swore tore froze rose fell forgot held led sat stood understood heard paid sent built lent meant dealt "
    "dreamt learnt burnt sang drank swam became sank shot lit bit hid quit cut hit hurt let put set cost read "
    "beat fed bred hung stuck struck dug swung spun wept crept swept fought sought bent lay laid"
)
_BASES = word_set(
    "accept add admire adopt advise agree aim allow answer apply appreciate arrive ask attend bake become begin "
    "believe belong bike bring build buy call care carry celebrate change check cherish choose clean climb close "
    "collect come commute consist contain contribute cook cost create cry dance decide design die do donate draw "
    "dream drink drive earn eat embrace enjoy enter expect expire explore face fall feed feel fight find finish "
    "fix fly focus follow forget gather get give go grow happen hate have hear help hike hire hold host hope hurt "
    "include inspire invite involve join keep know last lead learn leave let like listen live look lose love make "
    "manage marry matter mean meet mind miss motivate move need offer open organise organize own paint pay plan "
    "plant play prefer prepare produce promise provide push put race raise reach read realise realize receive "
    "recommend refuse relax remember remind rent repair require rest return ride run savor savour say see seem "
    "sell send serve set share show sign sing sit sleep smell sound speak spend stand start stay stop struggle "
    "study suffer suggest support surf swim take talk taste teach tell tend thank think train travel try turn "
    "understand use visit volunteer wait wake walk want wash watch wear weigh win wish work worry write"
)
_S_FORMS = frozenset(
    base[:-1] + "ies"
    if base[-1] == "y" and base[-2] not in "aeiou"
    else base + ("es" if base.endswith(("s", "sh", "ch", "x", "z", "o")) else "s")
    for base in _BASES
)
_VERBS = _BASES | _S_FORMS | AUXILIARIES | IRREGULAR_PASTS
_CONTRACTED = re.compile(
    r".*n['’]t|[^\W\d_]+['’](?:m|re|ve|ll|d)|(?:it|he|she|that|there|what|who|this|here|let)['’]s", _FLAGS
)

_ADVERBS = word_set("really just also always never often usually still even definitely truly totally")
_BEFORE_NOUN = word_set(
    "a an the my our his her their its this that to in on at of for with from by some any no and or"
)
_NOUN_IS = re.compile(
    r"[^\W\d_]['’]s\s+(?:an?|the|been|not|so|such|my|our|always|really|very|just|in|at|on|[\w-]+ing|[\w-]+ed)\b"
)

WOMEN = (
    "sister mother mom mum mummy mommy wife daughter aunt grandma grandmother niece girlfriend fiancée granddaughter"
)
MEN = "brother father dad daddy husband son uncle grandpa grandfather nephew boyfriend fiancé grandson"
_ANYONE = (
    "friend partner boss colleague coworker cousin neighbour neighbor roommate flatmate teacher doctor dentist manager "
    "landlord landlady therapist coach mentor client spouse kid child baby student classmate buddy fiance"
)
PERSONS = frozenset(f"{WOMEN} {MEN} {_ANYONE}".split())

TASK = re.compile(r"\[[ xX]\][ \t]+")

_LEAD_WORDS = (
    r"yeah|yea|yep|yup|yes|no|nope|well|so|oh|ah|aw+|wow|whoa|woah|ooh|oops|ugh|ok|okay|hey|hi|hiya|hello|btw|by\s+the\s+way|"
    r"anyways?|actually|honestly|also|plus|besides|thanks(?:\s+(?:so\s+much|a\s+lot|again))?|thank\s+you(?:\s+so\s+much)?|"
    r"thx|lol|lmao|omg|ha(?:ha)+|hehe|hm+|u[mh]+|right|true|sure(?:\s+thing)?|of\s+course|definitely|absolutely|totally|"
    r"exactly|agreed|guess\s+what|you\s+know(?:\s+what)?|as\s+you\s+know|i\s+mean|like|look|listen|tbh|"
    r"to\s+be\s+honest|in\s+fact|for\s+sure|no\s+worries|cool|nice|great|good|awesome|amazing|sweet|congrats|gosh|"
    r"congratulations|sorry|see|speaking\s+of\s+which|in\s+other\s+news|oof|phew|yay|woo\w*|hooray|argh|eek|j?geez|jeez|dang|damn|dude|bro|good\s+(?:morning|afternoon|evening)|gee|and|but"
)
_SUBJECT = r"(?:i|we|my|our|he|she|it|they|his|her|their|the|there)\b"
_LEAD = re.compile(
    rf"(?:(?:{_LEAD_WORDS})\b\s*(?:[,!.…:–—-]+\s*|(?=$))"
    rf"|(?i:hey|hi|hello|thanks|thank\s+you|yeah|yes|yep|wow|oh|sure|ok|okay|no|well|agreed|congrats|sorry|absolutely)"
    rf",?\s+(?-i:[A-Z][\w'’-]*)\s*[,!.…:–—-]+\s*"
    rf"|(?:and|but)\s+(?=\S)|(?:so|also|actually|oh|yeah|yes|hey|hi|hello|wow|btw|well|plus|then|lol|ha(?:ha)+|ok|okay)\s+(?={_SUBJECT}))",
    _FLAGS,
)
_VOCATIVE = re.compile(
    r"([A-Z][a-z]+)\s*,\s+(?=(?i:i|we|my|our|you|your|that|this|it|sounds|looks|great|glad|thanks|thank|congrats|hope|so|what|wow|love)\b)"
)
_SENTENCE_ADVERB = re.compile(
    r".*(?:ly|day|ber|times?|ary|wise|ward|ever|fore|less|while|haps)$"
    r"|(?:now|then|today|tonight|tomorrow|later|soon|once|often|again|still|March|April|May|June|July|August|Spring|"
    r"Summer|Autumn|Fall|Winter|Maybe|Instead|Overall|Besides|Here|There|First|Second|Third|Last|Next|Christmas|Easter)$",
    _FLAGS,
)
_TAIL = re.compile(
    r"(?:,?\s+(?:you\s+know|ya\s+know|lol|lmao|haha\w*|hehe|btw|by\s+the\s+way|xd|huh|eh|(?:take\s+a|have\s+a)\s+look|check\s+it\s+out)\s*[?.!]*"
    r"|\s*[\U0001F1E6-\U0001FAFF\u2600-\u27BF\uFE0F\u200D]+|\s+[:;]['’]?-?[()DPp3/]+|\s+<3)\s*$",
    _FLAGS,
)

_GOOD = (
    r"awesome|amazing|great|nice|cool|sweet|lovely|wonderful|fantastic|incredible|beautiful|gorgeous|perfect|good|super|"
    r"terrific|brilliant|excellent|inspiring|impressive|exciting|fun|funny|interesting|sad|terrible|awful|horrible|bad|"
    r"tough|rough|hard|crazy|wild|insane|hilarious|cute|adorable|stunning|neat|rad|sick|dope|true|right|correct|fine|"
    r"thoughtful|heartwarming|touching|powerful|special|peaceful|huge|happy|kind|strong|brave|yummy|delicious|important|"
    r"big\s+deal|a\s+blast|so|much|like\s+a\s+plan|like\s+fun|stressful|scary|tasty|relaxing|refreshing|rewarding|unreal"
)
_DEGREE = (
    r"so|such|really|very|totally|pretty|super|just|quite|truly|absolutely|too|all|always|a|an|also|definitely|even"
)
_EXCLAMATION = re.compile(
    r"(?:(?:that|it|this|they|those|these|he|she|everything|all|which|you|i)?\s*"
    r"(?:['’](?:s|re|ll|d|m)|must|is|was|are|were|sounds?|looks?|seems?|be|have|been|would|will|feels?|felt)?\s*)*?"
    rf"(?:(?:{_DEGREE})\s+)*(?:{_GOOD})(?:\s+(?:for\s+you|to\s+(?:hear|know|see)(?:\s+(?:that|it))?|job|work|idea|news|"
    rf"stuff|point|pic(?:ture)?|photo|time|of\s+you|indeed|too|though))?(?:\s*,?\s*(?:and|but|,)?\s*(?:(?:{_DEGREE})\s+)*"
    rf"(?:{_GOOD}))?(?:,\s*\w+)?\W*",
    _FLAGS,
)
_COURTESY = re.compile(
    r"(?:(?:many\s+|big\s+)?thanks|thank\s+(?:you|u)|thx|congrat\w*|good\s+(?:luck|job|morning|night|evening|afternoon|"
    r"to\s+(?:see|hear))|great\s+(?:to\s+(?:see|hear|chat)|job)|nice\s+(?:to\s+(?:see|hear|meet)|job|work)|well\s+done|"
    r"way\s+to\s+go|bye|goodbye|see\s+(?:you|ya)|take\s+care|"
    r"(?:you['’]?re|u\s+r|ur)\s+(?:so\s+|very\s+|most\s+)?welcome|no\s+(?:problem|worries|prob)|happy\s+(?:birthday|new"
    r"\s+year|anniversary|holidays)|merry\s+christmas|best\s+(?:of\s+luck|wishes)|all\s+the\s+best|hello|hi|hey|"
    r"cheers|talk\s+(?:to\s+you\s+)?(?:soon|later)|sounds\s+(?:like|good|great|fun|amazing|awesome|super|incredible)|"
    r"what\s+an?|such\s+an?|how\s+(?:are|is|['’]s|do|was|\w+ing|cool|nice|sweet|great|lovely|wonderful|awesome)|"
    r"long\s+time\s+no|(?:i\s+)?(?:totally\s+|completely\s+)?agreed?(?=\s*(?:[,.!]|$))|my\s+(?:pleasure|condolences|bad)|"
    r"time\s+flies|(?:i\s+)?just\s+want(?:ed)?\s+to\s+(?:say|tell|let)|(?:i['’]m\s+)?(?:so\s+)?sorry\s+(?:to\s+hear|for|about|['’]bout)|welcome\s+(?:back|to|home)|let\s+me\s+know|"
    r"keep\s+(?:it\s+up|up\s+the|going|in\s+touch)|have\s+(?:a\s+(?:good|great|nice|lovely|safe|wonderful)|fun))(?!\w)",
    _FLAGS,
)
_BOILERPLATE = re.compile(
    r"(?:to\s+)?unsubscribe\b|manage\s+(?:your\s+)?(?:preferences|subscription)|"
    r"you(?:['’]re|\s+are|\s+have)?\s+(?:receiv\w+|subscribed|getting)\s+(?:to\s+)?this|sent\s+from\s+my\b|"
    r"get\s+outlook\s+for|view\s+(?:this\s+)?(?:e-?mail\s+)?(?:online|in\s+(?:your\s+)?browser)|"
    r"(?:copyright\s+)?(?:©|\(c\))|all\s+rights\s+reserved|confidentiality\s+notice|"
    r"this\s+(?:e-?mail|message)\s+(?:and\s+any|is\s+(?:confidential|intended|sent)|was\s+sent|contains|may\s+contain)|"
    r"(?:best|kind|warm)(?:est)?\s+regards\b|regards\W*$|yours\s+(?:sincerely|faithfully|truly)|sincerely\W*$|"
    r"on\s.{4,80}\swrote:\s*$|-{2,}\s*$|<media\s+omitted>|\W*(?:image|video|audio|sticker|gif)\s+omitted\W*$",
    _FLAGS,
)


def is_finite(word: str) -> bool:
    """True if `word` can be the verb of a statement."""
    lower = word.lower()
    return lower in _VERBS or (len(lower) > 4 and lower.endswith("ed")) or bool(_CONTRACTED.fullmatch(lower))


def is_surely_finite(word: str) -> bool:
    """True if `word` is a verb wherever it stands behind a noun."""
    lower = word.lower()
    return lower in AUXILIARIES or lower in IRREGULAR_PASTS or bool(_CONTRACTED.fullmatch(lower))


def opens_command(text: str) -> bool:
    """True if `text` begins with a bare verb that has no subject."""
    words = WORD.findall(text[:80])[:2]
    if not words or words[0].lower() not in _BASES or words[0].lower() == "last":
        return False
    # "Work is hard": the first word is the noun.
    return len(words) < 2 or not (words[1].lower() in AUXILIARIES | _S_FORMS or _CONTRACTED.fullmatch(words[1]))


def lacks_subject(text: str) -> bool:
    """True if `text` begins with a verb whose subject was said before: "Takes a lot of courage", "Made me proud"."""
    words = [word.lower() for word in WORD.findall(text[:80])]
    while words and words[0] in _ADVERBS:
        del words[0]
    if len(words) < 2:
        return False
    if words[1] in {"me", "us"} and is_finite(words[0]):
        return True
    is_noun = words[1] in AUXILIARIES or words[1] in IRREGULAR_PASTS or words[1].endswith("ed")
    return (words[0] in _S_FORMS and not is_noun) or (
        words[0] in {"gonna", "must", "will", "would"} and words[1] == "be"
    )


def has_verb(text: str) -> bool:
    """True if `text` has a word that can only be, or most likely is, the verb of a statement."""
    words = WORD.findall(text)
    for before, word in zip(["", *words], words, strict=False):
        if is_surely_finite(word) or (is_finite(word) and before.lower() not in _BEFORE_NOUN):
            return True
        if before.lower() in _ADVERBS | {"he", "she", "it"} and word.endswith("s"):
            return True
    return bool(_NOUN_IS.search(text))


def opening_end(text: str) -> int:
    """Return where the statement begins behind the discourse markers, greetings and vocatives that open `text`."""
    position = 0
    while position < len(text):
        lead = _LEAD.match(text, position)
        name = None if lead else _VOCATIVE.match(text, position)
        if name and _SENTENCE_ADVERB.match(name[1]):
            name = None
        found = lead or name
        if not found or found.end() == position:
            break
        position = found.end()
    return position


def ending_start(text: str) -> int:
    """Return where the tags, laughs and emoji that close `text` begin."""
    end = len(text.rstrip())
    while end and (tail := _TAIL.search(text, max(0, end - 40), end)):
        end = len(text[: tail.start()].rstrip())
    return end


def is_courtesy(text: str) -> bool:
    """True if `text` is a greeting, thanks, a wish or an exclamation, and states nothing."""
    rest = text[opening_end(text) : ending_start(text)]
    return not WORD.search(rest) or bool(_COURTESY.match(rest) or (len(rest) < 90 and _EXCLAMATION.fullmatch(rest)))


is_boilerplate: Callable[[str], re.Match[str] | None] = _BOILERPLATE.match
