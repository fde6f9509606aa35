"""Tests that run side by side have one BLAS thread each."""

import os

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="session")
def one_thread_per_worker():
    side_by_side = "PYTEST_XDIST_WORKER" in os.environ
    with threadpool_limits(1 if side_by_side else None):
        yield
