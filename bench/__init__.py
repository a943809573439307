"""Benchmarks: ``python -m bench compare``, and pytest-benchmark files beside it.

The runner and the cases are `fastsub.bench`, so that an installed package has them too.
"""
