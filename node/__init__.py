"""Tadamun (تضامن): a node that a human-rights organisation runs for itself.

What an alert *is* and what *may be done* with it stands in this folder, one pure file a subject; `federation/` carries
it between nodes, `models/` keeps it, `web/` shows it, `app.py` puts them together and `cli.py` is the command line.
"""

__version__ = "0.1.0"
