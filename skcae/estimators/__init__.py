"""scikit-learn's contract: parameters, `fit`, `transform`, `predict`, tags.

Does no arithmetic of its own: it hands arrays and plain values down.
"""
