"""Threads, tiles and memory: how work is laid out on a machine."""
