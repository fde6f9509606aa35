"""Tests that run side by side have one BLAS thread each."""

import os

from threadpoolctl import threadpool_limits

if "PYTEST_XDIST_WORKER" in os.environ:
    threadpool_limits(1)
