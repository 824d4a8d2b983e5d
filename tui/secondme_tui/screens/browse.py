"""To come."""

from __future__ import annotations

from secondme_tui.screens.main import MainScreen


class BrowseScreen(MainScreen):
    """To come."""

    MODE = "browse"
