"""What onnxruntime makes of a graph."""


def outputs_of(onnx_model, X):
    """Return what onnxruntime computes of samples, by the names of the outputs."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        onnx_model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"X": X}), strict=True))
