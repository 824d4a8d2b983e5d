"""Whether a line of a text that is not the user's speaks of the user: such a line never becomes a fact."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from secondme.records import HELD, HELD_REASONS, UNNAMED, FactKind
from secondme.sleep.english import AUXILIARIES, WORD, has_verb, is_finite, opening_end
from secondme.sleep.sentences import split_speaker
from secondme.sleep.statements import parse_statement
from secondme.sleep.turns import is_assistant
from secondme.sleep.vocabulary import word_set

# Letters that look like those of "I" and "you" in Latin.
_LOOKALIKES = str.maketrans("ІΙӀⅠіιıуοоеаѕсрΜМТТΥУЕАОСРНКВ", "IIIIiiiyooeascpMMTTYYEAOCPHKB")
_FIRST = re.compile(
    r"\b(?:i|i['’]?(?:m|ve|d|ll)|me|my|mine|myself|we|we['’](?:re|ve|ll|d)|our|ours|ourselves|(?-i:[Uu]s)"
    r"|you|your|yours|yourself|yourselves|u|ur|ya|y['’]?all|you['’](?:re|ve|ll|d)"
    # Those who write in another language say "I" as well.
    r"|ich|mich|mir|mein\w{0,2}|wir|unser\w{0,2}|du|dein\w{0,2}|je|moi|mon|mes|nous|notre|vous|votre|yo|nosotros|usted"
    r"|eu|meu|minha|ik|mijn|jag|jeg|mig|я|мне|меня|мой|моя|моё|мы|наш\w{0,2}|вы|ваш\w{0,2})\b|\b[jJ]['’]\w|[我私僕俺咱您你]",
    re.IGNORECASE,
)
_PLACE = r"(?:vault|memory|memories|notes?|diary|journal|account|machine|computer|device|assistant|inbox)"
_USER = re.compile(
    r"\busers?\b(?! (?:manual|guide|interface|names?|groups?|tests?|stor(?:y|ies))\b)"
    rf"|\b(?:owner|author|writer|keeper|holder|reader) of (?:this|these|the) {_PLACE}\b"
    rf"|\b{_PLACE}(?:['’]s)? (?:owner|holder|keeper|author)\b"
    r"|\bthe (?:owner|author|writer|reader|recipient|operator|principal|human|addressee)\b(?! of (?!th(?:is|ese)\b))"
    r"|\bthis (?:person|human|individual|reader|owner)\b|\b(?:nutzer|benutzer|utilisateur|usuario|пользовател)\w*",
    re.IGNORECASE,
)
_NAMES_OF_USER = word_set("me myself i you user users owner human author self reader prompt")
_NO_NAMES = word_set(
    "profile memory memories about bio biography preference preferences summary record records entry statement quote "
    "remember system assistant info identity persona details facts context background instruction instructions name "
    "diet home job employer city country address phone email birthday allergy allergies likes dislikes favourite "
    "favorite confirmed verified important urgent correction correct answer response result output data metadata"
)
_OPENS = word_set(
    "the a an this that these those his her its their he she it they there here each every all some any both many few "
    "most several no one two three four five six seven eight nine ten according in on at by from for since during "
    "after before under over near between with within without as if when while where because although"
)


def why_held(text: str, kind: FactKind, *, author: str, me: str, said_at: datetime) -> str:
    """Return why nothing is learned of a line in a text that is not the user's, "" where it speaks of others.

    `text` is the line made to stand alone, `author` whoever wrote it, "" where that is not known.
    """
    plain = [_plain(one) for one in (text, author, me)]
    # As it is written, and as it looks: words of other alphabets are words as well.
    alike = [one.translate(_LOOKALIKES) for one in plain]
    reasons = [_by_wording(said, kind, writer, name) for said, writer, name in (plain, alike)]
    if found := [why for why in HELD_REASONS if why in reasons]:
        return found[0]
    said = parse_statement(text, author=author, me=me, said_at=said_at)
    return HELD if said and (said.subject == me.lower() or said.subject.startswith(f"{me.lower()}'s ")) else ""


def _by_wording(text: str, kind: FactKind, author: str, me: str) -> str:
    said = text.removeprefix(f"{author}: ") if author else text
    if author and not _is_user(author, me):
        # Somebody's own "I" is that somebody; what is said of the user is not.
        return HELD if _speaks_of_user(said, me) else ""
    label, said = split_speaker(said, "")
    if _FIRST.search(label) or (label and (_is_user(label, me) or label.lower() in _NO_NAMES)):
        return HELD
    if label:
        return HELD if _speaks_of_user(said, me) else ""
    if _FIRST.search(said) or _speaks_of_user(said, me) or kind == "procedure":
        return HELD
    return "" if _names_its_subject(said) else UNNAMED


def _plain(text: str) -> str:
    """Return a text in plain letters, without what is not seen within a word."""
    whole = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in whole if unicodedata.category(sign) not in ("Cf", "Mn"))


def _is_user(name: str, me: str) -> bool:
    plain = name.strip().lower()
    return plain in {me.lower(), me.lower().split(" ", 1)[0]} or plain in _NAMES_OF_USER or is_assistant(name)


def _speaks_of_user(text: str, me: str) -> bool:
    names = {me, me.split(" ", 1)[0]} - {"me"}
    return bool(_USER.search(text)) or any(
        re.search(rf"\b{re.escape(name)}(?:['’]s)?\b", text, re.IGNORECASE) for name in names if name
    )


def _names_its_subject(text: str) -> bool:
    """True if a statement begins with whom or what it is about, and says something of it."""
    plain = text[opening_end(text) :]
    words = WORD.findall(plain[:200])
    if len(words) < 2 or not has_verb(plain) or re.match(r"[^.!?]{1,40}:\s", plain):
        return False
    first, second = words[0].lower(), words[1].lower()
    if first in _OPENS or words[0].isdigit():
        return True
    if second in AUXILIARIES or second in ("and", "of"):
        return True
    # "Prefers tea", "Bought a boat": a verb without anybody.
    is_verb = is_finite(first) or first.endswith(("ed", "ing"))
    return not is_verb
