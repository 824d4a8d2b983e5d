"""To come."""

from __future__ import annotations

from secondme_tui.screens.main import MainScreen


class StatusScreen(MainScreen):
    """To come."""

    MODE = "status"
