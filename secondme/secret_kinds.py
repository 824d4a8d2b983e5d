"""The kinds of secrets, each with what it looks like. Names and shapes are those that their makers publish."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise


def _anything(text: str) -> bool:
    return bool(text)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of secret."""

    name: str
    pattern: str
    """Its group `secret`, where it has one, is what is masked. Compiled where it is needed, which is hardly ever."""
    triggers: tuple[str, ...] = ()
    """One of these stands in every text that holds one; empty for what is made of figures."""
    is_one: Callable[[str], bool] = _anything
    """Tells from the text that is masked whether it is one after all."""


def _is_random(text: str) -> bool:
    """True if a text is no word or name: it has figures among letters, and neither is all in one row."""
    body = re.sub(r"^[a-z]+-", "", text)
    changes = sum(a.isdigit() != b.isdigit() for a, b in pairwise(body))
    return any(c.isdigit() for c in body) and any(c.isalpha() for c in body) and changes >= 3


def _is_mixed(text: str) -> bool:
    return any(c.isdigit() for c in text) and any(c.isalpha() for c in text)


def _passes_luhn(text: str) -> bool:
    digits = [int(c) for c in reversed(text) if c.isdigit()]
    total = sum(digits[0::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return total % 10 == 0


_CARDS = (
    (re.compile(r"4"), (13, 16, 19)),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"6011|65|64[4-9]"), (16, 19)),
    (re.compile(r"352[89]|35[3-8]"), (16,)),
    (re.compile(r"30[0-5]|3[689]"), (14,)),
    (re.compile(r"62"), (16, 19)),
)
_GROUPED = re.compile(
    r"\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}"
    r"|\d{4}([ -])\d{4}\3\d{4}\3\d{4}\3\d{3}"
)


def is_card(text: str) -> bool:
    """True if a row of figures is the number of a payment card: its grouping, issuer, length and check digit."""
    digits = re.sub(r"\D", "", text)
    is_issued = any(prefix.match(digits) and len(digits) in lengths for prefix, lengths in _CARDS)
    return bool(is_issued and len(set(digits)) > 3 and _GROUPED.fullmatch(text) and _passes_luhn(digits))


_COUNTRIES = """AD:24 AE:23 AL:28 AT:20 AZ:28 BA:20 BE:16 BG:22 BH:22 BR:29 BY:28 CH:21 CR:22 CY:28 CZ:24 DE:22 DK:18
    DO:28 EE:20 EG:29 ES:24 FI:18 FO:18 FR:27 GB:22 GE:22 GI:23 GL:18 GR:27 GT:28 HR:21 HU:28 IE:22 IL:23 IQ:23 IS:26
    IT:27 JO:30 KW:30 KZ:20 LB:28 LI:21 LT:20 LU:20 LV:21 MC:27 MD:24 ME:22 MK:19 MR:27 MT:31 MU:30 NL:18 NO:15 PK:24
    PL:28 PS:29 PT:25 QA:29 RO:24 RS:22 SA:24 SE:24 SI:19 SK:24 SM:27 TN:24 TR:26 UA:29 VA:22 VG:24 XK:20"""
_IBAN = {part[:2]: int(part[3:]) for part in _COUNTRIES.split()}


def _iban_pattern() -> str:
    """Return what looks like an account number: behind it may follow words in capital letters."""
    by_length: dict[int, list[str]] = {}
    for country, length in _IBAN.items():
        by_length.setdefault(length - 4, []).append(country)
    shapes = (rf"(?:{'|'.join(names)})\d\d(?:[ -]?[A-Z0-9]){{{rest}}}" for rest, names in by_length.items())
    return rf"(?:{'|'.join(shapes)})(?![A-Za-z0-9])"


def is_iban(text: str) -> bool:
    """True if a text is the number of a bank account: a country, its length, and the check digits (ISO 7064)."""
    compact = text.replace(" ", "").replace("-", "")
    if len(compact) != _IBAN.get(compact[:2], 0):
        return False
    turned = compact[4:] + compact[:4]
    return turned.isalnum() and int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def _kind(name: str, pattern: str, *triggers: str, is_one: Callable[[str], bool] = _anything) -> Kind:
    return Kind(name, pattern, triggers, is_one)


