"""Known truth: every test of the program on simulated markets in which nothing can be earned.

``python -m calibration`` draws the markets, counts how often each test of `registry` rejects them,
and writes the tables and the picture of ``docs/evidence.md``.  Not part of the wheel.
"""
