"""Strategies, one short file an idea.  Copy one to start your own."""
