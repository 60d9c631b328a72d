"""The parts of `Store`, by what they give access to."""
