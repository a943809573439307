/* The inner loops of small QR factorisations, on strips, for the four dtypes (strip_tables.h).

   A strip is eight columns of a matrix, stored row by row: one row is one vector (complex: one of
   real parts and one of imaginary parts), so that a sum down the columns is eight sums in parallel
   and nothing has to be added across lanes.

        strip (m, 8)     x x x x x x x x     row 0           a matrix (m, n) is ceil(n/8) strips,
                         x x x x x x x x     row 1           one after the other
                         ...

   Every dtype has the same table of functions; pointers to entries are void *, strides count
   entries. */

#ifndef FASTSUB_STRIPS_H
#define FASTSUB_STRIPS_H

#include <stddef.h>

/* Sums of more than FASTSUB_RUN rows are sums of such sums: where all terms are alike, as in a
   matrix of ones or of equal steps, so are their roundings, and one long sum would add all up. */
enum { FASTSUB_LANES = 8, FASTSUB_RUN = 32 };

typedef struct {
    ptrdiff_t size;  /* bytes of one entry */
    ptrdiff_t parts; /* 2 if it is complex */
    double eps;      /* the distance from 1 to the next number */
    double spread;   /* 1, complex: sqrt(2): how much larger rounding errors are */
    int safe;        /* powers of two up to which squares of entries are safe */
    int lowest;      /* power of two below which entries are subnormal or nearly so */
    /* max |a_ij| (of the parts, where complex) of A (m, n), entry (i, j) at A[i*rs + j*cs]; NaN or
       infinity where there is one. */
    double (*magnitude)(ptrdiff_t m, ptrdiff_t n, const void *A, ptrdiff_t rs, ptrdiff_t cs);
    /* ||scale A||_F^2 and the largest ||row||^2. */
    double (*sumsq)(ptrdiff_t m, ptrdiff_t n, const void *A, ptrdiff_t rs, ptrdiff_t cs,
                    double scale, double *widest);
    /* Lower bound of sigma_1(scale A) by steps of the power method; x, z (n). */
    double (*sigma_1)(ptrdiff_t m, ptrdiff_t n, const void *A, ptrdiff_t rs, ptrdiff_t cs,
                      double scale, int steps, void *x, void *z);
    /* S (m, 8) := scale*A or scale*conj(A), A (m, count); lanes from count on are zero. */
    void (*load)(ptrdiff_t m, ptrdiff_t count, const void *A, ptrdiff_t rs, ptrdiff_t cs,
                 int conjugate, double scale, void *S);
    /* A (m, count), column-major without gaps := S. */
    void (*store)(ptrdiff_t m, ptrdiff_t count, const void *S, void *A);
    /* S (m, 8) -= V T (V^H S) or V T^H (V^H S); V (m, 8), T (8, 8). */
    void (*apply)(ptrdiff_t m, const void *V, const void *T, int adjoint, void *S);
    /* QR of a strip from row k on, without pivots and with them; see strip_loops.h. */
    ptrdiff_t (*panel)(ptrdiff_t m, ptrdiff_t k, ptrdiff_t count, double budget, double floor,
                       void *S, void *T, void *R, double *left);
    ptrdiff_t (*pivoted_panel)(ptrdiff_t m, ptrdiff_t k, ptrdiff_t count, double other, double rest,
                               double stop, void *S, void *T, void *R, void *norms, double *rows);
    /* norms (8) := squares of S's columns from row k on; rows[i] += squares, top <= i < k, of
       `count` lanes. */
    void (*measure)(ptrdiff_t m, ptrdiff_t top, ptrdiff_t k, ptrdiff_t count, const void *S,
                    void *norms, double *rows);
    /* The largest of n norms; total := their sum, best (8), if any: where the largest ones are. */
    double (*select)(ptrdiff_t n, const void *norms, ptrdiff_t *best, double *total);
    /* Column k of the strips `to` := column j of the strips `from`; its norm with it. */
    void (*move)(ptrdiff_t m, const void *from, const void *norms_from, ptrdiff_t j, void *to,
                 void *norms_to, ptrdiff_t k);
    /* Strip s (count lanes; its diagonal begins in row tops[s]) of X = R^-1, strips of `height`
       rows, after those before it; returns ||strip||_F^2. */
    double (*invert)(ptrdiff_t s, ptrdiff_t count, const ptrdiff_t *tops, const void *R, void *X,
                     ptrdiff_t height);
    /* S (k, 8) := R^-1 S or R^-H S, R (k, k) in full strips of `height` rows. */
    void (*solve)(ptrdiff_t k, const void *R, ptrdiff_t height, int adjoint, void *S);
    /* S (m, 8) := eight columns of the identity, from column `first` on. */
    void (*identity)(ptrdiff_t m, ptrdiff_t first, void *S);
} fastsub_strips;

#endif
