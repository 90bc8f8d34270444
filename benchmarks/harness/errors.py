"""How things go wrong: both carry one line for people."""


class BenchError(Exception):
    """Ends the run."""


class NotMeasured(Exception):
    """One figure cannot be had here; the report says why, the run goes on."""
