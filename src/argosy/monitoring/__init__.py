"""The rules of the loop that closes after a merge, over the ports: what is watched, what is admitted, who hears of it."""
