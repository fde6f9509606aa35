"""Transformers that bring tables to the scale that networks expect."""

from sklearn_ndk.preprocessing._table_scaler import TableScaler

__all__ = ["TableScaler"]
