"""A limit on how fast a collector may begin connections or ask questions."""

from __future__ import annotations

import asyncio
import time


class Pace:
    """Hands out moments at which something may begin, ``per_second`` of them; 0 = at any time."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for the next moment."""
        if not self._gap:
            return
        now = time.monotonic()
        at = max(now, self._next)
        self._next = at + self._gap
        if at > now:
            await asyncio.sleep(at - now)
