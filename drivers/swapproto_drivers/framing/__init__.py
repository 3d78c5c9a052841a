"""Bytes to units, sans-I/O: readers that find the next good unit after whatever else was on the line."""
