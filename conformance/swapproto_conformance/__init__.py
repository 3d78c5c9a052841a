"""The conformance suite: requirements, cases, tester, judges, evidence."""
