"""Log lines: their setup, their form, and where they are written to."""
