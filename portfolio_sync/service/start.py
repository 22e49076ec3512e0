"""Start the service, also while its database is away: it is waited for, for as long as it takes."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from portfolio_sync.app import App
from portfolio_sync.core.log import log
from portfolio_sync.errors import DatabaseAway
from portfolio_sync.service.roster import Roster, Say, require_servable
from portfolio_sync.settings.model import Account
from portfolio_sync.store.engine import parse_url

FIRST, LONGEST = 1.0, 60.0  # seconds between two looks
Wait = Callable[[float], bool]
"""Wait so many seconds, or until the service is told to stop: then it is true."""


class Start:
    """``roster`` None: the database has not answered yet, ``problem`` says why."""

    def __init__(self, app: App, say: Say) -> None:
        """Raises SettingsError and DatabaseError for what no waiting can mend."""
        require_servable(app)
        parse_url(app.database_url)
        self._app, self._say = app, say
        self.problem = "the service is starting"
        self.roster: Roster | None = None

    def accounts(self) -> dict[int, Account]:
        """The served accounts. Raises DatabaseAway while nobody knows them."""
        if self.roster is None:
            raise DatabaseAway(self.problem)
        return self.roster.accounts()

    def wait(self, wait: Wait) -> Roster | None:
        """The roster, as soon as the database answers; None where the service was told to stop before."""
        pause = FIRST
        while not self._try():
            if wait(pause):
                return None
            pause = min(2 * pause, LONGEST)
        return self.roster

    def _try(self) -> bool:
        try:
            roster = Roster(self._app, Random(), self._say)
        except DatabaseAway as away:
            if self.problem != str(away):
                log.warning("waiting for the database: %s", away)
            self.problem = str(away)
            return False
        roster.ask()  # what changed in the settings meanwhile
        self.roster = roster
        return True
