"""Makes git agree with what the canaries decided: an aborted one becomes a revert request, a healthy one the next environment's."""
