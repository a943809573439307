"""Backward errors of the least-squares solutions of a stack."""
