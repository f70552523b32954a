"""Says in the ledger how a retraining ended, so that the next may start."""
