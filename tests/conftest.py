"""What all tests share: real data where it is at hand, and quiet property tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared" / "data"

settings.register_profile(
    "project", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("project")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real takes, packets and answers; the test is skipped without it."""
    if not SHARED.is_dir():
        pytest.skip("no real takes: ../shared/data is not beside this checkout")
    return SHARED
