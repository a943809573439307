/* Many small matrices at once, one in each lane of a vector (structure of arrays).

   Entry (i, j) of `lanes` matrices is one vector (complex: one of real parts, then one of imaginary
   parts); W (m, n) holds such vectors column by column. All lanes go the same way: Householder QR
   without pivots, m >= n. A lane of which no rank is proved has failed, and what it holds means
   nothing.

   Pointers to vectors are void *, aligned to 64 bytes; strides count entries. */

#ifndef FASTSUB_LANES_H
#define FASTSUB_LANES_H

#include <stddef.h>

/* Which ranks below n are proved, too: none; those where the first columns of Q span the others but
   for rounding; any, at the price of W. */
enum { FASTSUB_FULL_RANK = 0, FASTSUB_CLEAN = 1, FASTSUB_ANY_RANK = 2 };

typedef struct {
    ptrdiff_t lanes; /* matrices at once */
    ptrdiff_t size;  /* bytes of an entry (i, j) of all of them */
    /* W (m, n) := A or conj(A); entry (i, j) of matrix l at A[at[l] + i*rs + j*cs]; columns of W lie
       ld apart. */
    void (*load)(ptrdiff_t m, ptrdiff_t n, const void *A, const ptrdiff_t *at, ptrdiff_t rs,
                 ptrdiff_t cs, int conjugate, ptrdiff_t ld, void *W);
    /* The first `rows` rows of C (m, count) in lanes of `which`, (rows, count) column-major each,
       go to out + l*step bytes. */
    void (*store)(ptrdiff_t m, ptrdiff_t rows, ptrdiff_t count, const void *C, unsigned which,
                  ptrdiff_t step, void *out);
    /* squares (lanes) := sums of squares of rows first, ..., m - 1 of columns of C (m, count). */
    void (*sumsq)(ptrdiff_t first, ptrdiff_t m, ptrdiff_t count, const void *C, double *squares);
    /* As reduce, and the lanes (bits) of which the rank is proved: ranks (lanes), bounds (3, lanes)
       := cutoff, lower bound of sigma_r, upper bound of the next. `exact`: as near as ||R^-1||_F
       comes. */
    unsigned (*factor)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t extra, const double *rtol,
                       const double *tol, int exact, int below, void *W, void *beta, void *tau,
                       void *work, double *bounds, ptrdiff_t *ranks);
    /* W = QR, and Q^H times `extra` columns after it; beta (n) R's diagonal, tau (n). work (4 (n +
       extra)). */
    void (*reduce)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t extra, void *W, void *beta, void *tau,
                   void *work);
    /* The first n columns of W (m, .) := those of R with its zeros; `raw`: the reflectors in their
       place, as LAPACK has it. */
    void (*triangle)(ptrdiff_t m, ptrdiff_t n, int raw, const void *beta, void *W);
    /* C (m, count) := columns first, first + 1, ... of the identity. */
    void (*unit)(ptrdiff_t m, ptrdiff_t first, ptrdiff_t count, void *C);
    /* C (m, count) := Q C, of the first n reflectors. */
    void (*apply)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t count, const void *W, const void *tau,
                  void *C);
    /* W (count) *= factors (lanes). */
    void (*scale)(ptrdiff_t count, const double *factors, void *W);
    /* C (m, count) := (R^-1 C[:n]; as it was) or (R^-H C[:n]; 0). */
    void (*solve)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t count, int adjoint, const void *W,
                  const void *beta, void *C);
    /* C (m, count) -= A X, A (m, n), X (n, count). */
    void (*subtract)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t count, const void *A, const void *X,
                     void *C);
    /* G (n, count) := A^H C; columns of G lie ld apart. */
    void (*adjoint)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t count, const void *A, const void *C,
                    ptrdiff_t ld, void *G);
    /* The last n rows of W (m, n) := theta I, theta (lanes). */
    void (*augment)(ptrdiff_t m, ptrdiff_t n, const double *theta, void *W);
} fastsub_lanes;

#endif
