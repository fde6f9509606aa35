"""Threads: how many, and work spread over them."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from threading import Lock, local

from joblib.parallel import get_active_backend
from sklearn.utils.parallel import _get_threadpool_controller

# Threads of BLAS wait for each other by spinning, which takes the cores from those
# that they wait for where other processes are at work: up to this many samples,
# factorisations keep to one of them too, and products are spread over ours.
_FEW_SAMPLES = 3000

_lock = Lock()
_holders = []  # of the limit on BLAS, which is global: the last to leave lifts it
_before = []  # the number of threads without it
_worker = local()  # knows whether a thread is one of ours


def n_threads():
    """Return the number of threads for work of ours.

    Returns
    -------
    int
        As many as BLAS would use, so that ``OMP_NUM_THREADS`` and ``threadpoolctl``
        limits are honoured; one in a worker of joblib or of ours.
    """
    backend, _ = get_active_backend()
    if backend.nesting_level or getattr(_worker, "busy", False):
        return 1
    if _holders:
        return _before[0]
    return _n_blas_threads()


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
        _worker.busy = True
        try:
            take_all()
        finally:
            _worker.busy = False

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


@contextmanager
def single_threaded_blas():
    """Keep BLAS to one thread: several share thin products worse than `spread` does.

    Yields
    ------
    None
    """
    with _lock:
        if not _holders:
            _before[:] = [_n_blas_threads()]
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
