"""What of a passage is worth keeping: small models choose among its clauses, larger ones may word facts themselves."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Protocol

from secondme.config import SleepConfig
from secondme.errors import ConfigError
from secondme.models.prompts import SORTS, WRITE_GRAMMAR, parse_written, sort_prompt, write_prompt
from secondme.models.protocols import LanguageModel, Usage
from secondme.records import FactKind, Passage, Stance, Trust
from secondme.secrets import MASK
from secondme.sleep.clauses import Clause, clauses
from secondme.sleep.drafts import Draft, draft
from secondme.sleep.holding import why_held
from secondme.sleep.statements import parse_statement
from secondme.sleep.turns import Turn, is_assistant, is_within
from secondme.sleep.verify import LONGEST, TOO_LONG
from secondme.sleep.worth import worth

CHATTER = "not worth keeping"
SAID_BY_ASSISTANT = "said by an assistant"
MASKED = "a secret was masked in it"
SURE, HEDGED = 0.8, 0.5
"""How certain one line makes a fact, said plainly and said with a maybe."""
WORTH_KEEPING = 0.5
"""The least worth of a fact."""
WORTH_TYPED = 0.1
"""The same for a line that somebody took the trouble to type in."""
BUFFER_TOKENS = 512
"""How much of the lines a model that writes is given at once."""
LINES = 24
WRITTEN_TOKENS = 400
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Reading:
    """A passage, taken apart without a model."""

    passage: Passage
    drafts: tuple[Draft, ...]
    unfit: tuple[tuple[Clause, str], ...]
    """Clauses that cannot stand alone, and why."""
    trust: Trust
    """Whose words they are."""
    topic: int = 0
    """The number of the first passage of its topic; 0 where topics are not known."""

    def without(self, starts: Collection[int]) -> Reading:
        """Return the reading without the drafts of the lines that begin at these bytes."""
        return replace(self, drafts=tuple(draft for draft in self.drafts if draft.clause.start not in starts))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A fact that may be stored."""

    text: str
    clause: Clause
    kind: FactKind
    stance: Stance
    certainty: float
    reason: str
    """Why it was chosen."""
    rejected: str = ""
    """Why it was not."""


class Extractor(Protocol):
    """Something that proposes facts."""

    model: LanguageModel
    batch: int
    """How many passages it reads at once."""
    calls: int
    """Questions put to the model so far."""

    def extract(self, readings: Sequence[Reading], usage: Usage) -> list[list[Proposal]]:
        """Return what it proposes for each reading, counting on in `usage`."""


def read(passage: Passage, *, me: str, trust: Trust, turns: Sequence[Turn] = ()) -> Reading:
    """Return the clauses of a passage made to stand alone; what an assistant said is nobody's own.

    Of a passage that is quoted, nothing about the user is learned. `turns` are those of assistants in its note.
    """
    is_chat = passage.origin in ("chat", "import")
    # In one's own notes nobody is spoken to.
    speaker = passage.author if is_chat or passage.author != me else ""
    drafts: list[Draft] = []
    unfit: list[tuple[Clause, str]] = []
    before: list[str] = []
    for clause in clauses(passage.span, markdown=not is_chat):
        made = draft(clause, author=speaker, me=me, said_at=passage.happened_at, before=before)
        before.append(clause.text)
        if is_assistant(passage.author) or is_within(turns, clause.start):
            unfit.append((clause, SAID_BY_ASSISTANT))
        elif MASK in clause.text:
            unfit.append((clause, MASKED))
        elif isinstance(made, Draft) and len(made.text) > LONGEST:
            # Asked about, it might not fit into the model at all.
            unfit.append((clause, TOO_LONG))
        elif isinstance(made, Draft):
            drafts.append(made)
        else:
            unfit.append((clause, made))
    return _without_held(Reading(passage, tuple(drafts), tuple(unfit), trust), me)


def _without_held(reading: Reading, me: str) -> Reading:
    reasons = [(one, held(reading, one.text, one.kind, me=me)) for one in reading.drafts]
    drafts = tuple(one for one, why in reasons if not why)
    return replace(reading, drafts=drafts, unfit=(*reading.unfit, *((one.clause, why) for one, why in reasons if why)))


def held(reading: Reading, text: str, kind: FactKind, *, me: str) -> str:
    """Return why a fact in the words of a passage is not learned because of whose words they are, "" where it is."""
    passage = reading.passage
    if reading.trust == "own":
        return ""
    return why_held(text, kind, author=passage.author, me=me, said_at=passage.happened_at)


