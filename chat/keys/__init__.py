"""The keys that tokens are checked with: read, downloaded and kept."""