# A dash or letter before it makes it part of something else; behind it, all that belongs to it is taken.
_A = r"(?<![A-Za-z0-9_])"
KINDS = (
    _kind("aws-key", rf"{_A}(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{{16}}(?![A-Za-z0-9])", "AKIA", "ASIA", "ABIA", "ACCA"),
    _kind(
        "aws-key",
        r"(?i:aws.{0,20}(?:secret|access)?.{0,20}key(?:\")?\s{0,3}(?:=|:|=>)\s{0,3}[\"']?)"
        r"(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
        "aws",
        "AWS",
        "Aws",
        is_one=_is_mixed,
    ),
    _kind(
        "github-token",
        rf"{_A}(?:gh[pousr]_[A-Za-z0-9]{{30,255}}|github_pat_[A-Za-z0-9_]{{22,255}})",
        *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    ),
    _kind("gitlab-token", rf"{_A}gl(?:pat|dt|rt|ptt|cbt|oas|soat|ft|imt|agent|ffct)-[A-Za-z0-9_=.-]{{20,300}}", "gl"),
    _kind(
        "slack-token",
        rf"{_A}(?:xox[abeoprs]-[A-Za-z0-9-]{{10,250}}|xapp-\d-[A-Za-z0-9-]{{20,250}})"
        r"|(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[A-Za-z0-9/+]{20,100}",
        *("xox", "xapp-", "hooks.slack.com"),
    ),
    _kind("anthropic-key", rf"{_A}sk-ant-[A-Za-z0-9_-]{{20,200}}", "sk-ant-"),
    _kind(
        "openai-key",
        rf"{_A}sk-(?!ant-)(?:proj-|svcacct-|admin-|or-v1-)?[A-Za-z0-9_-]{{20,200}}",
        "sk-",
        is_one=lambda text: _is_random(text) and any(c.isalpha() for c in text[8:]),
    ),
    _kind(
        "stripe-key",
        rf"{_A}(?:(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{{16,250}}|whsec_[A-Za-z0-9+/=]{{24,100}})",
        "k_",
        "whsec_",
    ),
    _kind(
        "google-key",
        rf"{_A}(?:AIza[A-Za-z0-9_-]{{35}}|GOCSPX-[A-Za-z0-9_-]{{28}}|ya29\.[A-Za-z0-9_-]{{20,400}})(?![A-Za-z0-9_-])",
        *("AIza", "GOCSPX-", "ya29."),
    ),
    _kind("npm-token", rf"{_A}npm_[A-Za-z0-9]{{36}}(?![A-Za-z0-9])", "npm_"),
    _kind("pypi-token", rf"{_A}pypi-[A-Za-z0-9_-]{{50,500}}", "pypi-", is_one=_is_mixed),
    _kind("huggingface-token", rf"{_A}(?:hf|api_org)_[A-Za-z0-9]{{30,60}}(?![A-Za-z0-9])", "hf_", "api_org_"),
    _kind("telegram-token", r"(?<![\w-])\d{8,10}:AA[A-Za-z0-9_-]{32,33}(?![A-Za-z0-9_-])", ":AA"),
    _kind("sendgrid-key", rf"{_A}SG\.[A-Za-z0-9_-]{{16,32}}\.[A-Za-z0-9_-]{{16,64}}", "SG."),
    _kind("twilio-key", rf"{_A}SK[0-9a-f]{{32}}(?![0-9a-zA-Z])", "SK"),
    _kind(
        "azure-key",
        r"(?:AccountKey|SharedAccessKey)=(?P<secret>[A-Za-z0-9+/]{40,90}={0,2})",
        "AccountKey=",
        "SharedAccessKey=",
    ),
    _kind(
        "service-token",
        rf"{_A}(?:do[opr]_v1_[0-9a-f]{{64}}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{{32}}|dapi[0-9a-f]{{32}}|NRAK-[A-Z0-9]{{27}}"
        r"|lin_api_[A-Za-z0-9]{32,60}|PMAK-[0-9a-f]{24}-[0-9a-f]{34}|gsk_[A-Za-z0-9]{40,60}|dckr_pat_[A-Za-z0-9_-]{20,60}"
        r"|dp\.(?:pt|st|ct)\.[A-Za-z0-9]{40,60}|hv[sb]\.[A-Za-z0-9_-]{24,200}|r8_[A-Za-z0-9]{37}|xai-[A-Za-z0-9]{60,100}"
        r"|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}|secret_[A-Za-z0-9]{43}|ntn_[A-Za-z0-9]{40,60}|key-[0-9a-f]{32}"
        r"|figd_[A-Za-z0-9_-]{40,50}"
        r"|sq0(?:atp|csp)-[A-Za-z0-9_-]{22,43}|EAACEdEose0cBA[A-Za-z0-9]{20,200}|glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}"
        r"|AGE-SECRET-KEY-1[0-9A-Z]{58})(?![A-Za-z0-9])",
        *"_v1_ shp dapi NRAK- lin_api_ PMAK- gsk_ dckr_pat_ dp. hvs. hvb. r8_ xai- pat secret_".split(),  # noqa: SIM905
        *"ntn_ key- figd_ sq0 EAAC glsa_ AGE-SECRET".split(),  # noqa: SIM905
        is_one=_is_mixed,
    ),
    _kind("jwt", rf"{_A}eyJ[A-Za-z0-9_-]{{10,4000}}\.eyJ[A-Za-z0-9_-]{{10,4000}}\.[A-Za-z0-9_-]{{10,1000}}", "eyJ"),
    _kind(
        "password",
        r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,15}://(?P<user>[^\s/:@\[\]\"'<>]{0,64}):"
        r"(?P<secret>(?!(?P=user)@|⟦|<|\$|\{|(?i:pass(?:word|wd)?|pwd|secret|\*+|x+|\.+)@)[^\s/@\"'<>]{3,128})@[A-Za-z0-9\[]",
        "://",
        is_one=lambda text: not re.fullmatch(r"[A-Z]+(?:_[A-Z]+)*", text),
    ),
    _kind("password", r"(?i:\blogin[ \t]+\S{1,64}[ \t]+password[ \t]+)(?P<secret>(?!⟦)\S{4,128})", "login", "LOGIN"),
    _kind(
        "password",
        r"(?i:\bauthorization[\"']?[ \t]*:[ \t]*[\"']?(?:bearer|basic|token)[ \t]+|\bbearer[ \t]+)"
        r"(?P<secret>[A-Za-z0-9._~+/-]{16,4000}=*)",
        *("earer", "EARER", "uthorization"),
        is_one=lambda text: _is_random(text) or (len(text) >= 24 and _is_mixed(text)),
    ),
    _kind("card-number", r"(?<![\w.:/#+-])\d(?:[ -]?\d){12,18}(?![\w-]|\.\d)", is_one=is_card),
    _kind("bank-account", _A + _iban_pattern(), is_one=is_iban),
    _kind(
        "bank-account",
        r"(?i:\b(?:account|acct|a/c|konto|kontonummer|routing|aba|sort[ -]code|bank[ -]account)"
        r"[ \t]*(?:(?:number|num|no|nr)?\.?[ \t]*(?:[:=#]|is)|n[or]\.)[ \t]*)"
        r"(?P<secret>\d(?:[ -]?\d){5,17})(?![\w-]|[.,/]\d)",
    ),
)

