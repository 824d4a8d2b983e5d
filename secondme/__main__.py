"""`python -m secondme` is `secondme`."""

from __future__ import annotations

from secondme.cli import main

if __name__ == "__main__":
    main()
