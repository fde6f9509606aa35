"""Threads: how many, and work spread over them."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

from joblib.parallel import get_active_backend
from sklearn.utils.parallel import _get_threadpool_controller

_lock = Lock()
_holders = []  # of the limit on BLAS, which is global: the last to leave lifts it


def n_threads():
    """Return the number of threads BLAS would use, or one in a joblib worker.

    Returns
    -------
    int
        At least one; honours ``OMP_NUM_THREADS`` and ``threadpoolctl`` limits.
    """
    backend, _ = get_active_backend()
    if backend.nesting_level:
        return 1
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


@contextmanager
def single_threaded_blas():
    """Keep BLAS to one thread: several share thin products worse than `spread` does.

    Yields
    ------
    None
    """
    with _lock:
        if not _holders:
            limit = _get_threadpool_controller().limit(limits=1, user_api="blas")
            _holders.append(limit)
        _holders.append(None)
    try:
        yield
    finally:
        with _lock:
            _holders.pop()
            if len(_holders) == 1:
                _holders.pop().restore_original_limits()
