import subprocess
import sys
from collections import Counter

import pytest

from semanticface.metrics.catalogue import CATALOGUE, metric
from semanticface.metrics.coefficients import Scores


def test_names_are_unique_and_rows_are_whole():
    assert max(Counter(row.name for row in CATALOGUE).values()) == 1
    for row in CATALOGUE:
        assert row.what and row.source, row


def test_every_score_has_a_row():
    told = {row.name for row in CATALOGUE}
    assert set(Scores._fields) - told == {"n", "truth_std", "pred_std"}


def test_a_row_by_name():
    assert metric("mae").better == "lower"
    with pytest.raises(KeyError, match="Did you mean 'pearson'"):
        metric("pearsn")


def test_metrics_load_without_scipy():
    """Only what needs it may take its half second."""
    names = "agreement catalogue coefficients events retrieval significance statistics validity"
    code = "import sys\n" + "".join(f"import semanticface.metrics.{n}\n" for n in names.split())
    code += "assert not {'scipy', 'choix', 'krippendorff', 'sklearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
