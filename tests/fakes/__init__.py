"""Loopback servers that speak the protocols of the online sources, with their faults.

Each is in the tests and runs by hand too: ``python -m tests.fakes.yahoo``.
"""