class Selector:
    """Lets a model of any size sort statements into facts and talk; the words stay the speaker's own."""

    batch = 8

    def __init__(self, model: LanguageModel, *, me: str) -> None:
        """Ask `model`; `me` is the user's name."""
        self.model = model
        self.calls = 0
        self._me = me

    def extract(self, readings: Sequence[Reading], usage: Usage) -> list[list[Proposal]]:
        """Return every draft as a proposal, those of too little worth as rejected."""
        drafts = [(reading.passage, one) for reading in readings for one in reading.drafts]
        asked = [one.text for passage, one in drafts if not self._is_plain(passage, one)]
        odds = dict(zip(asked, self.odds(asked, usage), strict=True))
        return [[_selected(one, reading.passage, odds) for one in reading.drafts] for reading in readings]

    def _is_plain(self, passage: Passage, one: Draft) -> bool:
        """True if the rules read the statement: what they know, such as a home, a taste or a price, is no talk."""
        return parse_statement(one.text, author=passage.author, me=self._me, said_at=passage.happened_at) is not None

    def odds(self, texts: Sequence[str], usage: Usage) -> list[float]:
        """Return the log-odds that each text is a fact rather than talk."""
        if not texts:
            return []
        used = Usage()
        try:
            weights = self.model.weigh([sort_prompt(text) for text in texts], SORTS, usage=used)
        finally:
            add_up(usage, used)
        self.calls += len(texts)
        return [math.log((math.exp(a) + math.exp(b) + _TINY) / (math.exp(c) + _TINY)) for a, b, c in weights]


class Writer:
    """Lets a larger model word the facts of a few lines at once; what it writes has to pass the gate."""

    batch = 12

    def __init__(self, model: LanguageModel) -> None:
        """Ask `model`."""
        self.model = model
        self.calls = 0

    def extract(self, readings: Sequence[Reading], usage: Usage) -> list[list[Proposal]]:
        """Return what the model wrote for each reading, and the lines it passed over as rejected."""
        lines = [(place, one) for place, reading in enumerate(readings) for one in reading.drafts]
        found: list[list[Proposal]] = [[] for _ in readings]
        for buffer in self._buffers(
            lines, [(reading.passage.thread, reading.topic, reading.trust) for reading in readings]
        ):
            written = self._write([one.text for _, one in buffer], usage)
            for number, (place, one) in enumerate(buffer):
                texts = [text for line, text in written if line == number]
                found[place] += [_written(one, text) for text in texts] or [_proposal(one, rejected=CHATTER)]
        return found

    def _buffers(
        self, lines: Sequence[tuple[int, Draft]], topics: Sequence[tuple[str, int, Trust]]
    ) -> Iterator[list[tuple[int, Draft]]]:
        """Yield lines that are read together: on one topic of one thread, of one writer, and not too many."""
        buffer: list[tuple[int, Draft]] = []
        size = 0
        for place, one in lines:
            length = self.model.count(one.text)
            is_other = bool(buffer) and topics[buffer[-1][0]] != topics[place]
            if buffer and (is_other or size + length > BUFFER_TOKENS or len(buffer) == LINES):
                yield buffer
                buffer, size = [], 0
            buffer.append((place, one))
            size += length
        if buffer:
            yield buffer

    def _write(self, lines: Sequence[str], usage: Usage) -> list[tuple[int, str]]:
        used = Usage()
        reply = self.model.reply(
            write_prompt(lines), max_tokens=WRITTEN_TOKENS, grammar=WRITE_GRAMMAR, stop=("\n\n",), usage=used
        )
        try:
            with closing(reply):
                text = "".join(reply)
        finally:
            add_up(usage, used)
        self.calls += 1
        return parse_written(text, lines=len(lines), truncated=used.truncated)


def choose_extractor(model: LanguageModel, config: SleepConfig, *, me: str) -> Extractor:
    """Return what extracts with this model. Raises ConfigError."""
    match config.extractor:
        case "select":
            return Selector(model, me=me)
        case "write":
            return Writer(model)
    raise ConfigError(f"sleep.extractor is {config.extractor!r}", hint="it is select or write")


def _selected(one: Draft, passage: Passage, odds: dict[str, float]) -> Proposal:
    if one.text not in odds:
        return _proposal(one, reason="plain statement")
    value = worth(one.text, author=passage.author, model=odds[one.text])
    least = WORTH_TYPED if passage.origin == "typed" else WORTH_KEEPING
    return _proposal(one, reason=f"worth {value:.2f}", rejected="" if value >= least else CHATTER)


def _written(one: Draft, text: str) -> Proposal:
    is_own = text.casefold().rstrip(".") in one.text.casefold()
    stance: Stance = "evidence" if is_own else "inference"
    return replace(_proposal(one, reason="written"), text=text, stance=stance)


def _proposal(one: Draft, *, reason: str = "", rejected: str = "") -> Proposal:
    certainty = HEDGED if one.is_hedged else SURE
    return Proposal(one.text, one.clause, one.kind, "evidence", certainty, reason, rejected)


def add_up(total: Usage, used: Usage) -> None:
    """Count what one call used."""
    total.tokens_sent += used.tokens_sent
    total.tokens_evaluated += used.tokens_evaluated
    total.tokens_written += used.tokens_written
