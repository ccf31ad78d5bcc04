"""What a person at an organisation does, whichever door it comes through: command line, page or API."""
