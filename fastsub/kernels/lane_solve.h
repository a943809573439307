/* Triangular systems and products in lanes. Included by lane_loops.h. */

FASTSUB_VARIANTS
static void NAME(scale)(ptrdiff_t count, const double *factors, void *W_)
{
    VEC *W = W_, factor;
    for (int l = 0; l < LANES; l++) factor[l] = (T)factors[l];
    for (ptrdiff_t i = 0; i < count * P; i++) W[i] *= factor;
}

FASTSUB_VARIANTS
static void NAME(solve)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t count, int adjoint, const void *W_,
                        const void *beta_, void *C_)
{
    const VEC *W = W_, *beta = beta_;
    for (ptrdiff_t q = 0; q < count; q++) {
        VEC *c = (VEC *)C_ + q * m * P;
        if (!adjoint) {
            /* By columns of R: what is found leaves all those above at once. */
            for (ptrdiff_t j = n - 1; j >= 0; j--) {
                for (int p = 0; p < P; p++) c[j * P + p] /= beta[j];
                NAME(update)(0, j, W + j * m * P, c + j * P, 1, c);
            }
            continue;
        }
        for (ptrdiff_t j = 0; j < n; j++) {
            VEC d[2];
            NAME(dots)(0, j, W + j * m * P, c, 1, d);
            for (int p = 0; p < P; p++) c[j * P + p] = (c[j * P + p] - d[p]) / beta[j];
        }
        memset(c + n * P, 0, (size_t)((m - n) * P) * sizeof(VEC));
    }
}

FASTSUB_VARIANTS
static void NAME(subtract)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t count, const void *A_, const void *X_,
                           void *C_)
{
    const VEC *A = A_, *X = X_;
    VEC *C = C_;
    for (ptrdiff_t q = 0; q < count; q++)
        for (ptrdiff_t j = 0; j < n; j++)
            NAME(update)(0, m, A + j * m * P, X + (q * n + j) * P, 1, C + q * m * P);
}

FASTSUB_VARIANTS
static void NAME(adjoint)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t count, const void *A_, const void *C_,
                          ptrdiff_t ld, void *G_)
{
    const VEC *A = A_, *C = C_;
    VEC *G = G_;
    for (ptrdiff_t q = 0; q < count; q++)
        for (ptrdiff_t j = 0; j < n; j++)
            NAME(dots)(0, m, A + j * m * P, C + q * m * P, 1, G + (q * ld + j) * P);
}

FASTSUB_VARIANTS
static void NAME(augment)(ptrdiff_t m, ptrdiff_t n, const double *theta, void *W_)
{
    VEC *W = W_;
    for (ptrdiff_t j = 0; j < n; j++) {
        memset(W + (j * m + m - n) * P, 0, (size_t)(n * P) * sizeof(VEC));
        T *diagonal = (T *)(W + (j * m + m - n + j) * P);
        for (int l = 0; l < LANES; l++) diagonal[l] = (T)theta[l];
    }
}
