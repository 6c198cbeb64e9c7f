"""Answers at hand: articles, found for a question in English or Chinese, without a server."""

import os

# Numpy asks once, when it is first imported. A question is too short to share among threads, and
# idle ones spin: measured 80 ms of processor time for a text instead of 2.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
