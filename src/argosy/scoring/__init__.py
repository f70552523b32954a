"""Batch scoring: a served model's answers for tables of any size, a part at a time; the same bundle and answers as the server's."""
