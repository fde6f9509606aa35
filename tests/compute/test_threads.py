"""Threads: BLAS is kept to one where that pays, and is given back all it had."""

from threading import Event, Thread

import numpy as np
import pytest
from numpy.testing import assert_allclose
from threadpoolctl import ThreadpoolController, threadpool_limits

from sklearn_ndk import NDKRegressorCV
from sklearn_ndk._compute._threads import n_threads, product, single_threaded_blas


def blas_threads():
    blas = ThreadpoolController().select(user_api="blas").info()
    return max((library["num_threads"] for library in blas), default=1)


@pytest.fixture
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        if blas_threads() < 2:
            pytest.skip("BLAS has one thread")
        yield


@pytest.mark.usefixtures("two_threads")
def test_blas_keeps_to_one_thread_and_ours_know_how_many_there_are():
    with single_threaded_blas():
        assert blas_threads() == 1
        assert n_threads() == 2
        with single_threaded_blas():
            assert n_threads() == 2
        assert blas_threads() == 1
    assert blas_threads() == n_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_blas_has_its_threads_back_whichever_thread_is_the_last_to_leave():
    entered, leave = Event(), Event()

    def hold():
        with single_threaded_blas():
            entered.set()
            leave.wait(10)

    for ours_is_last in (False, True):
        entered.clear()
        leave.clear()
        other = Thread(target=hold)
        with single_threaded_blas():
            other.start()
            entered.wait(10)
            if ours_is_last:
                leave.set()
                other.join()
        leave.set()
        other.join()
        assert blas_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_threads_of_joblib_do_not_have_threads_of_blas_each():
    seen = []

    def score(model, X, y):
        seen.append(blas_threads())
        return 0.0

    X = np.random.default_rng(0).standard_normal((40, 2))
    NDKRegressorCV(cv=3, times=3, n_jobs=2, scoring=score).fit(X, X[:, 0])
    assert set(seen) == {1}
    assert blas_threads() == 2


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_product_on_threads_is_the_product(dtype):
    rng = np.random.default_rng(0)
    a = rng.standard_normal((301, 257)).astype(dtype)
    b = rng.standard_normal((403, 257)).astype(dtype).T
    with single_threaded_blas():
        got = product(a, b)
    assert got.dtype == dtype
    assert_allclose(got, a @ b, rtol=0, atol=1e3 * np.finfo(dtype).eps)
