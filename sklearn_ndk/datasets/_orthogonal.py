"""Orthogonal inputs with random labels."""

from numbers import Integral, Real

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ortho_group
from sklearn.utils import check_random_state

from sklearn_ndk._checks import NumberInterval
from sklearn_ndk._validation import validated


@validated(
    {
        "n_samples": [NumberInterval(Integral, 1, None, closed="left")],
        "n_features": [NumberInterval(Integral, 2, None, closed="left"), None],
        "overlap": [NumberInterval(Real, -1, 1, closed="both")],
        "random_state": ["random_state"],
    },
)
def make_orthogonal(
    n_samples: int = 100,
    n_features: int | None = None,
    overlap: float = 0.5,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
]:
    """Generate orthogonal inputs with random labels, and one test point near each.

    The synthetic task of Fig. 1 of the paper. Training inputs are orthogonal, of
    squared norm `n_features`, and their labels are +-1 at random. Each test point
    has the same norm, a given cosine with one training input, and that input's
    label; it is orthogonal to all the others.

    Parameters
    ----------
    n_samples : int, default=100
        Number of training points, and of test points.
    n_features : int, default=None
        Dimension of the inputs, more than `n_samples`, or at least as many if
        ``abs(overlap) == 1``. Twice `n_samples` if None.
    overlap : float, default=0.5
        Cosine, in [-1, 1], of each test point with the training input of the same
        index. The rest of it is a random direction orthogonal to all training inputs.
    random_state : int, RandomState instance or None, default=None
        Source of the random rotation, directions and labels.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Training inputs.
    y : ndarray of shape (n_samples,)
        Their labels, -1.0 or 1.0.
    X_test : ndarray of shape (n_samples, n_features)
        Test inputs.
    y_test : ndarray of shape (n_samples,)
        Their labels, equal to `y`.

    Raises
    ------
    ValueError
        If a parameter is invalid, or if `n_features` is too small.

    References
    ----------
    Avidan, Li and Sompolinsky, "Connecting NTK and NNGP: A Unified Theoretical
    Framework for Neural Network Learning Dynamics in the Kernel Regime",
    arXiv:2309.04522.

    Examples
    --------
    >>> from sklearn_ndk.datasets import make_orthogonal
    >>> X, y, X_test, y_test = make_orthogonal(3, 5, overlap=0.8, random_state=0)
    >>> (X @ X_test.T / 5).round(2) + 0.0
    array([[0.8, 0. , 0. ],
           [0. , 0.8, 0. ],
           [0. , 0. , 0.8]])
    """
    n_features = max(2, 2 * n_samples) if n_features is None else n_features
    n_needed = n_samples + (abs(overlap) < 1)
    if n_features < n_needed:
        raise ValueError(
            f"n_features must be at least {n_needed} for {n_samples} orthogonal "
            f"samples and overlap={overlap}; got {n_features}."
        )
    rng = check_random_state(random_state)
    basis = ortho_group.rvs(n_features, random_state=rng)
    inputs, others = basis[:n_samples], basis[n_samples:]
    X_test = overlap * inputs
    if abs(overlap) < 1:
        rest = rng.standard_normal((n_samples, len(others)))
        rest /= np.linalg.norm(rest, axis=1, keepdims=True)
        X_test += np.sqrt((1 - overlap) * (1 + overlap)) * rest @ others
    y = rng.choice([-1.0, 1.0], n_samples)
    norm = np.sqrt(n_features)
    return norm * inputs, y, norm * X_test, y.copy()
