"""Types of the compiled module svd."""
