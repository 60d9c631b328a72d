"""Figures that business sentences state, in English and in German: see `read_facts`."""

from __future__ import annotations

from db.text.facts.read import Statements, read_facts

__all__ = ["Statements", "read_facts"]
