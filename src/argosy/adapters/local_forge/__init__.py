"""The environment repo as a bare git repository on this machine, its requests kept in a ref of their own."""
