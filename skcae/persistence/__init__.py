"""Fitted state in memory, in pickles and in checkpoint files.

Knows nothing of how a net is trained.
"""
