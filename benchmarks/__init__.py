"""Measurements, run by hand: `make bench` and its sisters. README.md says how to read them."""