VALUE = (
    r"[\"'`*_]{0,3}[ \t]{0,3}(?::=|=>|=(?!=)|:(?![:/]))[ \t]{0,3}[*_]{0,2}[ \t]{0,2}"
    r"(?:(?P<q>[\"'`])(?P<quoted>[^\"'`\n]{4,200})(?P=q)|(?P<bare>[^\s\"'`,;<>|]{4,200}))"
)
"""What stands behind the name of a secret: a sign and a value."""


def _is_password(text: str) -> bool:
    """True if somebody might have chosen it to be a password: more than a word, or very long."""
    return sum(c.isalpha() for c in text) < len(text) or len(text) >= 20


def _is_token(text: str) -> bool:
    return len(text) >= 8 and _is_mixed(text)


ASSIGNED: tuple[tuple[str, tuple[str, ...], Callable[[str], bool]], ...] = (
    *((word, (), _is_password) for word in ("password", "passwd", "passphrase", "passcode", "passwort", "kennwort")),
    *((word, (), _is_password) for word in ("contraseña", "senha", "mot de passe", "pwd")),
    *((word, (), _is_token) for word in ("secret", "token", "credential", "credentials")),
    ("key", ("api", "access", "account", "auth", "encryption", "secret", "private"), _is_token),
)
"""Names of secrets in small letters, one of the words that have to stand before, and what the value has to be."""
