"""Everything that crosses the border to clients; only this package knows camelCase."""
