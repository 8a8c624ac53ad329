"""Where pairs and verdicts are kept, so that none is ever lost."""

from semanticface.preference.store.database import Store, StoreBusy, open_store

__all__ = ["Store", "StoreBusy", "open_store"]
