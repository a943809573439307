# No function for Python: kernels/modular.pyx has the shims.
