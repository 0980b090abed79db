"""The journal: numbers changes, writes them in groups, and commits them in order."""
