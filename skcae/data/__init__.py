"""How samples and labels are stored, checked and read.

Knows no net and no device.
"""
