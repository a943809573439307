"""fastsub."""
