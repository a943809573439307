"""Least squares: paths of rising cost (`solve` has the order), each with a proof of its answer."""
