"""What it costs: ratios measured in one run, never a timed test."""
