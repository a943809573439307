"""Types of the compiled module svd_lstsq, which has only C functions."""
