"""The model server: HTTP round a predictor."""
