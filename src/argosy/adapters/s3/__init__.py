"""Object stores that speak S3, through the client ``boto3``."""
