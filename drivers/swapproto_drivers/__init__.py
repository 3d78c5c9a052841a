"""Links: the ways into a station and a pack."""
