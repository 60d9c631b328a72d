"""Sources that are asked over a network; each is one module with a `Source` named ``SOURCE``."""
