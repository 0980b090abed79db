"""Network addresses and origins of pages."""
