"""Processes that share a fit: who they are, and what they tell each other.

Knows no samples, batches or nets.
"""
