"""Sparse elimination with threshold rook pivoting."""

from fastsub.kernels.blas cimport scalar

cdef struct Lines:
    int* head
    int* count
    int* next
    int* prev
    int* filed
    int* step
    int* bucket
    double* largest
    double* dropped

cdef struct Graph:
    Lines rows
    Lines cols
    Py_ssize_t m
    Py_ssize_t n
    int* row
    int* col
    int* left
    int* right
    int* up
    int* down
    int* table
    Py_ssize_t mask
    Py_ssize_t used
    Py_ssize_t capacity
    Py_ssize_t steps
    const int* block
    Py_ssize_t* entries
    Py_ssize_t* height
    Py_ssize_t* width
    unsigned char* frozen
    double* squares

cdef void load(Graph* G, const Py_ssize_t* start, const int* index) noexcept nogil
cdef void rehash(Graph* G) noexcept nogil
cdef int eliminate(Graph* G, scalar* value, double threshold, double cut,
                   double density) noexcept nogil
