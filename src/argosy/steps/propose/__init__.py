"""Opens the promotion request for staging, or says why there is none."""
