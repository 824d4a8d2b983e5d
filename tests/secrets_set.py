"""Texts with made-up secrets, by kind, and texts that look like it and hold none.

Values are put together here, piece by piece, so that nothing that searches source code takes them for real ones.
"""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Iterator

_LETTERS, _DIGITS, _HEX = string.ascii_letters, string.digits, "0123456789abcdef"
_BOTH = _LETTERS + _DIGITS


def _some(source: random.Random, alphabet: str, count: int) -> str:
    """Return characters among which there are letters and figures."""
    made = [source.choice(alphabet) for _ in range(count)]
    for at in range(0, count, 4):
        made[at] = source.choice([c for c in alphabet if c.isdigit()] or alphabet)
    if count > 2:
        made[1] = source.choice([c for c in alphabet if c.isalpha()] or alphabet)
    return "".join(made)


def _luhn(digits: str) -> str:
    for last in _DIGITS:
        row = [int(c) for c in reversed(digits + last)]
        if (sum(row[0::2]) + sum(sum(divmod(2 * d, 10)) for d in row[1::2])) % 10 == 0:
            return digits + last
    raise AssertionError("one of ten figures fits")


def _card(source: random.Random, prefix: str, length: int, group: str) -> str:
    digits = _luhn(prefix + "".join(source.choice(_DIGITS) for _ in range(length - len(prefix) - 1)))
    if not group:
        return digits
    parts = (
        [digits[:4], digits[4:10], digits[10:]] if length == 15 else [digits[at : at + 4] for at in range(0, length, 4)]
    )
    return group.join(parts)


def _iban(source: random.Random, country: str, length: int, group: str) -> str:
    body = "".join(source.choice(_DIGITS) for _ in range(length - 4))
    check = 98 - int("".join(str(int(c, 36)) for c in body + country + "00")) % 97
    compact = f"{country}{check:02}{body}"
    return group.join(compact[at : at + 4] for at in range(0, length, 4)) if group else compact


def _pem(source: random.Random, kind: str, lines: int) -> str:
    body = "\n".join(_some(source, _BOTH + "+/", 64) for _ in range(lines))
    dashes = "-" * 5
    return f"{dashes}BEGIN {kind}{dashes}\n{body}\n{dashes}END {kind}{dashes}"


def _values(source: random.Random) -> Iterator[tuple[str, str]]:
    """Yield (kind, value), several of each kind."""

    def some(alphabet: str, count: int) -> str:
        return _some(source, alphabet, count)

    base32 = string.ascii_uppercase + "234567"
    for _ in range(3):
        yield "aws-key", "AK" + "IA" + "".join(source.choice(base32) for _ in range(16))
        yield "github-token", source.choice(["gh" + "p_", "gh" + "s_"]) + some(_BOTH, 36)
        yield "github-token", "github" + "_pat_" + some(_BOTH, 22) + "_" + some(_BOTH, 59)
        yield "gitlab-token", "gl" + "pat-" + some(_BOTH, 20)
        yield "slack-token", "xo" + f"xb-{source.randrange(10**11, 10**12)}-" + some(_BOTH, 24)
        yield "openai-key", "s" + "k-proj-" + some(_BOTH, 48)
        yield "openai-key", "s" + "k-" + some(_BOTH, 48)
        yield "anthropic-key", "s" + "k-ant-api03-" + some(_BOTH + "-_", 93)
        yield "stripe-key", "s" + "k_live_" + some(_BOTH, 24)
        yield "google-key", "AI" + "za" + some(_BOTH + "-_", 35)
        yield "npm-token", "np" + "m_" + some(_BOTH, 36)
        yield "pypi-token", "py" + "pi-AgEIcHlwaS5vcmc" + some(_BOTH, 60)
        yield "huggingface-token", "h" + "f_" + some(_BOTH, 34)
        yield "telegram-token", f"{source.randrange(10**9, 10**10)}:A" + "A" + some(_BOTH, 33)
        yield "sendgrid-key", "S" + "G." + some(_BOTH, 22) + "." + some(_BOTH, 43)
        yield "twilio-key", "S" + "K" + some(_HEX, 32)
        yield "service-token", "do" + "p_v1_" + some(_HEX, 64)
        yield "service-token", "shp" + "at_" + some(_HEX, 32)
        yield "service-token", "AGE-SECRET" + "-KEY-1" + some(string.ascii_uppercase + _DIGITS, 58)
        yield "jwt", "ey" + f"J{some(_BOTH, 20)}.ey" + f"J{some(_BOTH, 40)}.{some(_BOTH, 43)}"
        yield "private-key", _pem(source, "RSA PRIVATE" + " KEY", 6)
        yield "private-key", _pem(source, "OPENSSH PRIVATE" + " KEY", 3)
        yield "card-number", _card(source, "4", 16, source.choice(["", " ", "-"]))
        yield "card-number", _card(source, "53", 16, " ")
        yield "card-number", _card(source, "37", 15, source.choice(["", " "]))
        yield "bank-account", _iban(source, "DE", 22, source.choice(["", " "]))
        yield "bank-account", _iban(source, "PT", 25, " ")
        yield "bank-account", _iban(source, "ES", 24, "")


