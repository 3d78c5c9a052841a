"""The swap: role machines of the station's orchestrator and of the truck's swap controller.

A library is no safety function. The interlocks here keep an orderly program from asking for what must not be;
whether anything moves is decided by the station's safety controller, the truck and the pack, each for itself.
"""
