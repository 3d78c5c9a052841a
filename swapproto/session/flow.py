"""What the rows of both tables rest on."""

from swapproto.provenance import Basis, Source

FLOW = Source("GB/T 27930-2015, state flow", Basis.REPORTED, 2)
SEEN = Source("public recordings of 2015 devices", Basis.OBSERVED, 2)
SEEN_ONCE = Source("public recording of one 2015 device", Basis.OBSERVED, 1)
OLDER = Source("public recordings of 2011 devices", Basis.OBSERVED, 2)
BSM_RULE = Source("GB/T 27930-2015, SPN 3090 to 3096", Basis.REPORTED, 2)
UNTRUSTED_RULE = Source("GB/T 27930-2015, SPN 3092 to 3095", Basis.REPORTED, 1)
RECONNECT_RULE = Source("GB/T 27930-2015, reconnect attempts", Basis.REPORTED, 1)
CHOSEN = Source("GB/T 27930-2015, state flow", Basis.ASSUMED, 0, "no public text says what follows")
COMMANDED = Source("application", Basis.DERIVED, 0, "a command, not a message")
