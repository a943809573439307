"""Types of the compiled module lanes, which has only C functions."""
