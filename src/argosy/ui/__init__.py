"""The local, read-only page of runs, models and requests. It asks ports and shows what ``report`` renders; it changes nothing anywhere."""