_AROUND = (
    "{}",
    "The one for the build server is {}.",
    'TOKEN_FOR_CI="{}"',
    "Ana: here it is: {} , tell nobody",
    "# Notes\n\n- renew in May\n- `{}`\n",
    "[2024-06-01 10:00] me: {}",
)
_PASSWORDS = (
    "password: hunter2",
    "Password: Tr0ub4dor&3",
    "wifi password = blue-42-horse",
    'password="correct horse battery staple 9"',
    "passwd: s3cr3t!x",
    "PASSWORD=Zk8#mmQ1",
    "db_password: 'p@55w0rd-prod'",
    "passphrase: seven-owls-eat-9-figs",
    "pwd=Winter2024!",
    "api_key = 9f8e7d6c5b4a39281706",
    "apikey: q1w2e3r4t5y6u7i8",
    "API-Key: 5f4dcc3b5aa765d61d83",
    "client_secret=8Kd93jfLsmQ02kdP",
    "secret: 7d1f0b2c9e8a4455",
    "access_token: a1b2c3d4e5f6a7b8c9d0",
    "auth_token='tk93kdls02kd'",
    "refresh_token => 0a9s8d7f6g5h4j3k",
    "secret_key: 'django-insecure-9x!q2w#e4r'",
    "private_key = 0x4c0883a69102937d6231471b",
    "Passwort: Sommer2024",
    "kennwort: Hase77&Igel",
    "contraseña: gato_1234x",
    "mot de passe : ch@t-noir-12",
    "senha: praia2023!",
    "postgres://ana:s9dk2lq@db.example.org/app",
    "https://deploy:k3y0fD00m@git.example.com/repo.git",
    "mongodb+srv://root:Ab12Cd34@cluster0.example.net",
    "redis://:pw93kd02@cache:6379",
    "smtp://bot%40x.org:mail99pw@smtp.example.org",
    "machine example.org login ana password kd93lsm2",
    "machine api.example.com login bot password Xy12Zw34Qq",
    "Authorization: Bearer 9s8d7f6a5s4d3f2g1h0j",
    'curl -H "Authorization: Basic YW5hOnMzY3IzdHB3MTIz"',
    "Bearer f3a9c1e7b5d2f8a6c4e0b1d7",
    "account number: 12345678",
    "Routing number: 021000021",
    "sort code: 20-00-00",
    "Konto: 1234567890",
    "Account no. 00441-12345-67",
    "acct # 998877665544",
)


def positives() -> list[tuple[str, str, str]]:
    """Return (kind, text, secret): the secret has to be masked as this kind and nothing of it may stay."""
    source = random.Random(20240601)
    found = []
    for place, (kind, value) in enumerate(_values(source)):
        for around in (_AROUND[place % len(_AROUND)], _AROUND[(place + 1) % len(_AROUND)]):
            found.append((kind, around.format(value), value))
    for text in _PASSWORDS:
        kind = (
            "bank-account" if text.lower().startswith(("account", "routing", "sort", "konto", "acct")) else "password"
        )
        found.append((kind, text, _secret_in(text)))
    connection = (
        "DefaultEndpointsProtocol=https;AccountName=ana;Account" + "Key=" + _some(source, _BOTH + "+/", 86) + "=="
    )
    found.append(("azure-key", connection, connection.partition("Key=")[2]))
    return found


def _secret_in(text: str) -> str:
    if "://" in text:
        return text.partition("://")[2].partition("@")[0].partition(":")[2]
    last = text.rstrip("\"'").replace('password="', "password=\x00").split("\x00")[-1]
    return last if "\x00" in text else last.split(" ")[-1].split("=")[-1].strip("\"'")


