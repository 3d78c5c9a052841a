"""The timed record of a link: records, readers, writers."""
