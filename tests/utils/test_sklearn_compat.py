"""What is missing in older releases of scikit-learn is done without."""

import subprocess
import sys
import textwrap


def test_works_without_callbacks_of_scikit_learn():
    code = """
        import sys
        import sklearn.decomposition
        from sklearn.datasets import load_digits
        from sklearn.pipeline import make_pipeline
        from sklearn.model_selection import train_test_split

        sys.modules["sklearn.callback"] = None  # as before scikit-learn 1.9
        from skcae import ConvAutoencoderTransformer

        X = load_digits().images[:100]
        cae = ConvAutoencoderTransformer(n_filters=2, max_epochs=2, early_stopping=True)
        assert make_pipeline(cae).fit_transform(X).shape == (100, 32)
        assert cae.n_iter_ == 2
        assert not hasattr(cae, "set_callbacks")
        print("worked")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "worked", done.stderr
