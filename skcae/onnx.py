"""Importing this teaches skl2onnx to export the estimators of skcae.

Examples
--------
>>> import onnxruntime
>>> import skl2onnx
>>> import skcae.onnx
>>> from sklearn.datasets import load_digits
>>> from skcae import ConvAutoencoderTransformer
>>> X = load_digits().images
>>> cae = ConvAutoencoderTransformer(n_filters=8, max_epochs=1, random_state=0).fit(X)
>>> content = skl2onnx.to_onnx(cae, X[:1]).SerializeToString()
>>> session = onnxruntime.InferenceSession(content)
>>> (features,) = session.run(None, {"X": X})
>>> features.shape
(1797, 128)
"""

from .export.converters import register

register()