def negatives() -> list[str]:
    """Return texts without a secret."""
    source = random.Random(7)
    found = [
        "The password is on the fridge.",
        "password: ask Tom",
        "Password: required",
        "password: ********",
        "password: <your password>",
        "password=$DB_PASSWORD",
        "password: ${PASSWORD}",
        "password = os.environ['DB_PASSWORD']",
        "password=getpass.getpass()",
        "password: {{ vault_password }}",
        "Passwords: change them every year.",
        "He forgot his password again",
        "passphrase: see the safe",
        "token: string",
        "token = get_token(user1)",
        "api_key: API_KEY_PROD",
        "API key: see 1Password",
        "secret: true",
        "secret=None",
        "The secret to a good soup is time.",
        "Secrets: three tips for bread",
        "Key: value",
        "key: 4711",
        "Primary key: id",
        "foreign key (user_id2) references users (id)",
        "The key to flat 12 is with Ana.",
        "public_key = load('key2.pub')",
        "token count: 4096",
        "max_tokens=300",
        "tokens: 12345678",
        "a token of 20 characters",
        "JWTs begin with eyJ.",
        "AKIA is a prefix.",
        "sk-learn is fun",
        "sk-something-very-long-with-words-only",
        "ghp_ is how tokens begin",
        "xoxb- tokens belong to bots",
        "Bearer of bad news",
        "bearer tokens are sent in a header",
        "Authorization: Bearer <token>",
        "Authorization: Bearer $TOKEN",
        "http://localhost:8080/path",
        "https://user@example.org/x",
        "postgres://user:password@localhost/db",
        "postgres://user:pass@host/db",
        "ssh://git@example.com:22/repo",
        "https://example.com/a:b@c",
        "mailto:ana@example.org",
        "redis://localhost:6379/0",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "login ana, then choose a new password",
        "account number: see letter",
        "my account is 3 years old",
        "Konto: Sparkasse",
        "The account of 12 May",
        "sort code: ascending",
        "routing: /users/12345678/edit",
        "Order no. 12345678",
        "GB29 is a postcode area",
        "DE 2024 was warm",
        "IBAN: see the invoice",
        "card number: on the back",
        "Visa card ends in 4242",
        "4111 1111 1111 1112",
        "5500 0000 0000 0005",
        "1234 5678 9012 3456",
        "0000 0000 0000 0000",
        "pin code of the village: 4400-123",
        "secret_santa: ana_and_tom",
        "credentials: ask the admin",
        "client secret: n/a",
        "access key: under the mat",
        "password:",
        "password =",
        "api key",
        "my-api-key: my_api_key_here",
        "token: your-token-here",
        "token: xxxxxxxxxxxxxxxx",
        "secret: changeme",
        "password: example123",
        "pwd: /home/ana/notes",
        "cd $PWD && ls",
        "echo $TOKEN1234",
        "def token2id(text): ...",
        "tokenizer=bert-base-123",
        "self.token = self.client.token2",
        "SECRET_KEY = env('SECRET_KEY')",
        "settings.SECRET_KEY2.value",
        "passport: in the drawer",
        "password reset on 2024-06-01",
        "Password: 2024-06-01",
        "compass: 12345 north",
        "passes: 3 of 12",
        "bypass=1234x",
    ]
    for _ in range(12):
        number = source.randrange(10**9, 10**10)
        found += [
            f"commit {_some(source, _HEX, 40)}",
            f"sha256 {_some(source, _HEX, 64)}",
            f"md5: {_some(source, _HEX, 32)}",
            f"id {uuid.UUID(int=source.getrandbits(128))}",
            f"![](data:image/png;base64,{_some(source, _BOTH + '+/', 120)})",
            f"ISBN 978-3-16-1484{source.randrange(10)}0-{source.randrange(10)}",
            f"call +351 91{source.randrange(10)} 555 01{source.randrange(10)}{source.randrange(10)}",
            f"Tracking 1Z{_some(source, string.ascii_uppercase + _DIGITS, 16)}",
            f"Invoice {number} of 2024",
            f"order #{number}-{source.randrange(1000)}",
            f"2024-0{source.randrange(1, 9)}-1{source.randrange(10)}T10:00:00.{number}Z",
            f"EUR {source.randrange(10**6):,}.50 paid",
            f"https://example.org/watch?v={_some(source, _BOTH, 11)}",
            f"docker pull x@sha256:{_some(source, _HEX, 64)}",
            f"position 41.{source.randrange(10**14, 10**15)}, -8.{source.randrange(10**14, 10**15)}",
            f"pi is 3.{source.randrange(10**15, 10**16)}",
            f"block{source.randrange(10**15, 10**16)} and x{source.randrange(10**15, 10**16)}",
            f'etag "{_some(source, _HEX, 32)}"',
            f"ticket ABC-{source.randrange(10**4)}",
            f"IPv6 2001:db8::{_some(source, _HEX, 4)}:{_some(source, _HEX, 4)}",
        ]
    return found
