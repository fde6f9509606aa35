"""Threads: how many, and work spread over them."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from itertools import pairwise
from threading import local

import numpy as np
from joblib.parallel import get_active_backend
from sklearn.utils.parallel import _get_threadpool_controller

# Threads of BLAS wait for each other by spinning, which takes the cores from those
# that they wait for where other processes are at work: up to this many samples,
# factorisations keep to one of them too, and products are spread over ours.
_FEW_SAMPLES = 3000
_SMALL_PRODUCT = 2**24  # multiplications that one thread does in a blink

_here = local()  # of a thread: whether it is one of ours, and what it keeps BLAS from


def n_threads():
    """Return the number of threads for work of ours.

    Returns
    -------
    int
        As many as BLAS would use, so that ``OMP_NUM_THREADS`` and ``threadpoolctl``
        limits are honoured; one in a worker of joblib or of ours.
    """
    backend, _ = get_active_backend()
    if backend.nesting_level or getattr(_here, "busy", False):
        return 1
    return _n_held_back() or _n_blas_threads()


def n_blas_callers():
    """Return how many threads of ours may call BLAS at a time: one if it has more."""
    return n_threads() if _n_held_back() else 1


def _n_held_back():
    """Return the number of threads of BLAS if this one keeps them to one, else 0."""
    return getattr(_here, "n_held_back", 0)


def _n_blas_threads():
    blas = _get_threadpool_controller().select(user_api="blas").info()
    return max((library["num_threads"] for library in blas), default=1)


def spread(function, items, n_workers):
    """Apply a function that releases the interpreter lock to items, on threads.

    Parameters
    ----------
    function : callable
        Applied to each item; what it returns is dropped.
    items : iterable
        The items.
    n_workers : int
        Number of threads, this one included.
    """
    queue = deque(items)

    def work():
        _here.busy = True
        try:
            take_all()
        finally:
            _here.busy = False

    def take_all():
        while queue:
            try:
                item = queue.popleft()
            except IndexError:  # another thread was faster
                return
            function(item)

    with ThreadPoolExecutor(n_workers) as pool:
        others = [pool.submit(work) for _ in range(min(n_workers, len(queue)) - 1)]
        work()
        for other in others:
            other.result()


def product(a, b):
    """Multiply matrices: on threads that sleep, where those of BLAS are held back.

    Parameters
    ----------
    a : ndarray of shape (n, k)
        The first factor.
    b : ndarray of shape (k, m)
        The second.

    Returns
    -------
    ndarray of shape (n, m)
        ``a @ b``.
    """
    if a.size * b.shape[1] < _SMALL_PRODUCT or (n_workers := n_blas_callers()) == 1:
        return a @ b
    out = np.empty((len(a), b.shape[1]), np.result_type(a, b))
    ends = np.linspace(0, b.shape[1], n_workers + 1).astype(int)
    columns = [slice(*pair) for pair in pairwise(ends)]

    def multiply(some):
        np.matmul(a, b[:, some], out=out[:, some])

    spread(multiply, columns, n_workers)
    return out


@contextmanager
def single_threaded_blas():
    """Keep BLAS to one thread: several share thin products worse than `spread` does.

    Yields
    ------
    None
    """
    n_before = 1 if _n_held_back() else _n_blas_threads()
    if n_before == 1:  # as it does if another thread keeps it to one: theirs to lift
        yield
        return
    _here.n_held_back = n_before
    try:
        with _get_threadpool_controller().limit(limits=1, user_api="blas"):
            yield
    finally:
        _here.n_held_back = 0


def threads_for(n_samples):
    """Keep BLAS to one thread where samples are few, see :func:`n_threads`.

    Parameters
    ----------
    n_samples : int
        Number of samples.

    Returns
    -------
    context manager
        For the time of a fit or a prediction.
    """
    return single_threaded_blas() if n_samples <= _FEW_SAMPLES else nullcontext()
