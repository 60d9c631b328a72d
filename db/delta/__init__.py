"""Bars in Delta Lake: one table an interval, one commit a batch."""
