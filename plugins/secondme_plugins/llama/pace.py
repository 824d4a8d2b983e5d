"""How many threads llama.cpp gets: all of them, and fewer while other programs need the processor too."""

from __future__ import annotations

_FULL_SHARE = 0.85
_SHORTEST_HOLD, _LONGEST_HOLD = 1.0, 60.0


class Pace:
    """Watches the share of the processor that work gets, and chooses the number of threads by it.

    The threads wait for each other by spinning after every layer. When one is kept from running, the others only
    burn time: two threads on two cores that something else uses too write ten times slower than one.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._fewer = most
        self._held_until = 0.0
        self._hold = _SHORTEST_HOLD

    def threads(self, now: float) -> int:
        """Return how many threads to use from `now` on, in seconds of any clock."""
        return self._most if now >= self._held_until else self._fewer

    def record(self, threads: int, *, wall: float, processor: float, now: float) -> None:
        """Take note that work on `threads` threads, ended `now`, took `wall` seconds and as much `processor` time."""
        if threads < self._most or wall <= 0:
            return
        share = processor / (wall * threads)
        if share >= _FULL_SHARE:
            self._hold = _SHORTEST_HOLD
            return
        # All threads are tried again in a while, and ever more rarely while that fails.
        self._fewer = max(1, int(threads * share))
        self._held_until = now + self._hold
        self._hold = min(2 * self._hold, _LONGEST_HOLD)
