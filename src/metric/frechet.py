"""Makes the numbers that the tests in src/metric/frechet.rs compare with; prints them.

    pip install numpy scipy
    python src/metric/frechet.py

Made with numpy 1.26.4 and scipy 1.17.1. Features are made by a formula that both sides have. The distance is computed in
three ways: as the formula in the docs says, with roots of covariances from their eigenvalues; as Heusel et al.'s program
does, with `scipy.linalg.sqrtm(C_a C_b)`; and by the singular values of LAPACK. Where covariances have no full rank, which
`sqrtm` warns of, the first two keep half of the digits.
"""

import numpy as np
from scipy import linalg


def features(n, d, pace, shift):
    """As `wave` in the tests."""
    i, k = np.arange(1, n + 1)[:, None], np.arange(1, d + 1)[None, :]
    return np.sin(pace * i * k) + shift * k


def root(c):
    values, vectors = np.linalg.eigh(c)
    return vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T


def distance(a, b):
    c_a, c_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    apart = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(c_a) + np.trace(c_b)
    by_eigenvalues = apart - 2 * np.trace(root(root(c_a) @ c_b @ root(c_a)))
    by_program = apart - 2 * np.trace(linalg.sqrtm(c_a @ c_b)).real
    centred = [(x - x.mean(0)) / np.sqrt(len(x) - 1) for x in (a, b)]
    by_singular_values = apart - 2 * np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum()
    return by_eigenvalues, by_program, by_singular_values


for n, m, d in [(40, 30, 5), (6, 4, 8), (20, 3, 6)]:
    print(n, m, d, *distance(features(n, d, 0.37, 0.1), features(m, d, 0.53, -0.05)))
