"""Types of the compiled module undecided, which has only C functions."""
