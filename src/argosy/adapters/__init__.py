"""One client library a module; none knows another. Client errors end here."""
