"""A fit that several processes share.

    torchrun --nproc-per-node 2 examples/distributed_fit.py
    python examples/distributed_fit.py  # the same, alone

Every process runs the whole script and reads its own part of each batch of digits. All
of them end with the same fitted transformer, of which the first one saves a pipeline.
"""

import os

import joblib
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skcae

# A quick run shows that everything works, its figures say little.
QUICK = bool(os.environ.get("SKCAE_DEMO_QUICK"))

# %%
# The same data on every rank
# ---------------------------
# Where these are large, let it be a memory map: ``np.load("X.npy", mmap_mode="r")``.
digits = load_digits()
X_train, X_test, y_train, y_test = train_test_split(
    digits.images, digits.target, test_size=0.3, stratify=digits.target, random_state=0
)

# %%
# All ranks train together
# ------------------------
# So many samples per step are those of all ranks. It is training that they share, so
# the recipe is one that trains.
cae = skcae.ConvAutoencoderTransformer(
    recipe="tutorial",
    n_filters=16 if QUICK else 64,
    batch_size=128,
    max_epochs=2 if QUICK else 20,
    random_state=0,
    verbose=1,
)
with skcae.data_parallel() as ranks:
    cae.fit(X_train)

# %%
# One of them does what is left
# -----------------------------
# It is behind the block, where nobody waits for the others.
if ranks.rank == 0:
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    classifier.fit(cae.transform(X_train), y_train)
    pipeline = make_pipeline(cae, *(step for _, step in classifier.steps))
    joblib.dump(pipeline, "digits_pipeline.joblib")
    print(f"{ranks.size} process(es), loss {cae.history_[-1]['train_loss']:.6f}")
    print(f"accuracy {pipeline.score(X_test, y_test):.3f}")
    print("wrote digits_pipeline.joblib")
