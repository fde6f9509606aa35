"""How many threads tiles of kernel entries may use."""

from joblib.parallel import get_active_backend
from sklearn.utils.parallel import _get_threadpool_controller


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
